"""Snapshots become intervals exactly once, whoever dies in between."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.store.made import (
    MINUTE,
    NOON,
    entry,
    new_target,
    reading,
    record,
    rows,
    snapshot,
    value,
)

from pgadvisor.cluster import Cluster
from pgadvisor.config import load_settings
from pgadvisor.errors import StoreUnavailable
from pgadvisor.records.statement import Counters, StatementSnapshot
from pgadvisor.store import Store, connection, open_store
from pgadvisor.store.baselines import Baseline
from pgadvisor.store.snapshots import _load_baseline, record_snapshot

ALL_CALLS = "select coalesce(sum(calls), 0)::bigint from statement_deltas where target_id = %s"


@pytest.fixture
def second(store_dsn: str) -> Iterator[Store]:
    """The same store, opened by somebody else."""
    with open_store(load_settings(database_url=store_dsn), now=datetime.now(UTC)) as opened:
        yield opened


def baseline(store: Store, target_id: int) -> Baseline:
    kept = store.baselines.get(target_id)
    assert kept is not None
    return kept


def test_the_first_snapshot_only_lays_the_baseline(store: Store) -> None:
    target = new_target(store)
    assert record(store, target, NOON, [entry(1, 1000)]) is None
    assert value(store, ALL_CALLS, [target]) == 0
    assert rows(store, "select statements, since, hidden from snapshots") == [(1, None, 0)]


def test_deltas_hours_and_load_of_an_interval(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10), entry(2, 5)])
    interval = record(
        store,
        target,
        NOON + MINUTE,
        [entry(1, 14), entry(2, 5), entry(3, 2, toplevel=False, temp_blks_read=8)],
    )
    assert interval is not None
    deltas = rows(
        store,
        """select s.queryid, d.calls, d.total_exec_time, d.temp_blks_read, d.since, d.until
           from statement_deltas d join statements s on s.id = d.statement_id order by 1""",
    )
    assert deltas == [
        (1, 4, 8.0, None, NOON, NOON + MINUTE),  # null stands for zero
        (3, 2, 4.0, 8, NOON, NOON + MINUTE),
    ]
    hours = "select hour, sum(calls)::int, count(*) from statement_hours group by 1"
    assert rows(store, hours) == [(NOON, 6, 2)]
    load = "select calls, statements, total_exec_time from database_intervals"
    assert rows(store, load) == [(4, 1, 8.0)]  # what runs inside a function is in its caller's


def test_every_counter_is_saved_and_loaded(store: Store, second: Store) -> None:
    target = new_target(store)
    values: dict[str, Any] = {
        name: number + 1 if isinstance(zero, int) else (number + 1) / 7
        for number, (name, zero) in enumerate(Counters()._asdict().items())
    }
    full = Counters(**values)
    one = replace(
        entry(-(2**63), 1),
        counters=full,
        min_exec_time=0.1,
        max_exec_time=1e300 / 3,
        stats_since=NOON + timedelta(microseconds=1),
    )
    record(store, target, NOON, [one], hidden=3, hidden_exec_time=0.5, dealloc=None)
    record(second, target, NOON + MINUTE, [one])
    assert baseline(second, target).snapshot.statements == {one.key: one}


def test_a_loaded_baseline_equals_the_kept_one(store: Store, second: Store) -> None:
    target = new_target(store)
    first = snapshot(
        NOON,
        [entry(1, 3), entry(2, 4)],
        hidden=2,
        hidden_exec_time=0.1,
        unwatched=frozenset({7, 2**32 - 1}),
    )
    record_snapshot(store, target, reading(first))
    same = replace(first, captured_at=NOON + MINUTE)
    interval = record_snapshot(second, target, reading(same))
    assert interval is not None
    assert (interval.deltas, interval.gaps) == ((), ())
    assert baseline(second, target).ids == baseline(store, target).ids
    with store.transaction() as conn:
        loaded = _load_baseline(conn, target, baseline(second, target).snapshot_id)
    assert loaded == baseline(second, target)


def test_two_stores_in_turn_count_each_call_once(store: Store, second: Store) -> None:
    target = new_target(store)
    calls = [100, 103, 103, 110, 140, 141]
    for minute, (count, used) in enumerate(zip(calls, [store, second] * 3, strict=True)):
        present = [entry(1, count)] + ([entry(2, count)] if minute % 2 else [])
        record(used, target, NOON + minute * MINUTE, present)
    one = "select sum(calls)::int from statement_deltas d join statements s on s.id = statement_id"
    assert value(store, f"{one} where queryid = 1") == 41
    assert value(store, "select count(*)::int from gaps where reason = 'reset'") == 2


def test_targets_do_not_mix(store: Store) -> None:
    one, two = new_target(store, "one"), new_target(store, "two")
    for target, base in ((one, 10), (two, 1000)):
        record(store, target, NOON, [entry(1, base)])
    for target, base in ((one, 10), (two, 1000)):
        record(store, target, NOON + MINUTE, [entry(1, base + base // 10)])
    assert value(store, ALL_CALLS, [one]) == 1
    assert value(store, ALL_CALLS, [two]) == 100


def test_a_gap_is_saved_with_its_reason(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10), entry(2, 10)])
    record(store, target, NOON + MINUTE, [entry(1, 12)], dealloc=1)
    gaps = rows(store, "select reason, since, until, statements from gaps")
    assert gaps == [("eviction", NOON, NOON + MINUTE, 1)]
    assert value(store, "select count(*)::int from statement_counters") == 1


def test_a_reading_that_fails_saves_nothing(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10)])
    with pytest.raises(ZeroDivisionError):
        record_snapshot(store, target, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    record(store, target, NOON + MINUTE, [entry(1, 15)])
    assert value(store, ALL_CALLS, [target]) == 5


@pytest.mark.parametrize("table", ["statement_counters", "snapshots", "statement_deltas", "gaps"])
def test_a_backend_that_is_ended_in_the_transaction_loses_and_doubles_nothing(
    store: Store, table: str
) -> None:
    """A trigger ends it at the moment a row of the table is written."""
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10), entry(2, 10)])
    with store.transaction() as conn:
        conn.execute(
            """create or replace function die() returns trigger language plpgsql as
               $$begin perform pg_terminate_backend(pg_backend_pid()); return null; end$$"""
        )
        conn.execute(
            f"create trigger die after insert or update on {table} execute function die()".encode()
        )
    with pytest.raises(StoreUnavailable):
        record(store, target, NOON + MINUTE, [entry(1, 15)], dealloc=1)
    with store.transaction() as conn:
        conn.execute(f"drop trigger die on {table}".encode())
    record(store, target, NOON + 2 * MINUTE, [entry(1, 17)], dealloc=1)
    assert value(store, ALL_CALLS, [target]) == 7
    assert rows(store, "select since, until from statement_deltas") == [(NOON, NOON + 2 * MINUTE)]
    assert value(store, "select sum(calls)::int from statement_hours") == 7
    assert value(store, "select sum(calls)::int from database_intervals") == 7
    assert value(store, "select count(*)::int from gaps") == 1


#: records one snapshot a line of its input: minute and calls; says when it has the row
COLLECTOR = """
import sys
from datetime import datetime, UTC
from pgadvisor.config import load_settings
from pgadvisor.store import open_store
from tests.store.made import MINUTE, NOON, entry, record

