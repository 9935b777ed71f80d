"""`interval_between` case by case; test_interval_model.py lets a model server try to break it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import (
    Counters,
    GapReason,
    Interval,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def key(queryid: int, userid: int = 10) -> StatementKey:
    return StatementKey(5, userid, QueryId(queryid), True)


def entry(
    queryid: int,
    calls: int,
    *,
    each_ms: float = 2.0,
    userid: int = 10,
    fastest: float | None = None,
    slowest: float | None = None,
    stats_since: datetime | None = None,
) -> StatementCounters:
    counters = Counters(calls=calls, rows=calls, total_exec_time=calls * each_ms)
    return StatementCounters(
        key=key(queryid, userid),
        counters=counters,
        min_exec_time=each_ms if fastest is None else fastest,
        max_exec_time=each_ms if slowest is None else slowest,
        stats_since=stats_since,
    )


def snapshot(
    entries: Iterable[StatementCounters],
    *,
    at: datetime = NOON,
    started: datetime = NOON - timedelta(days=9),
    stats_reset: datetime | None = NOON - timedelta(days=5),
    dealloc: int | None = 0,
    dealloc_after: int | None = None,
    hidden: int = 0,
    system_identifier: str = "7",
    extension_version: str | None = None,
) -> StatementSnapshot:
    return StatementSnapshot(
        captured_at=at,
        system_identifier=system_identifier,
        postmaster_start_at=started,
        stats_reset=stats_reset,
        dealloc=dealloc,
        dealloc_after=dealloc_after,
        hidden=hidden,
        extension_version=extension_version,
        statements={one.key: one for one in entries},
    )


def calls_of(interval: Interval) -> dict[int, int]:
    return {delta.key.queryid: delta.counters.calls for delta in interval.deltas}


def gaps_of(interval: Interval) -> list[tuple[str, timedelta, timedelta, int]]:
    """Reason, begin and end after noon, statements."""
    return [(g.reason, g.since - NOON, g.until - NOON, g.statements) for g in interval.gaps]


ZERO = timedelta(0)


def test_what_both_snapshots_show_is_subtracted_and_what_is_new_counts_whole() -> None:
    interval = interval_between(
        snapshot([entry(1, 10), entry(2, 7)]),
        snapshot([entry(1, 15), entry(2, 7), entry(3, 4)], at=NOON + MINUTE),
    )
    assert calls_of(interval) == {1: 5, 3: 4}  # nothing of 2: it was not called
    assert {d.key.queryid: d.counters.total_exec_time for d in interval.deltas} == {1: 10.0, 3: 8.0}
    assert (interval.since, interval.until, interval.gaps) == (NOON, NOON + MINUTE, ())


def test_a_statement_that_is_only_planned_is_a_delta() -> None:
    planned = replace(entry(1, 0), counters=Counters(plans=3, total_plan_time=1.5))
    interval = interval_between(snapshot([]), snapshot([planned], at=NOON + MINUTE))
    assert [delta.counters.plans for delta in interval.deltas] == [3]


def test_a_first_execution_after_planning_does_not_look_like_a_new_entry() -> None:
    planned = StatementCounters(
        key=key(1), counters=Counters(plans=2), min_exec_time=0.0, max_exec_time=0.0
    )
    run = replace(entry(1, 1), counters=Counters(plans=2, calls=1, total_exec_time=2.0))
    interval = interval_between(snapshot([planned]), snapshot([run], at=NOON + MINUTE))
    assert [(d.counters.calls, d.counters.plans) for d in interval.deltas] == [(1, 0)]
    assert interval.gaps == ()


def test_reset_of_all_counts_what_came_after_it() -> None:
    reset = NOON + timedelta(seconds=20)
    interval = interval_between(
        snapshot([entry(1, 10), entry(2, 7)]),
        snapshot([entry(1, 15), entry(3, 2)], at=NOON + MINUTE, stats_reset=reset),
    )
    assert calls_of(interval) == {1: 15, 3: 2}  # also where the counter is higher than before
    assert interval.since == reset
    assert gaps_of(interval) == [("reset", ZERO, timedelta(seconds=20), 2)]


def test_evictions_after_a_reset_are_a_gap_of_their_own() -> None:
    reset = NOON + timedelta(seconds=20)
    interval = interval_between(
        snapshot([entry(1, 10)], dealloc=4),
        snapshot([entry(1, 5)], at=NOON + MINUTE, stats_reset=reset, dealloc=4),
    )
    assert [gap[0] for gap in gaps_of(interval)] == ["reset", "eviction"]


def test_entries_that_were_hidden_before_a_reset_count_after_it() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)], hidden=20),
        snapshot([entry(2, 5, userid=11)], at=NOON + MINUTE, stats_reset=NOON + MINUTE / 2),
    )
    assert calls_of(interval) == {2: 5}


def test_crash_is_told_from_a_reset() -> None:
    started = NOON + timedelta(seconds=31)
    interval = interval_between(
        snapshot([entry(1, 10)]),
        snapshot(
            [entry(1, 3)],
            at=NOON + MINUTE,
            started=started,
            stats_reset=started - timedelta(milliseconds=20),
        ),
    )
    assert calls_of(interval) == {1: 3}
    assert [gap[0] for gap in gaps_of(interval)] == ["restart"]


def test_reset_after_a_clean_restart_is_a_reset() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)]),
        snapshot(
            [entry(1, 3)],
            at=NOON + MINUTE,
            started=NOON + timedelta(seconds=10),
            stats_reset=NOON + timedelta(seconds=40),
        ),
    )
    assert [gap[0] for gap in gaps_of(interval)] == ["reset"]


def test_clean_restart_loses_nothing() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)], dealloc=3),
        snapshot([entry(1, 12)], at=NOON + MINUTE, started=NOON + MINUTE / 2, dealloc=3),
    )
    assert (calls_of(interval), interval.gaps) == ({1: 2}, ())


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(entry(1, 9), id="calls fell"),
        pytest.param(entry(1, 20, each_ms=0.75, slowest=2.0), id="time fell"),
        pytest.param(entry(1, 20, fastest=2.5), id="minimum rose"),
        pytest.param(entry(1, 20, fastest=1.0, slowest=1.9), id="maximum fell"),
    ],
)
def test_one_entry_that_began_anew_counts_whole(now: StatementCounters) -> None:
    interval = interval_between(
        snapshot([entry(1, 10, fastest=1.5), entry(2, 1)]),
        snapshot([now, entry(2, 2)], at=NOON + MINUTE),
    )
    assert calls_of(interval) == {1: now.counters.calls, 2: 1}
    assert gaps_of(interval) == [("reset", ZERO, MINUTE, 1)]


def test_stats_since_tells_an_entry_that_overtook_itself() -> None:
    interval = interval_between(
        snapshot([entry(1, 10, stats_since=NOON - MINUTE)]),
        snapshot([entry(1, 50, stats_since=NOON + MINUTE / 2)], at=NOON + MINUTE, dealloc=1),
    )
    assert calls_of(interval) == {1: 50}
    assert gaps_of(interval) == [("eviction", ZERO, MINUTE, 1)]


def test_stats_since_survives_a_reset_of_minimum_and_maximum() -> None:
    """pg_stat_statements_reset(..., minmax_only) of PostgreSQL 17."""
    born = NOON - MINUTE
    interval = interval_between(
        snapshot([entry(1, 10, fastest=1.0, slowest=9.0, stats_since=born)]),
        snapshot([entry(1, 12, stats_since=born)], at=NOON + MINUTE),
    )
    assert (calls_of(interval), interval.gaps) == ({1: 2}, ())


def test_an_entry_that_came_and_went_is_a_gap_by_dealloc_alone() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)], dealloc=3), snapshot([entry(1, 11)], at=NOON + MINUTE, dealloc=4)
    )
    assert calls_of(interval) == {1: 1}
    assert gaps_of(interval) == [("eviction", ZERO, MINUTE, 0)]


def test_evictions_while_the_entries_were_read_belong_to_both_intervals() -> None:
    torn = snapshot([entry(1, 11)], at=NOON + MINUTE, dealloc=3, dealloc_after=4)
    before = interval_between(snapshot([entry(1, 10)], dealloc=3), torn)
    after = interval_between(torn, snapshot([entry(1, 12)], at=NOON + 2 * MINUTE, dealloc=4))
    assert [gap[0] for gap in gaps_of(before)] == ["eviction"]
    assert [gap.reason for gap in after.gaps] == [GapReason.EVICTION]


def test_another_cluster_under_the_name_is_a_new_baseline() -> None:
    interval = interval_between(
        snapshot([entry(1, 10), entry(2, 3)]),
        snapshot([entry(1, 900)], at=NOON + MINUTE, system_identifier="8"),
    )
    assert interval.deltas == ()
    assert gaps_of(interval) == [("other_cluster", ZERO, MINUTE, 2)]


@pytest.mark.parametrize("version", ["13", "14"])
def test_a_standby_that_took_over_is_a_new_baseline(version: str) -> None:
    """It has the system identifier of the primary and months of statistics of its own."""
    reset = (NOON - timedelta(days=5), NOON - timedelta(days=80))
    interval = interval_between(
        snapshot([entry(1, 10)], stats_reset=reset[0] if version == "14" else None),
        snapshot(
            [entry(1, 90_000), entry(2, 5_000)],
            at=NOON + MINUTE,
            started=NOON - timedelta(days=100),
            stats_reset=reset[1] if version == "14" else None,
        ),
    )
    assert interval.deltas == ()
    assert gaps_of(interval) == [("other_cluster", ZERO, MINUTE, 1)]


def test_update_of_the_extension_is_a_new_baseline() -> None:
    """Columns appear with all they ever counted."""
    jit = replace(entry(1, 11), counters=Counters(calls=11, jit_functions=500))
    interval = interval_between(
        snapshot([entry(1, 10)], extension_version="1.9"),
        snapshot([jit], at=NOON + MINUTE, extension_version="1.10"),
    )
    assert interval.deltas == ()
    assert gaps_of(interval) == [("first_sight", ZERO, MINUTE, 1)]


def test_entries_that_become_visible_are_not_counted_from_the_start() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)], hidden=1),
        snapshot([entry(1, 12), entry(2, 5000, userid=11)], at=NOON + MINUTE),
    )
    assert calls_of(interval) == {1: 2}
    assert gaps_of(interval) == [("first_sight", ZERO, MINUTE, 1)]


def test_entries_of_a_visible_user_are_new_while_others_are_hidden() -> None:
    interval = interval_between(
        snapshot([entry(1, 10)], hidden=9),
        snapshot([entry(1, 10), entry(2, 6)], at=NOON + MINUTE, hidden=8),
    )
    assert (calls_of(interval), interval.gaps) == ({2: 6}, ())


def test_stats_since_says_that_a_visible_entry_is_new() -> None:
    late = entry(2, 6, userid=11, stats_since=NOON + MINUTE / 2)
    interval = interval_between(
        snapshot([], hidden=9), snapshot([late], at=NOON + MINUTE, hidden=0)
    )
    assert (calls_of(interval), interval.gaps) == ({2: 6}, ())


def test_rights_that_were_taken_away_are_a_gap() -> None:
    interval = interval_between(
        snapshot([entry(1, 10), entry(2, 10)]),
        snapshot([entry(1, 10)], at=NOON + MINUTE, hidden=1),
    )
    assert interval.deltas == ()
    assert [gap[3] for gap in gaps_of(interval)] == [1]


@pytest.mark.parametrize("step", [timedelta(hours=-1), ZERO, timedelta(microseconds=300)])
def test_a_clock_that_does_not_move_on_gives_a_tick_and_a_gap(step: timedelta) -> None:
    interval = interval_between(snapshot([entry(1, 10)]), snapshot([entry(1, 14)], at=NOON + step))
    assert calls_of(interval) == {1: 4}
    assert interval.until - interval.since == timedelta(milliseconds=1)
    assert [gap.reason for gap in interval.gaps] == [GapReason.CLOCK]


class TestExtension18:
    """PostgreSQL 13: neither stats_reset nor dealloc."""

    @staticmethod
    def snapshot(
        entries: Iterable[StatementCounters], at: datetime = NOON, started: datetime = NOON - MINUTE
    ) -> StatementSnapshot:
        return snapshot(entries, at=at, started=started, stats_reset=None, dealloc=None)

    def test_a_restart_is_a_new_baseline(self) -> None:
        """Nothing tells a clean one from a crash, or from a standby that was restarted too."""
        interval = interval_between(
            self.snapshot([entry(1, 1_000), entry(2, 10)]),
            self.snapshot([entry(1, 1_005), entry(2, 3)], NOON + MINUTE, NOON + MINUTE / 2),
        )
        assert interval.deltas == ()
        assert gaps_of(interval) == [("restart", ZERO, MINUTE, 2)]

    def test_a_reset_of_most_entries_does_not_count_the_others_whole(self) -> None:
        interval = interval_between(
            self.snapshot([entry(1, 1_000), entry(2, 10), entry(3, 10)]),
            self.snapshot([entry(1, 1_005), entry(2, 3)], NOON + MINUTE),
        )
        assert calls_of(interval) == {1: 5, 2: 3}
        assert gaps_of(interval) == [("reset", ZERO, MINUTE, 2)]

    def test_a_few_that_ended_were_evicted(self) -> None:
        many = [entry(n, 10) for n in range(1, 41)]
        interval = interval_between(self.snapshot(many), self.snapshot(many[1:], NOON + MINUTE))
        assert gaps_of(interval) == [("eviction", ZERO, MINUTE, 1)]
