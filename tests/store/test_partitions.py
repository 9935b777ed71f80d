"""Partitions are made when a row needs one and dropped when their time is over."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.made import NOON, entry, new_target, record, rows, value

from pgadvisor.store import Store
from pgadvisor.store.partitions import _next, _start, drop_partitions, ensure_partitions

pytestmark = pytest.mark.skipif(
    "PGADVISOR_TEST_TIMESCALEDB_BIN" in os.environ, reason="hypertables have no partitions"
)
NAMES = """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = %s::regclass order by 1"""
DAY = timedelta(days=1)


def partitions(store: Store, table: str) -> list[str]:
    return [name for (name,) in rows(store, NAMES, [table])]


def test_days_and_months_are_made_where_missing(store: Store) -> None:
    midnight = datetime(2026, 2, 28, tzinfo=UTC)
    instants = [midnight - timedelta(microseconds=1), midnight, midnight + DAY]
    with store.transaction() as conn:
        ensure_partitions(conn, "statement_deltas", instants)
        ensure_partitions(conn, "statement_deltas", instants)
        ensure_partitions(conn, "statement_hours", [*instants, datetime(2026, 12, 31, tzinfo=UTC)])
    assert partitions(store, "statement_deltas") == [
        f"statement_deltas_{day}" for day in ("20260227", "20260228", "20260301")
    ]
    assert partitions(store, "statement_hours") == [
        f"statement_hours_{month}" for month in ("20260201", "20260301", "20261201")
    ]


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9990, 1, 1)), st.booleans())
def test_an_instant_lies_in_its_partition(instant: datetime, is_day: bool) -> None:
    start = _start(instant, is_day=is_day)
    end = _next(start, is_day=is_day)
    assert start <= instant < end
    assert _start(end, is_day=is_day) == end


def test_two_workers_make_the_same_partition(store: Store) -> None:
    barrier = threading.Barrier(4)
    failures: list[Exception] = []

    def work(number: int) -> None:
        barrier.wait()
        try:
            with store.transaction() as conn:
                ensure_partitions(conn, "executions", [NOON, NOON + DAY])
        except Exception as exc:  # noqa: BLE001 - a thread's error is shown below
            failures.append(exc)

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(partitions(store, "executions")) == 2


@pytest.mark.parametrize(
    ("before", "left"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), ["20260301", "20260302"]),
        (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), ["20260301", "20260302"]),
        (datetime(2026, 3, 2, tzinfo=UTC), ["20260302"]),
        (datetime(2030, 1, 1, tzinfo=UTC), []),
    ],
)
def test_only_partitions_that_ended_are_dropped(
    store: Store, before: datetime, left: list[str]
) -> None:
    with store.transaction() as conn:
        ensure_partitions(conn, "statement_deltas", [NOON - DAY, NOON, NOON + DAY])
        dropped = drop_partitions(conn, "statement_deltas", before)
    assert partitions(store, "statement_deltas") == [f"statement_deltas_{day}" for day in left]
    assert len(dropped) == 3 - len(left)


def test_a_month_is_kept_until_it_ended(store: Store) -> None:
    with store.transaction() as conn:
        ensure_partitions(conn, "statement_hours", [datetime(2026, 2, 1, tzinfo=UTC)])
        assert drop_partitions(conn, "statement_hours", datetime(2026, 2, 28, tzinfo=UTC)) == []
        assert len(drop_partitions(conn, "statement_hours", datetime(2026, 3, 1, tzinfo=UTC))) == 1


def test_hours_stay_when_deltas_go_and_collecting_goes_on(store: Store) -> None:
    target = new_target(store)
    for day, calls in enumerate((10, 20, 40)):
        record(store, target, NOON + day * DAY, [entry(1, calls)])
    with store.transaction() as conn:
        drop_partitions(conn, "statement_deltas", NOON + 2 * DAY)
    record(store, target, NOON + 3 * DAY, [entry(1, 41)])
    assert value(store, "select sum(calls)::int from statement_deltas") == 21
    assert value(store, "select sum(calls)::int from statement_hours") == 31
