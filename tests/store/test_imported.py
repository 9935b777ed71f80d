"""Imported history in the tables of collected history, and once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.made import entry, record

from pgadvisor.records.imported import ImportedRow, ImportedStatement, Span
from pgadvisor.records.statement import Counters, Gap, GapReason
from pgadvisor.store import Store
from pgadvisor.store.coverage import Coverage
from pgadvisor.store.imported import (
    Recorded,
    import_target,
    imported_sources,
    left_out,
    made_queryid,
    record_history,
)
from pgadvisor.store.places import adopt_databases
from pgadvisor.store.targets import register_target, save_names

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=2)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
SELECT = ImportedStatement(
    database="shop", query="select $1", fingerprint="0a42922fab0bd73f", kind="select", tables=()
)
UPDATE = ImportedStatement(
    database="shop", queryid=-77, query="update t set a = $1", kind="update", tables=("t",),
    user="app",
)  # fmt: skip


@pytest.fixture
def target_id(store: Store) -> int:
    with store.transaction() as conn:
        return import_target(conn, "old", now=NOW)


def row(
    since: datetime,
    calls: int,
    *,
    statement: ImportedStatement = SELECT,
    length: timedelta = HOUR,
    **counters: Any,
) -> ImportedRow:
    return ImportedRow(
        since,
        since + length,
        statement,
        Counters(calls=calls, total_exec_time=calls * 2.5, **counters),
    )


def save(
    store: Store, target_id: int, rows: Sequence[ImportedRow], source: str = "csv a", **more: Any
) -> Recorded:
    with store.transaction() as conn:
        return record_history(
            conn, target_id, rows, source=source, **{"now": NOW, "raw_retention": WEEK, **more}
        )


def fetch(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.transaction() as conn:
        return conn.execute(query).fetchall()


def sums(store: Store) -> tuple[int, int, int]:
    """Calls by the three ways that they are stored."""
    found = fetch(
        store,
        """select (select coalesce(sum(calls), 0) from statement_hours)::int,
                  (select coalesce(sum(calls), 0) from statement_deltas)::int,
                  (select coalesce(sum(calls), 0) from database_intervals)::int""",
    )
    return found[0][0], found[0][1], found[0][2]


def test_rows_become_hours_deltas_loads_texts_and_spans(store: Store, target_id: int) -> None:
    rows = [row(NOON, 10, rows=4), row(NOON, 3, statement=UPDATE), row(NOON + HOUR, 7)]
    assert save(store, target_id, rows) == Recorded(rows=3, calls=20, total_exec_time=50.0)
    assert sums(store) == (20, 20, 20)
    assert fetch(
        store, "select hour, calls, rows, total_exec_time from statement_hours order by 1, 2"
    ) == [
        (NOON, 3, None, 7.5),
        (NOON, 10, 4, 25.0),
        (NOON + HOUR, 7, None, 17.5),
    ]
    assert fetch(store, "select dbid, since, until, rows_read, source from imported_spans") == [
        (-1, NOON, NOON + 2 * HOUR, 3, "csv a")
    ]
    assert fetch(
        store, "select queryid, identity, kind, tables, first_seen_at from queries order by 1"
    ) == [
        (-77, "queryid", "update", ["t"], NOON),
        (made_queryid("0a42922fab0bd73f"), "fingerprint", "select", [], NOON),
    ]
    assert fetch(store, "select userid, rolname from roles") == [(-1, "app")]
    assert fetch(store, "select userid from statements order by userid") == [(-1,), (0,)]
    assert fetch(store, "select dbid, datname from databases") == [(-1, "shop")]
    assert fetch(store, "select kind, conninfo from targets") == [("import", "")]


def test_only_hours_are_kept_of_what_is_older_than_raw_history(
    store: Store, target_id: int
) -> None:
    old = NOW - 30 * timedelta(days=1)
    save(store, target_id, [row(old.replace(minute=0), 5), row(NOON, 6)])
    assert sums(store) == (11, 6, 11)


def test_nothing_is_counted_twice(store: Store, target_id: int) -> None:
    rows = [row(NOON + number * HOUR, number + 1) for number in range(5)]
    save(store, target_id, rows[:3])
    assert save(store, target_id, rows[:3]).overlapping == 3
    # the same source goes on, another one fills in what is free
    again = save(store, target_id, rows)
    assert (again.rows, again.overlapping) == (2, 3)
    other = save(store, target_id, [row(NOON + HOUR / 2, 9), row(NOON + 5 * HOUR, 9)], "csv b")
    assert (other.rows, other.overlapping) == (1, 1)
    assert sums(store) == (24, 24, 24)
    assert fetch(
        store, "select since, until, source, rows_read from imported_spans order by 1"
    ) == [
        (NOON, NOON + 5 * HOUR, "csv a", 5),
        (NOON + 5 * HOUR, NOON + 6 * HOUR, "csv b", 1),
    ]


def test_a_row_that_began_before_the_last_piece_ended_belongs_to_the_next(
    store: Store, target_id: int
) -> None:
    # a statement that was not shown for a while: its span reaches back into what is covered
    save(store, target_id, [row(NOON, 1), row(NOON + HOUR, 2)])
    late = row(NOON, 40, statement=UPDATE, length=3 * HOUR)
    saved = save(store, target_id, [late, row(NOON + 2 * HOUR, 3)])
    assert saved.overlapping == 0
    assert sums(store)[0] == 46
    assert fetch(store, "select since, until, statements from database_intervals order by until")[
        -1
    ] == (NOON + 2 * HOUR, NOON + 3 * HOUR, 2)
    assert save(store, target_id, [late]).overlapping == 1


def test_what_was_collected_live_is_left_out(store: Store) -> None:
    with store.transaction() as conn:
        target_id = register_target(conn, "shop:5432", "host=shop", now=NOON)
        save_names(conn, target_id, databases={16384: "shop"}, roles={10: "app"}, now=NOON)
        assert import_target(conn, "shop:5432", now=NOW) == target_id
    record(store, target_id, NOON, [entry(1, 10)])
    record(store, target_id, NOON + timedelta(minutes=30), [entry(1, 15)])
    rows = [
        row(NOON - HOUR, 1, statement=UPDATE),
        row(NOON, 2, statement=UPDATE),
        row(NOON + HOUR, 4, statement=UPDATE),
    ]
    saved = save(store, target_id, rows)
    assert (saved.rows, saved.overlapping) == (2, 1)
    assert sums(store)[0] == 5 + 5
    assert fetch(store, "select distinct dbid from statements") == [(16384,)]
    assert fetch(store, "select distinct userid from statements order by 1") == [(10,)]
    assert fetch(store, "select kind from targets") == [("server",)]
    spans = fetch(store, "select since, until from imported_spans order by 1")
    assert spans == [(NOON - HOUR, NOON), (NOON + HOUR, NOON + 2 * HOUR)]


def test_hours_whose_snapshots_are_deleted_are_still_live(store: Store) -> None:
    with store.transaction() as conn:
        target_id = register_target(conn, "shop:5432", "host=shop", now=NOON)
        save_names(conn, target_id, databases={16384: "shop"}, roles={}, now=NOON)
    record(store, target_id, NOON, [entry(1, 10)])
    record(store, target_id, NOON + timedelta(minutes=30), [entry(1, 15)])
    with store.transaction() as conn:
        conn.execute("delete from snapshots")
    saved = save(store, target_id, [row(NOON - HOUR, 1), row(NOON, 2), row(NOON + HOUR, 4)])
    assert (saved.rows, saved.overlapping) == (2, 1)


def test_observed_time_without_rows_is_covered(store: Store, target_id: int) -> None:
    covered = {"shop": [Span(NOON, NOON + 3 * HOUR)], "crm": [Span(NOON, NOON + HOUR)]}
    save(store, target_id, [row(NOON, 0), row(NOON + HOUR, 5)], covered=covered)
    spans = fetch(
        store,
        """select d.datname, i.since, i.until, i.rows_read
           from imported_spans i join databases d using (target_id, dbid) order by 1""",
    )
    assert spans == [("crm", NOON, NOON + HOUR, 0), ("shop", NOON, NOON + 3 * HOUR, 2)]
    assert fetch(store, "select count(*) from statement_hours") == [(1,)]


def test_a_span_over_hours_is_divided_and_adds_up(store: Store, target_id: int) -> None:
    start = NOON + timedelta(minutes=45)
    save(store, target_id, [row(start, 7, length=timedelta(hours=2), rows=9, wal_bytes=2**60 + 1)])
    assert fetch(
        store,
        "select sum(calls), sum(rows), sum(wal_bytes), sum(total_exec_time) from statement_hours",
    ) == [(7, 9, 2**60 + 1, 17.5)]
    assert fetch(store, "select hour, calls from statement_hours order by 1") == [
        (NOON, 1), (NOON + HOUR, 3), (NOON + 2 * HOUR, 3),
    ]  # fmt: skip


def test_a_caller_that_sees_to_it_itself_may_add_to_a_minute(store: Store, target_id: int) -> None:
    minute = timedelta(minutes=1)
    rows = [row(NOON, 2, length=minute)]
    for _ in range(2):
        assert save(store, target_id, rows, "log x", is_once=True).overlapping == 0
    assert sums(store) == (4, 4, 4)
    assert fetch(store, "select count(*) from database_intervals") == [(1,)]
    assert fetch(store, "select since, until from imported_spans") == [(NOON, NOON + minute)]
    assert save(store, target_id, rows, "log y", is_once=True).overlapping == 1


def test_gaps_are_saved_once(store: Store, target_id: int) -> None:
    gap = Gap(since=NOON, until=NOON + HOUR, reason=GapReason.RESET, statements=3)
    for _ in range(2):
        save(store, target_id, [row(NOON, 2)], gaps=[gap])
    assert fetch(store, "select reason, statements from gaps") == [("reset", 3)]


def test_an_oid_of_another_server_is_not_taken(store: Store) -> None:
    with store.transaction() as conn:
        target_id = register_target(conn, "new:5432", "host=new", now=NOON)
        save_names(conn, target_id, databases={16384: "crm"}, roles={}, now=NOON)

    def statement(database: str, dbid: int | None) -> ImportedStatement:
        return ImportedStatement(database=database, dbid=dbid, queryid=5)

    rows = [
        row(NOON, 1, statement=statement("shop", 16384)),
        row(NOON, 2, statement=statement("16384", 16384)),
        row(NOON, 4, statement=statement("hr", 16399)),
    ]
    save(store, target_id, rows)
    assert fetch(
        store,
        """select d.datname, d.dbid, h.calls from statement_hours h
           join statements s on s.id = h.statement_id
           join databases d on d.target_id = s.target_id and d.dbid = s.dbid order by 3""",
    ) == [("shop", -1, 1), ("crm", 16384, 2), ("hr", 16399, 4)]
    # under whatever name: the time of that database is covered
    assert save(store, target_id, rows[1:2]).overlapping == 1
    assert save(store, target_id, [row(NOON, 2, statement=statement("crm", None))], "b").overlapping


def test_a_database_gets_the_oid_that_its_server_tells_later(store: Store, target_id: int) -> None:
    save(store, target_id, [row(NOON, 10), row(NOON, 3, statement=UPDATE)])
    with store.transaction() as conn:
        save_names(conn, target_id, databases={16384: "shop", 5: "postgres"}, roles={}, now=NOW)
        adopt_databases(conn, target_id)
        adopt_databases(conn, target_id)
    for table in ("statements", "queries", "database_intervals", "imported_spans"):
        assert fetch(store, f"select distinct dbid from {table}") == [(16384,)]
    assert fetch(store, "select dbid from databases order by 1") == [(5,), (16384,)]
    assert save(store, target_id, [row(NOON, 10)]).overlapping == 1


def test_texts_that_are_known_stay(store: Store, target_id: int) -> None:
    hidden = ImportedStatement(database="shop", queryid=5)
    shown = ImportedStatement(database="shop", queryid=5, query="select 5", kind="select")
    other = ImportedStatement(database="shop", queryid=5, query="select 6", kind="select")
    for number, one in enumerate((hidden, shown, other)):
        save(store, target_id, [row(NOON - number * HOUR, 1, statement=one)])
    assert fetch(store, "select query, kind, first_seen_at from queries") == [
        ("select 5", "select", NOON - 2 * HOUR)
    ]


def test_a_dry_run_changes_nothing(store: Store, target_id: int) -> None:
    rows = [row(NOON, 10), row(NOON + HOUR, 5)]
    save(store, target_id, rows[:1])
    with store.transaction() as conn:
        assert left_out(conn, "old", rows, source="b", now=NOW) == Recorded(
            rows=1, calls=5, total_exec_time=12.5, overlapping=1
        )
        assert left_out(conn, "none", rows, source="b", now=NOW).rows == 2
        assert imported_sources(conn, "old") == ["csv a"]
    assert fetch(store, "select count(*) from databases") == [(1,)]


def test_a_failed_piece_leaves_nothing(store: Store, target_id: int) -> None:
    bad = row(NOON, 5, statement=ImportedStatement(database="shop", query="zero \0 byte"))
    with pytest.raises(psycopg.DataError):
        save(store, target_id, [row(NOON, 1), bad])
    assert sums(store) == (0, 0, 0)
    assert not fetch(store, "select 1 from imported_spans")


spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8)).map(
        lambda pair: Span(NOON + pair[0] * HOUR, NOON + sum(pair) * HOUR)
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=spans, second=spans, asked=spans)
def test_what_is_free_is_what_nothing_covers(
    first: list[Span], second: list[Span], asked: list[Span]
) -> None:
    def hours(of: list[Span]) -> set[datetime]:
        return {
            since + number * HOUR
            for since, until in of
            for number in range(int((until - since) / HOUR))
        }

    coverage = Coverage({"": first, "a": second})
    free = coverage.without(asked)
    assert hours(free) == hours(asked) - hours(first) - hours(second)
    assert sum(len(hours([one])) for one in free) == len(hours(free))
    for span in asked:
        assert coverage.has(span, "b") == bool(hours([span]) & (hours(first) | hours(second)))
        ends = any(one.since < span.until <= one.until for one in second)
        assert coverage.has(span, "a") == (ends or bool(hours([span]) & hours(first)))
