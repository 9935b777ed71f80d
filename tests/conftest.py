"""A real PostgreSQL for every test: one cluster a session, one database a test."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from psycopg import sql

from pgadvisor.cluster import Binaries, Cluster, embedded_binaries, find_binaries
from pgadvisor.config import load_settings
from pgadvisor.store import Store, open_store

TARGET_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "pg_stat_statements.track": "all",
    # room for the whole session: an eviction would take the entries a test looks for
    "pg_stat_statements.max": "50000",
    "track_io_timing": "on",
    "compute_query_id": "on",
    "logging_collector": "on",
    "log_destination": "jsonlog,csvlog,stderr",
    "log_line_prefix": "%m [%p] %q%u@%d app=%a id=%Q ",
    "auto_explain.log_format": "json",
    "auto_explain.log_min_duration": "-1",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "log_timezone": "UTC",
    "max_connections": "60",
}


def target_settings(major: int) -> dict[str, str]:
    """TARGET_SETTINGS as far as a version knows them."""
    settings = dict(TARGET_SETTINGS)
    if major < 15:
        settings["log_destination"] = "csvlog,stderr"
    if major < 14:
        del settings["compute_query_id"]
    return settings


def pytest_report_header() -> str:
    binaries = find_binaries()
    return f"target: PostgreSQL {binaries.major} from {binaries.bin_dir}"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """What a test sets up for logging writes to a stream that is closed after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def target_cluster() -> Iterator[Cluster]:
    """PostgreSQL with contrib, pg_stat_statements and auto_explain preloaded."""
    binaries = find_binaries()
    with Cluster.temporary(binaries, settings=target_settings(binaries.major)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def hypopg(target_cluster: Cluster) -> None:
    """Asked for by tests that need HypoPG: scripts/setup installs it, scripts/matrix cannot."""
    if "hypopg" in target_cluster.binaries.extensions:
        return
    if os.environ.get("PGADVISOR_PG_BIN"):
        pytest.skip("no HypoPG beside the PostgreSQL that PGADVISOR_PG_BIN names")
    pytest.fail("HypoPG is missing; run scripts/setup")


@pytest.fixture(scope="session")
def store_cluster() -> Iterator[Cluster]:
    """The embedded wheel's PostgreSQL, or one with TimescaleDB where the environment names it.

    PGADVISOR_TEST_TIMESCALEDB_BIN is the bin folder of a PostgreSQL that has the extension: every
    store of the tests is then one of hypertables.
    """
    timescaledb = os.environ.get("PGADVISOR_TEST_TIMESCALEDB_BIN")
    if timescaledb is None:
        with Cluster.temporary(embedded_binaries()) as cluster:
            yield cluster
        return
    # no workers of its own: they would hold the template that each test's store is a copy of
    settings = {
        "shared_preload_libraries": "timescaledb",
        "timescaledb.max_background_workers": "0",
        "timescaledb.telemetry_level": "off",
    }
    with Cluster.temporary(Binaries.at(Path(timescaledb)), settings=settings) as cluster:
        with psycopg.connect(cluster.dsn("template1"), autocommit=True) as conn:
            conn.execute("create extension timescaledb")
        yield cluster


_numbers = iter(range(1_000_000))


def _new_database(cluster: Cluster, template: str | None = None) -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template or "template1")
            )
        )
    return name


def _drop_database(cluster: Cluster, name: str) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def target_dsn(target_cluster: Cluster) -> Iterator[str]:
    """A fresh database with pg_stat_statements, and hypopg where the server has it."""
    name = _new_database(target_cluster)
    with psycopg.connect(target_cluster.dsn(name), autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        if "hypopg" in target_cluster.binaries.extensions:
            conn.execute("create extension hypopg")
    yield target_cluster.dsn(name)
    _drop_database(target_cluster, name)


@pytest.fixture
def target_conn(target_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit superuser connection to a fresh database."""
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        yield conn


@pytest.fixture
def new_database(target_cluster: Cluster) -> Iterator[Callable[[], str]]:
    """A factory of empty databases on the target cluster: returns their DSNs."""
    names: list[str] = []

    def make() -> str:
        names.append(_new_database(target_cluster))
        return target_cluster.dsn(names[-1])

    yield make
    for name in names:
        _drop_database(target_cluster, name)


@pytest.fixture(scope="session")
def store_template(store_cluster: Cluster) -> str:
    """A database with the store's schema, copied for each test that wants one."""
    name = "store_template"
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database store_template")
    settings = load_settings(database_url=store_cluster.dsn(name))
    with open_store(settings, now=datetime.now(UTC), upgrade=True):
        pass
    return name


@pytest.fixture
def store_dsn(store_cluster: Cluster, store_template: str) -> Iterator[str]:
    """A fresh, migrated store."""
    name = _new_database(store_cluster, store_template)
    yield store_cluster.dsn(name)
    _drop_database(store_cluster, name)


@pytest.fixture
def store(store_dsn: str) -> Iterator[Store]:
    """The same, opened."""
    with open_store(load_settings(database_url=store_dsn), now=datetime.now(UTC)) as opened:
        yield opened