with open_store(load_settings(database_url=sys.argv[1]), now=datetime.now(UTC)) as store:
    print("open", flush=True)
    for line in sys.stdin:
        minute, calls = (int(part) for part in line.split())
        record(store, int(sys.argv[2]), NOON + minute * MINUTE, [entry(1, calls)])
        print("recorded", flush=True)
"""


def test_a_collector_that_is_killed_loses_and_doubles_nothing(store: Store, store_dsn: str) -> None:
    target = new_target(store)
    with psycopg.connect(store_dsn) as blocker:
        collector = subprocess.Popen(
            [sys.executable, "-c", COLLECTOR, store_dsn, str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert collector.stdin
        assert collector.stdout
        collector.stdin.write("0 10\n1 15\n")
        collector.stdin.flush()
        assert [collector.stdout.readline() for _ in range(3)][-1] == "recorded\n"
        # it waits for this lock with its transaction half done
        blocker.execute("lock table database_intervals in share mode")
        collector.stdin.write("2 20\n")
        collector.stdin.flush()
        with psycopg.connect(store_dsn, autocommit=True) as watch:
            while not watch.execute(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                " and datname = current_database()"
            ).fetchone():
                pass
        collector.send_signal(signal.SIGKILL)
        collector.communicate()
        blocker.rollback()
    record(store, target, NOON + 3 * MINUTE, [entry(1, 26)])
    spans = "select calls, since, until from statement_deltas order by until"
    found = rows(store, spans)
    # killed while it waited: its backend either noticed or finished; each call is there once
    assert sum(row[0] for row in found) == 16
    assert [row[2] for row in found[:-1]] == [row[1] for row in found[1:]]


def test_two_collectors_at_once_count_each_call_once(store: Store, second: Store) -> None:
    target = new_target(store)
    clock = iter(range(1000))
    turn = threading.Lock()

    def read() -> StatementSnapshot:
        with turn:
            tick = next(clock)
        return snapshot(NOON + tick * MINUTE, [entry(1, 10 + 5 * tick)])

    recorded: list[datetime] = []

    def collect(used: Store) -> None:
        for _ in range(15):
            interval = record_snapshot(used, target, read)
            if interval is not None:
                recorded.append(interval.until)

    threads = [threading.Thread(target=collect, args=[used]) for used in (store, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorded) > 3
    # a reading that another collector overtook is thrown away; what it had, the next one has
    last = (max(recorded) - NOON) // MINUTE
    first = value(store, "select min(captured_at) from snapshots")
    assert value(store, ALL_CALLS, [target]) == 5 * (last - (first - NOON) // MINUTE)
    assert value(store, "select count(*)::int from gaps") == 0


@pytest.mark.slow
def test_a_store_that_was_away_gets_the_whole_difference(
    store_cluster: Cluster, store_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_POOL_SECONDS", 1.0)
    with open_store(load_settings(database_url=store_dsn), now=datetime.now(UTC)) as store:
        target = new_target(store)
        record(store, target, NOON, [entry(1, 10)])
        record(store, target, NOON + MINUTE, [entry(1, 12)])
        store_cluster.stop()
        try:
            for calls in (20, 22, 24):
                with pytest.raises(StoreUnavailable) as caught:
                    record(store, target, NOON + 2 * MINUTE, [entry(1, calls)])
                assert "DATABASE_URL" in caught.value.hint
        finally:
            store_cluster.start()
        # at once: the pool does not sleep through the return
        record(store, target, NOON + 3 * MINUTE, [entry(1, 32)])
        assert value(store, ALL_CALLS, [target]) == 22


def test_a_store_that_ends_its_connections_while_a_target_is_read(
    store: Store, store_dsn: str
) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10)])

    def read() -> StatementSnapshot:
        with psycopg.connect(store_dsn, autocommit=True) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        return snapshot(NOON + MINUTE, [entry(1, 15)])

    # nothing of the store is held while the target is read
    assert record_snapshot(store, target, read) is not None
    record(store, target, NOON + 2 * MINUTE, [entry(1, 16)])
    assert value(store, ALL_CALLS, [target]) == 6


def test_a_reading_that_another_collector_overtook_is_thrown_away(
    store: Store, second: Store
) -> None:
    """An older reading saved after a newer one would look like counters that fell."""
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10)])
    minutes = iter(range(1, 10))

    def read() -> StatementSnapshot:
        minute = next(minutes)
        old = snapshot(NOON + minute * MINUTE, [entry(1, 10 + minute)])
        if minute == 1:
            record(second, target, NOON + 5 * MINUTE, [entry(1, 15)])
            return old
        return snapshot(NOON + (5 + minute) * MINUTE, [entry(1, 15 + minute)])

    interval = record_snapshot(store, target, read)
    assert interval is not None
    assert (interval.since, interval.until) == (NOON + 5 * MINUTE, NOON + 7 * MINUTE)
    assert value(store, ALL_CALLS, [target]) == 7
    assert value(store, "select count(*)::int from gaps") == 0


def test_a_target_is_left_to_a_collector_that_is_always_faster(store: Store, second: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10)])
    minutes = iter(range(1, 10))

    def read() -> StatementSnapshot:
        minute = next(minutes)
        record(second, target, NOON + minute * MINUTE, [entry(1, 10 + minute)])
        return snapshot(NOON + minute * MINUTE, [entry(1, 10 + minute)])

    assert record_snapshot(store, target, read) is None
    assert value(store, ALL_CALLS, [target]) == 3
