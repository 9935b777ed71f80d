"""Targets as the collector meets them: well set up, bare, locked, with other roles."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.collect.target import Target, connect

NewRole = Callable[..., str]
Flush = Callable[[Callable[[], bool]], None]

_ACCESS = """\
local all needs_password scram-sha-256
local all shut_out reject
local all all trust
"""


@pytest.fixture
def target(target_dsn: str) -> Iterator[Target]:
    """A read-only connection of ours, as a superuser."""
    with connect(target_dsn) as target:
        yield target


@pytest.fixture
def new_role(target_conn: psycopg.Connection[Any], target_dsn: str) -> Iterator[NewRole]:
    """A factory of roles, members of the given ones: returns the DSN to connect as them."""
    made: list[str] = []

    def make(*memberships: str) -> str:
        name = f"role_{target_conn.info.dbname}_{len(made)}"
        role = sql.Identifier(name)
        target_conn.execute(sql.SQL("create role {} login").format(role))
        made.append(name)
        for membership in memberships:
            right: sql.Composable = sql.Identifier(membership)
            if membership == "pg_read_all_data" and target_conn.info.server_version < 140000:
                right = sql.SQL("select on all tables in schema public")
            target_conn.execute(sql.SQL("grant {} to {}").format(right, role))
        return make_conninfo(target_dsn, user=name)

    yield make
    for name in made:
        role = sql.Identifier(name)
        target_conn.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))


@pytest.fixture
def flush(target_conn: psycopg.Connection[Any]) -> Flush:
    """Lets others see what the session counted on tables; waits until the given condition holds."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while True:
            if target_conn.info.server_version >= 150000:
                target_conn.execute("select pg_stat_force_next_flush()")
            # before 15 a session sends its counters at the end of a statement, twice a second
            target_conn.execute("select 1")
            if holds():
                return
            assert time.monotonic() < deadline

    return wait


@pytest.fixture
def terminate(target_conn: psycopg.Connection[Any]) -> Callable[[int], None]:
    """Ends a backend and waits for its end."""

    def end(pid: int) -> None:
        target_conn.execute("select pg_terminate_backend(%s)", [pid])
        lives = "select from pg_stat_activity where pid = %s"
        deadline = time.monotonic() + 20
        while target_conn.execute(lives, [pid]).fetchone() is not None:
            assert time.monotonic() < deadline

    return end


@pytest.fixture(scope="session")
def bare_cluster() -> Iterator[Cluster]:
    """PostgreSQL with contrib and no library loaded; two roles that pg_hba.conf treats badly."""
    with Cluster.temporary(find_binaries()) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute(
                "set password_encryption = 'scram-sha-256';"
                "create role needs_password login password 'right';"
                "create role shut_out login;"
                "create role no_login;"
                "create role full login connection limit 0"
            )
        (cluster.data_dir / "pg_hba.conf").write_text(_ACCESS)
        cluster.restart()
        yield cluster


@pytest.fixture(scope="session", params=[16, 18])
def newer_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The embedded wheel's servers: newer, without contrib."""
    with Cluster.temporary(embedded_binaries(request.param)) as cluster:
        yield cluster
