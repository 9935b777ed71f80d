"""Observed time: what rates are divided by. Nothing that is not known counts, all that is does."""

from datetime import datetime
from typing import Any

import pytest
from tests.store.made import HOUR, MINUTE, NOON, SHOP, entry, new_target, record, rows, value

from pgadvisor.store import Store
from pgadvisor.store.status import coverage

DAY: dict[str, Any] = {"since": NOON - 12 * HOUR, "until": NOON + 12 * HOUR}


def covered(store: Store, *target_ids: int, **choice: Any) -> dict[datetime, float]:
    with store.transaction() as conn:
        return coverage(conn, target_ids, **{**DAY, "bucket_seconds": 3600.0, **choice})


def test_an_interval_in_which_nothing_ran_was_observed(store: Store) -> None:
    target = new_target(store)
    for number in range(3):
        record(store, target, NOON + number * MINUTE, [entry(1, 5)])
    assert value(store, "select count(*) from statement_deltas") == 0
    assert covered(store, target) == {NOON: 120.0}
    assert covered(store, target, of_hours=True) == {NOON: 120.0}


def test_a_first_reading_covers_nothing(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 5)])
    assert covered(store, target) == {}
    assert covered(store, target, of_hours=True) == {}


def test_a_pause_is_covered_by_the_reading_after_it_and_not_before(store: Store) -> None:
    """What ran meanwhile is in the counters of the next reading."""
    target = new_target(store)
    record(store, target, NOON, [entry(1, 5)])
    record(store, target, NOON + HOUR, [entry(1, 10)])
    assert covered(store, target, of_hours=True) == {NOON: 3600.0}
    record(store, target, NOON + 3.5 * HOUR, [entry(1, 40)])
    assert covered(store, target, of_hours=True) == {
        NOON: 3600.0,
        NOON + HOUR: 3600.0,
        NOON + 2 * HOUR: 3600.0,
        NOON + 3 * HOUR: 1800.0,
    }
    # intervals count where they end, as their counters do
    assert covered(store, target) == {NOON: 3600.0, NOON + 3 * HOUR: 2.5 * 3600}


@pytest.mark.parametrize(
    ("differing", "reason"),
    [
        ({"system_identifier": "8"}, "other_cluster"),
        ({"extension_version": "1.11"}, "first_sight"),
    ],
)
def test_a_new_baseline_covers_nothing(
    store: Store, differing: dict[str, Any], reason: str
) -> None:
    """The counters of another server say nothing of the time since the last reading."""
    target = new_target(store)
    record(store, target, NOON, [entry(1, 5)])
    record(store, target, NOON + HOUR, [entry(1, 900)], **differing)
    assert covered(store, target) == {}
    assert covered(store, target, of_hours=True) == {}
    assert rows(store, "select reason, statements from gaps") == [(reason, 1)]
    record(store, target, NOON + 2 * HOUR, [entry(1, 901)], **differing)
    assert covered(store, target, of_hours=True) == {NOON + HOUR: 3600.0}


def test_a_reset_covers_from_the_reset_on(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 5)])
    record(store, target, NOON + HOUR, [entry(1, 2)], stats_reset=NOON + 45 * MINUTE)
    assert covered(store, target) == {NOON: 900.0}
    assert covered(store, target, of_hours=True) == {NOON: 900.0}


def test_of_several_targets_the_one_observed_longest_counts(store: Store) -> None:
    first, second = new_target(store, "first"), new_target(store, "second")
    for target, minutes in ((first, 10), (second, 40)):
        record(store, target, NOON, [entry(1, 5)])
        record(store, target, NOON + minutes * MINUTE, [entry(1, 6)])
    assert covered(store, first, second) == {NOON: 2400.0}
    assert covered(store, first, second, of_hours=True) == {NOON: 2400.0}


def test_imported_time_is_covered_in_hours_for_its_database(store: Store) -> None:
    target = new_target(store)
    with store.transaction() as conn:
        conn.execute(
            """insert into imported_spans
                   (target_id, dbid, since, until, source, rows_read, imported_at)
               values (%s, %s, %s, %s, 'csv', 9, %s)""",
            [target, SHOP, NOON - 2.5 * HOUR, NOON - HOUR, NOON],
        )
    spans = {NOON - 3 * HOUR: 1800.0, NOON - 2 * HOUR: 3600.0}
    assert covered(store, target, of_hours=True) == spans
    assert covered(store, target, of_hours=True, database="shop") == spans
    assert covered(store, target, of_hours=True, database="other") == {}
    day = covered(store, target, of_hours=True, bucket_seconds=86400.0)
    assert list(day.values()) == [5400.0]
    found = rows(
        store, "select hour, covered_seconds, source from pgadvisor.coverage_hours order by 1"
    )
    assert found == [(at, seconds, "csv") for at, seconds in spans.items()]
