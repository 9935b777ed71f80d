"""Each supported PostgreSQL for real: counters, resets, evictions, texts, catalog, activity, logs.

A version is looked for in `.postgres/<major>` (`scripts/matrix --get` brings it there) and then
among the installed ones with contrib. `scripts/matrix` runs the whole of the collector's tests.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Binaries, Cluster, installed_binaries
from pgadvisor.collect import queries
from pgadvisor.collect.activity import fetch_activity, fetch_running
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.checks import check
from pgadvisor.collect.explain import explain
from pgadvisor.collect.logs import read_log
from pgadvisor.collect.statements import fetch_statements, fetch_texts
from pgadvisor.collect.target import Target, connect
from pgadvisor.plans import parse_plan
from pgadvisor.records.check import CheckStatus
from pgadvisor.records.interval import interval_between
from pgadvisor.records.log import LogFormat, LogSource
from pgadvisor.records.statement import (
    COUNTER_NAMES,
    GapReason,
    Interval,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)
from pgadvisor.records.workload import PlanCapture
from pgadvisor.sql import fingerprint

Conn = psycopg.Connection[Any]

SQL = files("pgadvisor.collect").joinpath("sql")
PARAMETER = re.compile(r"%\(\w+\)[sb]")
MAJORS = (13, 14, 15, 16, 17, 18)
GOT = Path(__file__).parents[2] / ".postgres"
EXTENSION = {13: "1.8", 14: "1.9", 15: "1.10", 16: "1.10", 17: "1.11", 18: "1.12"}
#: what pg_stat_statements had not yet, by the first PostgreSQL that has it
SINCE = {
    15: {
        *("temp_blk_read_time", "temp_blk_write_time", "jit_functions", "jit_generation_time"),
        *("jit_inlining_time", "jit_optimization_time", "jit_emission_time"),
    },
    17: {"local_blk_read_time", "local_blk_write_time"},
    18: {"parallel_workers_to_launch", "parallel_workers_launched"},
}
#: names of 17 and newer by those before
OLDER_NAMES = {"shared_blk_read_time": "blk_read_time", "shared_blk_write_time": "blk_write_time"}
PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "pg_stat_statements.max": "100",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_planning": "on",
    "track_io_timing": "on",
    "logging_collector": "on",
    "log_timezone": "UTC",
    "log_line_prefix": PREFIX,
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
}

SETUP = """
create table orders (id int primary key, customer int, note text);
insert into orders select i, i % 300, repeat('x', 50) from generate_series(1, 20000) i;
create index by_customer on orders (customer);
create temporary table draft (a int);
analyze orders;
create function nested(c int) returns bigint language plpgsql as $$
begin return (select count(*) from orders where customer = c); end $$;
"""

#: touches each counter that a version has
WORKLOAD = (
    "select note from orders where customer = 5",
    "select note from orders where customer = 6",
    "select nested(7)",
    "update orders set note = note || 'y' where id <= 10",
    "set work_mem = '64kB'",
    "select count(*) from (select * from orders order by note, customer) as sorted",
    "reset work_mem",
    "insert into draft select generate_series(1, 2000)",
    "select count(*) from draft",
    "set jit_above_cost = 0",
    "select sum(customer) from orders",
    "set jit = off",
    "set parallel_setup_cost = 0",
    "set parallel_tuple_cost = 0",
    "set min_parallel_table_scan_size = 0",
    "select max(note) from orders",
    "reset all",
)
BY_CUSTOMER = "select note from orders where customer = $1"


@dataclass
class Version:
    """One version's server, with a session of the application and one of ours."""

    cluster: Cluster
    app: Conn
    target: Target

    @property
    def major(self) -> int:
        return self.cluster.binaries.major

    @cached_property
    def has_jit(self) -> bool:
        row = self.app.execute("select pg_jit_available()").fetchone()
        return self.major >= 15 and row == (True,)

    @property
    def formats(self) -> list[LogFormat]:
        return [one for one in LogFormat if one is not LogFormat.JSONLOG or self.major >= 15]

    def read(self) -> StatementSnapshot:
        return fetch_statements(self.target)

    def entry(self, snapshot: StatementSnapshot, query: str) -> StatementCounters:
        """The top-level entry of a normalized text."""
        texts = fetch_texts(self.target, snapshot.statements)
        wanted = {(text.dbid, text.queryid) for text in texts if text.query == query}
        (found,) = (
            entry
            for key, entry in snapshot.statements.items()
            if (key.dbid, key.queryid) in wanted and key.toplevel
        )
        return found


