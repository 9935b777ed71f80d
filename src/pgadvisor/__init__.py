"""pgadvisor watches PostgreSQL, says what to change, and measures what the change brought.

``docs/tour.md`` follows one query through the code.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
