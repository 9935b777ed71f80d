"""The demo's target: a private PostgreSQL with the shop in it, gone afterwards."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgadvisor.cluster import Binaries, Cluster, find_binaries
from pgadvisor.demo.shop import Progress, Shop, build_shop

__all__ = ["DATABASE", "DemoTarget", "demo_cluster", "target_settings"]

#: The name of the shop's database.
DATABASE = "shop"

# jsonlog came with 15; before, csvlog is what can be read without guessing
_JSONLOG_MAJOR = 15

# A small server of today as people set it, with the logging that operate.md asks for.
_SETTINGS: Mapping[str, str] = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_connections": "50",
    "max_wal_size": "2GB",
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_rotation_size": "32MB",
    # no replica: tables filled in the transaction that makes them need no WAL, so the build
    # takes less time
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Row counts and buffers, but no clock around every row. Medians at scale 1, against no
    # auto_explain at all: log_timing off 0 to 6 percent, log_timing on 10 to 110 percent
    # (customers_without_order), since every statement is timed, logged or not.
    "auto_explain.log_format": "json",
    "auto_explain.log_min_duration": "20ms",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_triggers": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_nested_statements": "on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTarget:
    """A running target with a built shop."""

    cluster: Cluster
    shop: Shop
    #: superuser connection string to the shop's database
    dsn: str
    has_hypopg: bool


def target_settings(major: int) -> Mapping[str, str]:
    """The server's settings for a major version.

    >>> target_settings(15)["log_destination"]
    'jsonlog'
    """
    destination = "jsonlog" if major >= _JSONLOG_MAJOR else "csvlog"
    return {**_SETTINGS, "log_destination": destination}


@contextmanager
def demo_cluster(
    *,
    scale: float = 1.0,
    binaries: Binaries | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Iterator[DemoTarget]:
    """A new cluster with the shop built in it; nothing of it is left on exit.

    The counters start at zero, so the build is not part of what is observed. Raises
    `ClusterFailed` where no PostgreSQL with contrib is installed, `Stopped` when `stop` is set.
    """
    binaries = binaries or find_binaries()
    if progress:
        progress(f"start PostgreSQL {binaries.major}", 0.0)
    with Cluster.temporary(binaries, settings=target_settings(binaries.major)) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        dsn = cluster.dsn(DATABASE)
        with psycopg.connect(dsn, autocommit=True, application_name="shop build") as conn:
            conn.execute("set auto_explain.log_min_duration = -1")
            shop = build_shop(conn, scale=scale, progress=progress, stop=stop)
            conn.execute("create extension pg_stat_statements")
            has_hypopg = "hypopg" in binaries.extensions
            if has_hypopg:
                conn.execute("create extension hypopg")
            conn.execute("select pg_stat_statements_reset()")
        yield DemoTarget(cluster=cluster, shop=shop, dsn=dsn, has_hypopg=has_hypopg)
