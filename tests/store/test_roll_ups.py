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


@given(since=_instants, span=_spans)
def test_hours_are_whole_in_order_and_end_with_the_span(since: datetime, span: timedelta) -> None:
    hours = hours_of(since, since + span)
    starts = [start for start, _ in hours]
    shares = [share for _, share in hours]
    assert starts == [starts[0] + number * HOUR for number in range(len(hours))]
    assert starts[0] <= since < starts[0] + HOUR
    assert starts[-1] < since + span <= starts[-1] + HOUR
    assert shares[-1] == 1.0
    assert all(a < b for a, b in zip([0.0, *shares], shares, strict=False))


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
