"""TimescaleDB, for real: hypertables made by migrate, compressed and dropped by maintain.

Needs a PostgreSQL that has the extension: PGADVISOR_TEST_TIMESCALEDB_BIN is its bin folder. With
it set, all tests of the store run on hypertables.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.store.made import HOUR, MINUTE, NOON, entry, new_target, record, rows, value

from pgadvisor.cluster import Cluster
from pgadvisor.config import load_settings
from pgadvisor.errors import SchemaOutdated
from pgadvisor.store import Store, migrate, open_store
from pgadvisor.store.retention import maintain

pytestmark = pytest.mark.skipif(
    "PGADVISOR_TEST_TIMESCALEDB_BIN" not in os.environ,
    reason="PGADVISOR_TEST_TIMESCALEDB_BIN names no PostgreSQL with TimescaleDB",
)
DAY = timedelta(days=1)
HYPERTABLES = """select hypertable_name, compression_enabled
                 from timescaledb_information.hypertables
                 order by 1"""
ALL = [("executions", True), ("statement_deltas", True), ("statement_hours", True)]
SHAPE = """
select 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
       || coalesce(' ' || col_description(attrelid, attnum), '')
from pg_attribute where attrelid = %(table)s::regclass and attnum > 0 and not attisdropped
union all
select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
where conrelid = %(table)s::regclass and contype <> 'n'
union all
select 'index ' || replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') from pg_index
where indrelid = %(table)s::regclass
union all
select 'comment ' || obj_description(%(table)s::regclass, 'pg_class')
union all
select 'right ' || relacl::text from pg_class where oid = %(table)s::regclass
order by 1"""


@pytest.fixture
def plain(store_cluster: Cluster) -> Iterator[str]:
    """A store of partitioned tables in a database without the extension, which has it at hand."""
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database plain template template0")
    yield store_cluster.dsn("plain")
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database plain with (force)")


def shape(dsn: str, table: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [line for (line,) in conn.execute(SHAPE.encode(), {"table": table}).fetchall()]


def fill(store: Store) -> int:
    target = new_target(store)
    for minute in range(4):
        entries = [entry(key, 10 + minute * key) for key in range(1, 6)]
        record(store, target, NOON + minute * 30 * MINUTE, entries)
    return target


def test_migrate_makes_hypertables_of_a_new_store(store: Store) -> None:
    assert rows(store, HYPERTABLES) == ALL
    assert rows(store, "select 1 from pg_partitioned_table") == []


def test_migrate_converts_a_store_with_its_rows_rights_and_views(plain: str) -> None:
    settings = load_settings(database_url=plain)
    tables = [name for name, _ in ALL]
    everything = "select * from {} order by 1, 2, 3"
    with open_store(settings, now=NOON, upgrade=True) as store:
        fill(store)
        with psycopg.connect(plain) as conn:
            conn.execute("create role reader_of_plain")
            conn.execute("grant select on statement_hours to reader_of_plain")
            conn.execute("grant usage on schema pgadvisor to reader_of_plain")
            conn.execute("grant select on all tables in schema pgadvisor to reader_of_plain")
        before = {name: shape(plain, name) for name in tables}
        kept = {name: rows(store, everything.format(name)) for name in tables}
        views = "select * from pgadvisor.query_hours order by hour, queryid"
        seen = rows(store, views)
        with psycopg.connect(plain) as conn:
            conn.execute("create extension timescaledb")
    with open_store(settings, now=NOON, upgrade=True) as store:
        assert rows(store, HYPERTABLES) == ALL
        assert {name: rows(store, everything.format(name)) for name in tables} == kept
        assert rows(store, views) == seen
        assert seen
    assert {name: shape(plain, name) for name in tables} == before
    with psycopg.connect(plain, autocommit=True) as conn:
        conn.execute("set role reader_of_plain")
        assert conn.execute("select count(*)::int from statement_hours").fetchone() == (10,)
        assert conn.execute(views.encode()).fetchall() == seen
        conn.execute("reset role")
        conn.execute("drop owned by reader_of_plain")
        conn.execute("drop role reader_of_plain")
        # and no more is done the next time
        with conn.transaction():
            assert migrate.apply(conn, now=NOON) == ()


def test_a_view_of_somebody_else_is_told(plain: str) -> None:
    settings = load_settings(database_url=plain)
    with open_store(settings, now=NOON, upgrade=True), psycopg.connect(plain) as conn:
        conn.execute("create extension timescaledb")
        conn.execute("create view mine as select count(*) from statement_hours")
    with (
        pytest.raises(SchemaOutdated, match="view mine") as caught,
        open_store(settings, now=NOON, upgrade=True),
    ):
        pass
    assert "Drop it" in caught.value.hint
    with open_store(settings, now=NOON, upgrade=False) as store:  # nothing was changed
        assert len(rows(store, "select 1 from pg_partitioned_table")) == 3


def test_chunks_that_ended_are_compressed_and_go_on_taking_rows(store: Store) -> None:
    target = fill(store)
    sums = "select sum(calls)::int, sum(total_exec_time), count(*)::int from {}"
    tables = ("statement_deltas", "statement_hours")
    before = [rows(store, sums.format(table)) for table in tables]
    settings = load_settings()
    assert maintain(store, settings, now=NOON + HOUR).compressed == []
    # first the day of deltas, then the thirty days of hours
    assert len(maintain(store, settings, now=NOON + 3 * DAY).compressed) == 1
    assert [rows(store, sums.format(table)) for table in tables] == before
    assert len(maintain(store, settings, now=NOON + 40 * DAY).compressed) == 1
    assert rows(store, sums.format("statement_hours")) == before[1]
    # an interval that ends in a compressed hour adds to it
    entries = [entry(key, 100 + 3 * key) for key in range(1, 6)]
    record(store, target, NOON + 100 * MINUTE, entries)
    added = value(store, "select sum(calls)::int from statement_hours")
    assert added == before[1][0][0] + sum(90 for _ in entries)


def test_chunks_past_their_time_are_dropped(store: Store) -> None:
    fill(store)
    settings = load_settings()
    end_of_day = datetime(2026, 3, 2, tzinfo=UTC)
    kept = maintain(store, settings, now=end_of_day + settings.raw_retention - MINUTE)
    assert kept.dropped == []
    gone = maintain(store, settings, now=end_of_day + settings.raw_retention)
    assert [name.split()[0] for name in gone.dropped] == ["statement_deltas"]
    assert value(store, "select count(*)::int from statement_deltas") == 0
    assert value(store, "select count(*)::int from statement_hours") == 10
    assert value(store, "select count(*)::int from statements") == 5
    gone = maintain(store, settings, now=NOON + settings.hourly_retention + 31 * DAY)
    assert [name.split()[0] for name in gone.dropped] == ["statement_hours"]
