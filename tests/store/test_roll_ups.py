"""Hours equal their deltas, whatever spans an interval."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.made import HOUR, NOON, entry, new_target, record, rows

from pgadvisor.records.statement import StatementCounters
from pgadvisor.store import Store
from pgadvisor.store.roll_ups import hours_of

_instants = st.datetimes(
    datetime(2026, 1, 30), datetime(2026, 3, 2), timezones=st.just(UTC)
)  # over the ends of two months
_spans = st.one_of(
    st.timedeltas(timedelta(milliseconds=1), timedelta(minutes=5)),
    st.timedeltas(timedelta(milliseconds=1), timedelta(hours=50)),
    st.sampled_from([HOUR, 2 * HOUR, timedelta(days=1)]),
)


@settings(deadline=None)
@given(since=_instants, span=_spans)
def test_hours_are_whole_in_order_and_end_with_the_span(since: datetime, span: timedelta) -> None:
    hours = hours_of(since, since + span)
    starts = [start for start, _ in hours]
    shares = [share for _, share in hours]
    if span <= 12 * HOUR:
        assert starts == [starts[0] + number * HOUR for number in range(len(hours))]
        assert starts[0] <= since < starts[0] + HOUR
    else:  # a part is in the hour in which it ends
        assert len(hours) == 12
        assert all(
            start < since + share * span <= start + HOUR + timedelta(microseconds=1)
            for start, share in hours
        )
    assert starts == sorted(set(starts))
    assert starts[-1] < since + span <= starts[-1] + HOUR
    assert shares[-1] == 1.0
    assert all(a < b for a, b in zip([0.0, *shares], shares, strict=False))


@settings(deadline=None)
@given(since=_instants, span=_spans)
def test_hours_are_those_of_utc_in_every_zone(since: datetime, span: timedelta) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert hours_of(since.astimezone(india), (since + span).astimezone(india)) == hours_of(
        since, since + span
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(_spans, st.integers(0, 1000), st.sampled_from([0.001, 2.0, 1e7 / 3])),
        min_size=1,
        max_size=4,
    ),
    since=_instants,
)
def test_hours_equal_deltas(
    store: Store, since: datetime, steps: list[tuple[timedelta, int, float]]
) -> None:
    target = new_target(store, f"{since} {steps}")
    at, calls, total = since, 1, 1.0
    record(store, target, at, [made(calls, total)])
    for span, more, each_ms in steps:
        at, calls, total = at + span, calls + more, total + more * each_ms
        record(store, target, at, [made(calls, total)])
    sums = "select sum(calls)::int, sum(plans)::int, sum(rows)::int, sum(total_exec_time)"
    found = rows(store, f"{sums} from statement_deltas where target_id = %s", [target])[0]
    hours = rows(store, f"{sums} from statement_hours where target_id = %s", [target])[0]
    assert hours[:3] == found[:3]
    assert (hours[3] or 0.0) == pytest.approx(found[3] or 0.0, rel=1e-9)
    outside = rows(
        store,
        """select hour from statement_hours where target_id = %s
           and (hour + interval '1 hour' <= %s or hour >= %s
                or hour <> date_trunc('hour', hour, 'UTC') or calls < 0)""",
        [target, since, at],
    )
    assert outside == []
    covered = rows(
        store,
        """select (select sum(covered_seconds) from target_hours where target_id = %s),
                  (select sum(extract(epoch from captured_at - since))::float8
                   from snapshots where target_id = %s)""",
        [target, target],
    )
    assert covered[0][0] == pytest.approx(covered[0][1], rel=1e-9)


def made(calls: int, total: float) -> StatementCounters:
    one = entry(1, calls, plans=2 * calls)
    return replace(one, counters=one.counters._replace(total_exec_time=total))


def test_an_interval_over_an_hour_is_divided_in_proportion(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON + timedelta(minutes=45), [entry(1, 0, plans=1)])
    record(store, target, NOON + timedelta(minutes=105), [entry(1, 8, plans=1)])
    hours = rows(store, "select hour, calls, total_exec_time from statement_hours order by 1")
    assert hours == [(NOON, 2, 4.0), (NOON + HOUR, 6, 12.0)]


def test_a_second_interval_adds_to_the_hour(store: Store) -> None:
    target = new_target(store)
    for minute, calls in ((1, 5), (2, 8), (3, 10)):
        record(store, target, NOON + timedelta(minutes=minute), [entry(1, calls)])
    assert rows(store, "select hour, calls, plans from statement_hours") == [(NOON, 5, None)]


def test_a_mean_is_the_same_in_every_hour_and_a_rare_statement_has_few(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 0, rows=1), entry(2, 0, rows=1)])
    often, rare = entry(1, 1000, each_ms=0.7), entry(2, 2, each_ms=30.0, wal_bytes=1000)
    record(store, target, NOON + 10 * HOUR, [often, rare])
    hours = rows(
        store,
        """select s.queryid, h.hour, h.calls, h.total_exec_time / h.calls, h.wal_bytes
           from statement_hours h join statements s on s.id = h.statement_id order by 1, 2""",
    )
    assert [(calls, mean) for queryid, _, calls, mean, _ in hours if queryid == 1] == [
        (100, pytest.approx(0.7))
    ] * 10
    of_rare = [row[1:] for row in hours if row[0] == 2]
    assert [row[1:] for row in of_rare] == [(1, 30.0, 500), (1, 30.0, 500)]


def test_an_outage_of_days_writes_no_more_than_half_a_day(store: Store) -> None:
    target = new_target(store)
    keys = range(1, 51)
    record(store, target, NOON, [entry(key, 1) for key in keys])
    record(store, target, NOON + 60 * HOUR, [entry(key, 6001) for key in keys])
    hours = rows(
        store,
        """select h.hour, count(*), sum(h.calls)::int, min(t.covered_seconds), min(t.snapshots)
           from statement_hours h join target_hours t using (target_id, hour)
           group by 1 order by 1""",
    )
    assert len(hours) == 12
    # five hours each, in the hour in which they end: the rate is right
    assert hours[0] == (NOON + 4 * HOUR, 50, 50 * 500, pytest.approx(5 * 3600.0), 1)
    assert hours[-1][0] == NOON + 59 * HOUR
    assert sum(calls for _, _, calls, _, _ in hours) == 50 * 6000


def test_an_hour_without_calls_is_covered_too(store: Store) -> None:
    target = new_target(store)
    for minute in (0, 1, 3):
        record(store, target, NOON + timedelta(minutes=minute), [entry(1, 5)])
    found = rows(store, "select hour, covered_seconds, snapshots from target_hours")
    assert found == [(NOON, 180.0, 2)]
    assert rows(store, "select count(*)::int from statement_hours") == [(0,)]