def binaries_of(major: int) -> Binaries | None:
    """A version on this machine, None where it is not."""
    if (GOT / str(major) / "bin").is_dir():
        return Binaries.at(GOT / str(major) / "bin")
    fitting = (one for one in installed_binaries() if one.has_contrib and one.major == major)
    return next(fitting, None)


def settings_of(major: int) -> dict[str, str]:
    formats = "csvlog,stderr" if major < 15 else "jsonlog,csvlog,stderr"
    query_id = {"compute_query_id": "on"} if major >= 14 else {}
    return {**SETTINGS, "log_destination": formats, **query_id}


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[int], Version]]:
    """Starts a version when a test first wants it; it runs until the last test is done."""
    found: dict[int, Version] = {}
    with ExitStack() as stack:

        def start(major: int) -> Version:
            if major not in found:
                binaries = binaries_of(major)
                if binaries is None:
                    pytest.skip(
                        f"PostgreSQL {major} is not on this machine: scripts/matrix --get {major}"
                    )
                cluster = Cluster.temporary(binaries, settings=settings_of(major))
                stack.enter_context(cluster)
                app = stack.enter_context(
                    psycopg.connect(cluster.dsn(), autocommit=True, prepare_threshold=None)
                )
                app.execute("create extension pg_stat_statements")
                app.execute(SETUP)
                target = stack.enter_context(connect(cluster.dsn()))
                found[major] = Version(cluster, app, target)
            return found[major]

        yield start


@pytest.fixture(params=MAJORS)
def version(request: pytest.FixtureRequest, started: Callable[[int], Version]) -> Version:
    found = started(request.param)
    found.app.execute("select pg_stat_statements_reset()")
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline


@contextmanager
def sleeping(version: Version) -> Iterator[None]:
    """A session that runs a statement meanwhile."""
    with psycopg.connect(version.cluster.dsn(), autocommit=True) as conn:

        def sleep() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled):
                conn.execute("select pg_sleep(60)")

        thread = threading.Thread(target=sleep)
        thread.start()
        yield
        conn.cancel_safe()
        thread.join()


def calls(interval: Interval, entry: StatementCounters) -> int:
    found = [delta.counters.calls for delta in interval.deltas if delta.key == entry.key]
    return sum(found)


def test_it_can_be_watched(version: Version) -> None:
    checks = {one.name: one for one in check(version.target)}

    assert checks["version"].status is CheckStatus.OK
    assert checks["pg-stat-statements"].status is CheckStatus.OK
    assert ("compute-query-id" in checks) is (version.major >= 14)
    assert version.read().extension_version == EXTENSION[version.major]


def test_counters_column_by_column(version: Version) -> None:
    for statement in WORKLOAD:
        version.app.execute(statement.encode())
    snapshot = version.read()
    shown = version.target.conn.execute("select * from pg_stat_statements(false)")
    columns = [column.name for column in shown.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in shown]
    missing = set().union(*(names for major, names in SINCE.items() if version.major < major))

    counted: set[str] = set()
    for row in rows:
        key = StatementKey(row["dbid"], row["userid"], row["queryid"], row.get("toplevel", True))
        entry = snapshot.statements[key]
        for name in COUNTER_NAMES:
            value = getattr(entry.counters, name)
            assert value == pytest.approx(_shown(row, name, missing)), name
            counted |= {name} if value else set()
        assert (entry.min_exec_time, entry.max_exec_time, entry.stats_since) == (
            *(row["min_exec_time"], row["max_exec_time"]),
            row.get("stats_since"),
        )

    assert len(rows) == len(snapshot.statements)
    assert (rows[0].get("stats_since") is not None) is (version.major >= 17)
    assert not counted & missing
    expected = {
        *("calls", "rows", "total_exec_time", "sum_squared_exec_time", "plans", "total_plan_time"),
        *("shared_blks_hit", "shared_blks_dirtied", "local_blks_hit", "local_blks_dirtied"),
        *("temp_blks_read", "temp_blks_written", "wal_records", "wal_bytes"),
        *(["temp_blk_write_time"] if version.major >= 15 else []),
        *(["jit_functions", "jit_generation_time"] if version.has_jit else []),
        *(["parallel_workers_to_launch"] if version.major >= 18 else []),
    }
    assert expected <= counted


def _shown(row: dict[str, Any], name: str, missing: set[str]) -> float:
    """A counter as this version's view shows it; what it lacks is zero."""
    if name == "sum_squared_exec_time":
        return float(row["calls"] * (row["stddev_exec_time"] ** 2 + row["mean_exec_time"] ** 2))
    if name in missing:
        assert name not in row
        return 0.0
    older = OLDER_NAMES.get(name, name)
    return float(row[name] if name in row else row[older])


