"""TPC-H against PostgreSQL: without indexes, with pgadvisor's advice, with Dexter-style advice.

`python -m benchmarks.tpch --help` says how to run it.
"""
