"""The views of the schema pgadvisor: what they say of a store whose contents are known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow, dict_row
from tests.store.made import (
    APP,
    BATCH,
    HOUR,
    MINUTE,
    NOON,
    OTHER,
    SHOP,
    entry,
    new_target,
    record,
    rows,
)

from pgadvisor.cluster import Cluster
from pgadvisor.config import load_settings
from pgadvisor.records.catalog import Catalog, Column, Index, Table
from pgadvisor.records.log import Execution
from pgadvisor.records.server import Setting
from pgadvisor.records.statement import COUNTER_NAMES, QueryId, StatementKey, StatementText
from pgadvisor.store import Store, migrate, open_store
from pgadvisor.store.catalog import save_catalog, save_settings
from pgadvisor.store.executions import save_executions
from pgadvisor.store.texts import save_texts

FILE = Path(migrate.__file__).parent / "migrations" / "007_views.sql"
VIEWS = """select relname from pg_class
           where relnamespace = 'pgadvisor'::regnamespace and relkind = 'v' order by 1"""


@pytest.fixture
def target(store: Store) -> int:
    """Two readings an hour apart: two roles, a nested statement, one of ours, two databases."""
    made = new_target(store)
    texts = {1: "select * from a.t", 2: "/* pgadvisor */ select 1", 3: "vacuum t"}
    with store.transaction() as conn:
        save_texts(
            conn,
            made,
            [StatementText(dbid=SHOP, queryid=QueryId(n), query=q) for n, q in texts.items()],
            [StatementKey(SHOP, APP, QueryId(n), True) for n in texts],
            now=NOON,
        )
    first = [
        entry(1, 1), entry(1, 1, userid=BATCH), entry(2, 1), entry(3, 1),
        entry(4, 1, toplevel=False), entry(1, 1, dbid=OTHER),
    ]  # fmt: skip
    record(store, made, NOON, first)
    then = [
        entry(1, 11, shared_blks_hit=7), entry(1, 31, userid=BATCH), entry(2, 1), entry(3, 11),
        entry(4, 6, toplevel=False), entry(1, 101, dbid=OTHER),
    ]  # fmt: skip
    record(store, made, NOON + HOUR, then)
    return made


def view(store: Store, query: str) -> list[dict[str, Any]]:
    with store.transaction() as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def test_every_view_can_be_read(store: Store, target: int) -> None:
    names = [name for (name,) in rows(store, VIEWS)]
    assert len(names) >= 20
    for name in names:
        rows(store, f"select * from pgadvisor.{name}")


def test_hours_of_queries_are_whole_numbers_with_their_share(store: Store, target: int) -> None:
    found = view(
        store,
        "select * from pgadvisor.query_hours where database_name = 'shop' order by queryid",
    )
    assert [(one["queryid"], one["calls"], one["toplevel"]) for one in found] == [
        (1, 40, True),
        (3, 10, True),
        (4, 5, False),
    ]
    assert [one["share_ratio"] for one in found] == [0.8, 0.2, 0.1]  # nested: within its caller's
    assert found[0]["hour"] == NOON
    assert (found[0]["shared_blks_hit"], found[0]["mean_exec_time"]) == (7, 2.0)
    counters = [n for n in COUNTER_NAMES if n != "sum_squared_exec_time"]
    assert all(one[name] is not None for one in found for name in counters)
    assert found[0]["fingerprint"] and found[2]["fingerprint"] is None


def test_intervals_and_hours_say_the_same(store: Store, target: int) -> None:
    found = view(
        store,
        """select queryid, username, toplevel, calls, wal_bytes, seconds
           from pgadvisor.query_intervals where database_name = 'shop' order by 1, 2""",
    )
    assert [tuple(one.values()) for one in found] == [
        (1, "app", True, 10, 0, 3600.0),
        (1, "batch", True, 30, 0, 3600.0),
        (3, "app", True, 10, 0, 3600.0),
        (4, "app", False, 5, 0, 3600.0),
    ]
    sums = "select database_name, sum(calls) from pgadvisor.{} where toplevel group by 1 order by 1"
    assert rows(store, sums.format("query_hours")) == rows(store, sums.format("query_intervals"))


def test_the_load_of_databases(store: Store, target: int) -> None:
    load = "select database_name, calls, average_active_sessions from pgadvisor.database_load"
    assert rows(store, f"{load} where database_name = 'other'") == [("other", 100, 0.2 / 3600)]
    hours = "select hour, calls from pgadvisor.database_hours where database_name = 'other'"
    assert rows(store, hours) == [(NOON, 100)]
    seconds = rows(store, "select hour, covered_seconds, source from pgadvisor.coverage_hours")
    assert seconds == [(NOON, 3600.0, "collected")]


def test_queries_are_one_row_each_without_ours(store: Store, target: int) -> None:
    found = view(store, "select * from pgadvisor.queries order by queryids")
    assert [(one["queryids"], one["kind"], one["is_utility"], one["tables"]) for one in found] == [
        ([1], "select", False, ["a.t"]),
        ([3], "utility", True, ["t"]),
    ]
    assert found[0]["last_hour"] == NOON


def test_targets_with_their_role_and_circuit(store: Store) -> None:
    for name in ("primary", "replica", "sick", "ill"):
        new_target(store, name)
    with store.transaction() as conn:
        conn.execute(
            """update targets set system_identifier = '7', server_version_num = 170004,
                   in_recovery = (name = 'replica') where name in ('primary', 'replica')"""
        )
        conn.execute(
            """update targets set failures = 9, retry_at = now() + case name when 'sick' then
                   interval '1 hour' else interval '-1 hour' end where name in ('sick', 'ill')"""
        )
    found = rows(
        store,
        """select target, role, primary_target, server_version, circuit
           from pgadvisor.targets order by target_id""",
    )
    assert found == [
        ("primary", "primary", None, "17.4", "closed"),
        ("replica", "replica", "primary", "17.4", "closed"),
        ("sick", None, None, None, "open"),
        ("ill", None, None, None, "half-open"),
    ]


def test_a_sample_is_never_added_to_the_whole(store: Store, target: int) -> None:
    def run(duration: float, **sampling: Any) -> Execution:
        return Execution(
            logged_at=NOON + MINUTE, database="shop", query="select 1", fingerprint="0" * 16,
            duration_ms=duration, **sampling,
        )  # fmt: skip

    with store.transaction() as conn:
        whole = [run(n, threshold_ms=0.0, sample_rate=1.0) for n in (1.0, 3.0)]
        slow = [run(n, threshold_ms=50.0, sample_rate=1.0) for n in (60.0, 80.0)]
        some = [run(n, threshold_ms=0.0, sample_rate=0.1) for n in (5.0, 7.0)]
        save_executions(conn, target, [*whole, *slow, *some, run(9.0)])
    found = rows(
        store,
        """select is_whole, threshold_ms, sample_rate, executions, estimated_executions,
               mean_duration_ms, hour from pgadvisor.execution_stats order by mean_duration_ms""",
    )
    assert [row[:6] for row in found] == [
        (True, 0.0, 1.0, 2, 2.0, 2.0),
        (False, 0.0, 0.1, 2, 20.0, 6.0),
        (False, None, None, 1, None, 9.0),
        (False, 50.0, 1.0, 2, 2.0, 70.0),
    ]
    assert {row[6] for row in found} == {NOON}


def table(written: int, size: int, **more: Any) -> Table:
    return Table(
        oid=7, schema="s", name="t", relkind="r", owner="o", reltuples=1.0, relpages=1,
        total_bytes=size, table_bytes=size, n_tup_ins=written,
        **{"columns": (Column(attnum=1, name="a", type_name="integer", not_null=True),), **more},
    )  # fmt: skip


def index(scans: int) -> Index:
    return Index(
        oid=8, table_oid=7, schema="s", name="t_a_idx", access_method="btree", key_columns=("a",),
        total_bytes=8192, idx_scan=scans,
    )  # fmt: skip


def catalogs(store: Store, target: int, *found: tuple[datetime, Table | None, int | None]) -> None:
    for at, one, scans in found:
        catalog = Catalog(
            captured_at=at,
            database="shop",
            dbid=SHOP,
            tables={7: one} if one else {},
            indexes=() if scans is None else (index(scans),),
        )
        with store.transaction() as conn:
            save_catalog(conn, target, catalog)


def test_tables_and_indexes_as_rates_between_readings(store: Store, target: int) -> None:
    catalogs(
        store,
        target,
        (NOON, table(100, 8192), 5),
        (NOON + 10 * MINUTE, table(700, 16384), 605),
        (NOON + 20 * MINUTE, table(5, 16384), 3),  # the statistics were reset
    )
    tables = rows(
        store,
        """select schema_name, table_name, seconds, grown_bytes, n_tup_ins_per_second,
               n_tup_upd_per_second from pgadvisor.table_statistics order by until""",
    )
    assert tables == [("s", "t", 600.0, 8192, 1.0, 0.0), ("s", "t", 600.0, 0, None, None)]
    indexes = rows(
        store,
        """select table_name, index_name, idx_scan_per_second
           from pgadvisor.index_statistics order by until""",
    )
    assert indexes == [("t", "t_a_idx", 1.0), ("t", "t_a_idx", None)]


def test_changes_of_the_catalog_without_its_first_reading(store: Store, target: int) -> None:
    wider = replace(table(1, 1), relkind="p")
    catalogs(
        store,
        target,
        (NOON, table(1, 1), None),
        (NOON + HOUR, table(1, 1), 0),
        (NOON + 2 * HOUR, wider, 0),
        (NOON + 3 * HOUR, wider, None),
    )
    found = rows(
        store,
        """select changed_at, change, kind, object, definition ->> 'relkind',
               previous_definition ->> 'relkind' from pgadvisor.catalog_changes order by 1""",
    )
    assert found == [
        (NOON + HOUR, "created", "index", "s.t_a_idx", None, None),
        (NOON + 2 * HOUR, "changed", "table", "s.t", "p", "r"),
        (NOON + 3 * HOUR, "dropped", "index", "s.t_a_idx", None, None),
    ]


def test_changes_of_settings(store: Store, target: int) -> None:
    for at, value in ((NOON, "4MB"), (NOON + HOUR, "8MB")):
        setting = Setting(name="work_mem", setting=value, unit=None, source="configuration file")
        with store.transaction() as conn:
            save_settings(conn, target, [setting], now=at)
    assert rows(
        store,
        "select name, changed_at, previous_setting, setting, held from pgadvisor.settings_changes",
    ) == [("work_mem", NOON + HOUR, "4MB", "8MB", HOUR)]


def test_data_quality_by_day(store: Store, target: int) -> None:
    record(store, target, NOON + 2 * HOUR, [entry(1, 1)], stats_reset=NOON + 90 * MINUTE)
    record(store, target, NOON + 3 * HOUR, [entry(1, 2)], stats_reset=NOON + 90 * MINUTE, dealloc=4)
    found = rows(
        store, "select item, day, count, seconds from pgadvisor.data_quality order by item"
    )
    day = NOON - 12 * HOUR
    assert found == [
        ("evictions", day, 4, None),
        ("gap-eviction", day, 1, 3600.0),
        ("gap-reset", day, 1, 1800.0),
    ]


def test_the_views_can_be_made_again(store: Store, target: int) -> None:
    """A conversion of a table drops the views and runs the file once more."""
    names = rows(store, VIEWS)
    with store.transaction() as conn:
        conn.execute("drop schema pgadvisor cascade")
        for _ in range(2):
            conn.execute(FILE.read_bytes())
    assert rows(store, VIEWS) == names


@pytest.fixture
def own_role_dsn(store_cluster: Cluster) -> Iterator[str]:
    """A database whose owner has the name of the schema of the views."""
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create role pgadvisor login")
        conn.execute("create database own_role owner pgadvisor")
    yield store_cluster.dsn("own_role", user="pgadvisor")
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database own_role with (force)")
        conn.execute("drop role pgadvisor")


def test_a_role_of_the_same_name_reads_and_writes_the_tables(own_role_dsn: str) -> None:
    """`"$user"` in its search_path finds the views before the tables."""
    settings = load_settings(database_url=own_role_dsn)
    for upgrade in (True, None):
        with open_store(settings, now=datetime.now(UTC), upgrade=upgrade) as store:
            made = new_target(store, f"shop {upgrade}")
            record(store, made, NOON, [entry(1, 1)])
            record(store, made, NOON + MINUTE, [entry(1, 5)])
    with psycopg.connect(own_role_dsn) as conn:
        views = _count(conn, "select count(*) from query_intervals")
        elsewhere = _count(
            conn,
            """select count(*) from pg_class
               where relnamespace = 'pgadvisor'::regnamespace and relkind <> 'v'""",
        )
    assert (views, elsewhere) == (2, 0)


def _count(conn: psycopg.Connection[TupleRow], query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_chart_of_one_query_reads_the_hours_of_that_query_alone(
    store: Store, target: int
) -> None:
    """The filter reaches the tables below the view's GROUP BY, and the share is not computed."""
    query = sql.SQL(
        """explain select hour, sum(calls) from pgadvisor.query_hours
           where target_id = 1 and queryid = 1 and hour >= {} group by hour"""
    ).format(sql.Literal(NOON - HOUR))
    with store.transaction() as conn:
        conn.execute("set local enable_seqscan = off")
        plan = "\n".join(line for (line,) in conn.execute(query))
    assert "Subquery Scan" not in plan or "Filter: (queryid" not in plan
    assert plan.count("statement_hours") <= 2
    assert "whole" not in plan
