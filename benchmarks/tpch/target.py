"""A private PostgreSQL with TPC-H in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from benchmarks.tpch.data import TABLES
from psycopg import sql

from pgadvisor.cluster import Cluster, find_binaries

__all__ = ["SETTINGS", "tpch_cluster"]

#: Stated with every result: they decide it as much as the indexes do.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "work_mem": "4MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "track_io_timing": "on",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "auto_explain.log_min_duration": "20ms",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_HERE = Path(__file__).parent
_BLOCK = 1 << 20


@contextmanager
def tpch_cluster(folder: Path, note: Callable[[str], None]) -> Iterator[str]:
    """A loaded, analyzed database with primary keys only: yields its connection string."""
    with Cluster.temporary(find_binaries(), settings=SETTINGS) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create database tpch")
        dsn = cluster.dsn("tpch")
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("set auto_explain.log_min_duration = -1")
            _load(conn, folder, note)
            for extension in ("pg_stat_statements", "hypopg"):
                conn.execute(sql.SQL("create extension {}").format(sql.Identifier(extension)))
            conn.execute("select pg_stat_statements_reset()")
        yield dsn


def _load(
    conn: psycopg.Connection[tuple[object, ...]], folder: Path, note: Callable[[str], None]
) -> None:
    note(f"load {folder}")
    with conn.transaction():  # tables made in the transaction that fills them: no WAL, frozen
        conn.execute(_read("schema.sql"))
        for table in TABLES:
            copy_in = sql.SQL("copy {} from stdin (format csv, freeze)")
            with (
                conn.cursor().copy(copy_in.format(sql.Identifier(table))) as copy,
                (folder / f"{table}.csv").open("rb") as rows,
            ):
                while block := rows.read(_BLOCK):
                    copy.write(block)
    note("primary keys, vacuum, analyze")
    conn.execute(_read("primary_keys.sql"))
    conn.execute("vacuum (analyze)")
    conn.execute("checkpoint")


def _read(name: str) -> LiteralString:
    return (_HERE / name).read_text()