def test_nested_statements(version: Version) -> None:
    version.app.execute("select nested(7)")
    snapshot = version.read()
    texts = fetch_texts(version.target, snapshot.statements)
    inside = next(text for text in texts if "where customer = c" in text.query)

    levels = {key.toplevel for key in snapshot.statements if key.queryid == inside.queryid}
    assert levels == {version.major < 14}  # 13 does not keep them apart


def test_calls_of_an_interval(version: Version) -> None:
    version.app.execute("select note from orders where customer = 5")
    before = version.read()
    for customer in range(4):
        version.app.execute(f"select note from orders where customer = {customer}".encode())
    after = version.read()

    entry = version.entry(after, BY_CUSTOMER)
    interval = interval_between(before, after)
    assert calls(interval, entry) == 4
    assert interval.gaps == ()


def test_a_reset_of_all(version: Version) -> None:
    for customer in range(4):
        version.app.execute(f"select note from orders where customer = {customer}".encode())
    before = version.read()
    version.app.execute("select pg_stat_statements_reset()")
    version.app.execute("select note from orders where customer = 1")
    after = version.read()

    interval = interval_between(before, after)
    assert calls(interval, version.entry(after, BY_CUSTOMER)) == 1
    # extension 1.8 only shows that most entries are gone
    assert {gap.reason for gap in interval.gaps} == {GapReason.RESET}


def test_an_evicted_entry_that_comes_back(version: Version) -> None:
    version.app.execute("select note from orders where customer = 1")
    before = version.read()
    old = version.entry(before, BY_CUSTOMER)
    while old.key in version.read().statements:
        for width in range(1, 300):  # constants do not count, their number does
            version.app.execute(("select " + ", ".join(["1"] * width)).encode())
    for customer in range(6):  # more than before: it overtakes itself
        version.app.execute(f"select note from orders where customer = {customer}".encode())
    after = version.read()

    new = version.entry(after, BY_CUSTOMER)
    interval = interval_between(before, after)
    reasons = {gap.reason for gap in interval.gaps}
    # extension 1.8 only shows that entries are gone: where it is most of them, as after a reset
    assert reasons in ({GapReason.EVICTION}, {GapReason.RESET})
    assert version.major < 14 or reasons == {GapReason.EVICTION}
    # 17 says since when it counts; before, a part of it may look like what was known
    assert calls(interval, new) in ({6} if version.major >= 17 else {5, 6})
    if version.major >= 17:
        assert old.stats_since is not None and new.stats_since is not None
        assert old.stats_since < new.stats_since


def test_texts(version: Version) -> None:
    version.app.execute("select note from orders where customer = 1 /* été */")
    snapshot = version.read()
    texts = fetch_texts(version.target, snapshot.statements)

    assert f"{BY_CUSTOMER} /* été */" in {text.query for text in texts}
    assert {text.queryid for text in texts} <= {key.queryid for key in snapshot.statements}


def test_every_statement_is_planned(version: Version) -> None:
    extension = _numbers(EXTENSION[version.major])
    for name in sorted({file.name.partition(".")[0] for file in SQL.iterdir()}):
        text = queries.load(name, server=version.major, extension=extension)
        if "hypopg" in text:
            continue
        bound = PARAMETER.sub("null", text).replace("{schema}", "public").replace("%%", "%")
        version.target.conn.execute(f"explain {bound}".encode())


def test_known_entries_are_looked_up_in_a_hash_table(version: Version) -> None:
    """Else the server would compare each entry with each that we know."""
    version.read()
    known = version.target.known_statements
    assert known is not None
    text = queries.load(
        "statements", server=version.major, extension=_numbers(EXTENSION[version.major])
    )
    plan = version.target.conn.execute(
        b"explain " + text.replace("{schema}", "public").encode(), known.parameters()
    ).fetchall()

    assert any("hashed SubPlan" in line for (line,) in plan)


def test_what_shares_a_queryid(version: Version) -> None:
    """PostgreSQL 18 tells tables apart by the name they go under, and takes any IN list for one."""
    version.app.execute("create temporary table invoices (id int)")
    for query in (
        "select a.id from orders as a",
        "select a.id from invoices as a",
        "select id from orders where customer in (1, 2)",
        "select id from orders where customer in (1, 2, 3)",
    ):
        version.app.execute(query.encode())
    version.app.execute("drop table invoices")
    snapshot = version.read()
    texts = [text.query for text in fetch_texts(version.target, snapshot.statements)]

    aliased = [text for text in texts if text.startswith("select a.id")]
    lists = [text for text in texts if text.startswith("select id from orders where customer in")]
    assert len(aliased) == len(lists) == (1 if version.major >= 18 else 2)
    assert len({fingerprint(text) for text in lists}) == 1


