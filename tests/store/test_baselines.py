"""Baselines kept in memory: as they were put, bounded, and small when packed."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.made import NOON, entry, snapshot

from pgadvisor.records.statement import Counters, StatementCounters
from pgadvisor.store.baselines import Baseline, Baselines


def baseline(snapshot_id: int, entries: list[StatementCounters]) -> Baseline:
    made = snapshot(NOON, entries, hidden=3, dealloc_after=9)
    return Baseline(snapshot_id, made, {key: n for n, key in enumerate(made.statements, start=5)})


_counters = st.builds(
    lambda calls, time, wal_bytes: Counters(calls=calls, total_exec_time=time, wal_bytes=wal_bytes),
    st.integers(0, 2**63 - 1),
    st.floats(0, 1e300),
    st.sampled_from([0, 2**62]),
)
_entries = st.lists(
    st.builds(
        lambda queryid, counters, low, since, top: replace(
            entry(queryid, 1, dbid=4294967295, toplevel=top),
            counters=counters,
            min_exec_time=low,
            stats_since=since,
        ),
        st.integers(-(2**63), 2**63 - 1),
        _counters,
        st.floats(0, 1e9),
        st.sampled_from([None, NOON, NOON - timedelta(days=9000, microseconds=1)]),
        st.booleans(),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(_entries)
def test_a_packed_baseline_is_what_it_was(entries: list[StatementCounters]) -> None:
    kept = Baselines(most_as_objects=0)
    put = baseline(7, entries)
    kept.put(1, put)
    assert kept.get(1) == put


def test_the_last_one_put_counts_whichever_way_it_is_kept() -> None:
    for most in (0, 100):
        kept = Baselines(most_as_objects=most)
        for number in (1, 2):
            kept.put(1, baseline(number, [entry(1, number)]))
        found = kept.get(1)
        assert found is not None
        assert found.snapshot_id == 2
        kept.discard(1)
        assert kept.get(1) is None


def test_what_was_used_longest_ago_is_packed_then_forgotten() -> None:
    kept = Baselines(most_as_objects=2, most_packed=3)
    for target in range(1, 8):
        kept.put(target, baseline(target, [entry(1, 1)]))
    assert [target for target in range(1, 8) if kept.get(target)] == [3, 4, 5, 6, 7]
    kept.put(3, baseline(30, [entry(1, 1)]))
    kept.put(8, baseline(8, [entry(1, 1)]))
    assert [target for target in range(1, 9) if kept.get(target)] == [3, 5, 6, 7, 8]


def test_a_packed_statement_takes_at_most_300_bytes() -> None:
    """200 targets of 5,000 statements are a million: 0.3 GB, not more."""
    counters = {
        name: 10**6 + number
        for number, name in enumerate(Counters._fields[:14])
        if not name.endswith("time")
    }
    made = [
        replace(entry(key, 1), counters=Counters()._replace(**counters, total_exec_time=key / 3))
        for key in range(5000)
    ]
    put = baseline(1, made)
    kept = Baselines(most_as_objects=0)
    tracemalloc.start()
    kept.put(1, put)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size / 5000 < 300
    assert kept.get(1) == put
