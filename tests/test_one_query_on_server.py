"""One query on a real server: with lists of any length, and in a database that is made anew."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster
from pgadvisor.collect.target import Target
from pgadvisor.config import load_settings
from pgadvisor.sql import fingerprint
from pgadvisor.store import Store
from pgadvisor.store.history import QuerySummary, find_query, list_queries, query_history

APP = "restored_app"
LIST = "select note from notes where id in ({})"


@pytest.fixture
def target(target_dsn: str) -> Iterator[Target]:
    with pipeline.connect_target(target_dsn, load_settings()) as connection:
        yield connection


@pytest.fixture
def make_database(target_cluster: Cluster) -> Iterator[Any]:
    """Makes the application's database, in place of the one before: what a restore does."""

    def make() -> str:
        with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
            name = sql.Identifier(APP)
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            conn.execute(sql.SQL("create database {}").format(name))
        with psycopg.connect(target_cluster.dsn(APP), autocommit=True) as conn:
            conn.execute("create table notes (id int primary key, note text)")
        return target_cluster.dsn(APP)

    yield make
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database if exists restored_app with (force)")


def now() -> datetime:
    return datetime.now(UTC)


def ask(dsn: str, *lengths: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for length in lengths:
            conn.execute(LIST.format(", ".join(map(str, range(length)))).encode())


def observe(target: Target, store: Store, target_id: int) -> None:
    pipeline.observe_server(target, store, target_id, now=now())
    pipeline.observe_statements(target, store, target_id, now=now())


def listed(store: Store) -> list[QuerySummary]:
    with store.transaction() as conn:
        return list_queries(
            conn, since=now() - timedelta(hours=1), until=now() + timedelta(minutes=1),
            database=APP, table="notes", limit=100,
        )  # fmt: skip


def test_a_query_is_one_through_lists_and_a_restore(
    target: Target, target_dsn: str, store: Store, make_database: Any
) -> None:
    dsn = make_database()
    target_id = pipeline.register_target(store, target, target_dsn, now=now())
    observe(target, store, target_id)
    ask(dsn, 1, 2, 3, 3)
    observe(target, store, target_id)
    (before,) = listed(store)
    # PostgreSQL 18 has one queryid for all of them
    assert len(before.queryids) == (1 if target.major >= 18 else 3)
    assert (before.calls, before.tables) == (4, ["notes"])
    assert before.fingerprint == fingerprint(LIST.format("1, 2, 3, 4, 5"))

    dsn = make_database()
    ask(dsn, 2, 7)
    observe(target, store, target_id)
    (after,) = listed(store)
    assert after.calls == 6
    assert set(before.queryids) < set(after.queryids)  # of other oids, so other queryids

    window = {"since": now() - timedelta(hours=1), "until": now() + timedelta(minutes=1)}
    with store.transaction() as conn:
        for queryid in after.queryids:
            found = find_query(conn, str(queryid), database=APP, **window)  # type: ignore[arg-type]
            assert (found.query_hash, found.calls) == (after.fingerprint, 6)
        points = query_history(conn, after, **window, bucket_seconds=60)
        names = conn.execute(
            """select count(*), count(*) filter (where is_current) from pgadvisor.databases
               where database_name = %s""",
            [APP],
        ).fetchone()
        rows = conn.execute(
            """select sum(calls), count(distinct queryid), count(distinct fingerprint)
               from pgadvisor.query_hours where database_name = %s and fingerprint = %s""",
            [APP, after.fingerprint],
        ).fetchone()
    assert sum(point.calls for point in points) == 6
    assert names == (2, 1)
    assert rows == (6, len(after.queryids), 1)
