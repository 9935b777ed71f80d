"""A PostgreSQL of our own: private clusters from given binaries, gone on every way out.

>>> with Cluster.temporary(embedded_binaries()) as cluster:
...     cluster.dsn("postgres").split()[0]
'dbname=postgres'
"""

from pgadvisor.cluster.binaries import (
    Binaries,
    embedded_binaries,
    find_binaries,
    installed_binaries,
)
from pgadvisor.cluster.cluster import Cluster

__all__ = ["Binaries", "Cluster", "embedded_binaries", "find_binaries", "installed_binaries"]