def test_versions_of_the_extension(version: Version) -> None:
    """A server that came by pg_upgrade keeps its extension until ALTER EXTENSION UPDATE."""
    available = version.app.execute(
        "select version from pg_available_extension_versions where name = 'pg_stat_statements'"
    ).fetchall()
    oldest = (1, 9) if version.major >= 14 else (1, 8)
    usable = [name for (name,) in available if _numbers(name) >= oldest]
    newest = version.read()
    version.app.execute("create database upgraded")
    try:
        with psycopg.connect(version.cluster.dsn("upgraded"), autocommit=True) as conn:
            for name in usable:
                conn.execute(f"create extension pg_stat_statements version '{name}'".encode())
                with connect(version.cluster.dsn("upgraded")) as target:
                    snapshot = fetch_statements(target)
                assert snapshot.extension_version == name
                assert newest.statements.keys() <= snapshot.statements.keys()
                conn.execute("drop extension pg_stat_statements")
    finally:
        version.app.execute("drop database upgraded with (force)")
    assert EXTENSION[version.major] in usable


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def test_catalog(version: Version) -> None:
    catalog = fetch_catalog(version.target)
    (orders,) = (table for table in catalog.tables.values() if table.name == "orders")

    assert orders.reltuples == 20000
    assert [column.name for column in orders.columns] == ["id", "customer", "note"]
    assert {index.name for index in catalog.indexes} == {"orders_pkey", "by_customer"}
    assert orders.columns[1].n_distinct is not None


def test_activity(version: Version) -> None:
    version.app.execute("select pg_sleep(0)")
    (sample,) = (one for one in fetch_activity(version.target) if one.state == "idle")
    assert sample.datname == "postgres"
    assert (sample.queryid is not None) is (version.major >= 14)

    seen: list[Any] = []

    def is_seen() -> bool:
        seen[:] = fetch_running(version.target, longer_than=timedelta(0))
        states = {one.state for one in fetch_activity(version.target)}
        return "active" in states and (bool(seen) or version.major < 14)

    with sleeping(version):
        until(is_seen)
    # before 14 nothing tells which statement a backend runs
    assert [one.query for one in seen] == (["select pg_sleep(60)"] if version.major >= 14 else [])


def test_a_generic_plan(version: Version) -> None:
    plan = explain(version.target, BY_CUSTOMER)["Plan"]

    assert parse_plan(plan).root.node_type in {"Bitmap Heap Scan", "Index Scan"}


@pytest.mark.parametrize("format_", list(LogFormat))
def test_a_plan_in_the_log(version: Version, format_: LogFormat) -> None:
    if format_ not in version.formats:
        pytest.skip("jsonlog came with PostgreSQL 15")
    source = LogSource(
        path=str(version.cluster.log_dir), format=format_, line_prefix=PREFIX, timezone="UTC"
    )
    query = f"select note from orders where customer = 5 and '{format_}' <> ''"
    version.app.execute("set auto_explain.log_min_duration = 0")
    version.app.execute(query.encode())
    version.app.execute("reset auto_explain.log_min_duration")
    version.app.execute("do $$ begin raise log 'next'; end $$")  # ends the entry in stderr
    captures: list[PlanCapture] = []
    position = None

    def is_logged() -> bool:
        nonlocal position
        batch = read_log(source, position)
        position = batch.position
        captures.extend(one for one in batch.captures if one.query == query)
        return bool(captures)

    until(is_logged)
    (capture,) = captures
    snapshot = version.read()
    entry = version.entry(snapshot, "select note from orders where customer = $1 and $2 <> $3")
    assert capture.database == "postgres"
    # PostgreSQL 13 writes none into the log: there the text joins the two
    assert capture.queryid == (entry.key.queryid if version.major >= 14 else None)
    plan = parse_plan(capture.plan).root
    assert plan.actual_rows is not None and plan.actual_rows > 60


def test_fractional_rows(version: Version) -> None:
    row = version.app.execute(
        "explain (analyze, format json) select * from (values (1), (100000)) as c (id),"
        " lateral (select * from orders where orders.id = c.id offset 0) as o"
    ).fetchone()
    assert row is not None
    inner = [node for node in parse_plan(row[0][0]).root.walk() if node.actual_loops == 2]

    # one row in two loops: 18 says so, those before round
    assert inner
    for node in inner:
        assert node.actual_rows is not None
        assert (node.actual_rows == 0.5) is (version.major >= 18)
        assert node.actual_rows.is_integer() is (version.major < 18)
