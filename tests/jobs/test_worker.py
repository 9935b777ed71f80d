"""Workers share the targets, take over from the dead, and count nothing twice."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.jobs.conftest import (
    add,
    as_role,
    now,
    one,
    overlaps,
    query,
    settings_of,
    stored_calls,
    two_stores,
    until,
    worker_process,
    working,
)

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.store import Store, open_store
from pgadvisor.store.targets import pause_target, remove_target, resume_target

INTERVAL = 2.0


def snapshots(store_dsn: str, target_id: int) -> int:
    return int(one(store_dsn, "select count(*) from snapshots where target_id = %s", target_id))


def watcher(store_dsn: str, target_id: int) -> str | None:
    found: str | None = one(store_dsn, "select watcher from targets where id = %s", target_id)
    return found


def more_snapshots(store_dsn: str, target_id: int, count: int = 2, seconds: float = 40) -> None:
    wanted = snapshots(store_dsn, target_id) + count
    until(lambda: snapshots(store_dsn, target_id) >= wanted, seconds)


@pytest.mark.slow
def test_the_targets_of_a_killed_worker_are_taken_over_within_two_intervals(
    fleet_target: Cluster, store: Store, store_dsn: str
) -> None:
    target_id = add(store, fleet_target.dsn(), "killed")
    with worker_process(store_dsn) as first:
        more_snapshots(store_dsn, target_id)
        query(fleet_target, 3)
        more_snapshots(store_dsn, target_id)
        dead = watcher(store_dsn, target_id)
        with worker_process(store_dsn):
            until(
                lambda: one(
                    store_dsn, "select count(*) = 2 from procrastinate.procrastinate_workers"
                )
            )
            query(fleet_target, 4)
            first.kill()
            killed = time.monotonic()
            more_snapshots(store_dsn, target_id, 1)
            assert time.monotonic() - killed < 2 * INTERVAL
            assert watcher(store_dsn, target_id) != dead
            query(fleet_target, 5)
            more_snapshots(store_dsn, target_id)
    assert stored_calls(store_dsn, target_id) == 12
    assert overlaps(store_dsn) == 0


@pytest.mark.slow
def test_a_worker_that_was_frozen_counts_nothing_twice_and_leaves_the_target(
    fleet_target: Cluster, store: Store, store_dsn: str
) -> None:
    target_id = add(store, fleet_target.dsn(), "frozen")
    with worker_process(store_dsn, "1s") as first, worker_process(store_dsn, "1s") as second:
        more_snapshots(store_dsn, target_id)
        holder = str(watcher(store_dsn, target_id))
        frozen = first if f":{first.pid}:" in holder else second
        query(fleet_target, 3)
        os.kill(frozen.pid, signal.SIGSTOP)
        query(fleet_target, 4)
        until(lambda: watcher(store_dsn, target_id) != holder)
        more_snapshots(store_dsn, target_id)
        os.kill(frozen.pid, signal.SIGCONT)
        query(fleet_target, 5)
        more_snapshots(store_dsn, target_id, 4)
        assert watcher(store_dsn, target_id) != holder
        # the frozen one has closed its connection: only the new watcher's is left
        with psycopg.connect(fleet_target.dsn(), autocommit=True) as conn:
            until(lambda: own_connections(conn) <= 1)
    assert stored_calls(store_dsn, target_id) == 12
    assert overlaps(store_dsn) == 0


def own_connections(conn: psycopg.Connection[tuple[int, ...]]) -> int:
    row = conn.execute(
        "select count(*) from pg_stat_activity where application_name = 'pgadvisor'"
    ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
def test_workers_share_the_targets_and_one_alone_takes_all(
    fleet_target: Cluster, store_dsn: str
) -> None:
    settings = settings_of(store_dsn)
    with two_stores(store_dsn, settings) as (first_store, second_store):
        names = [f"shared_{number}" for number in range(6)]
        ids = [add(first_store, as_role(fleet_target, name), name) for name in names]

        def shares() -> list[int]:
            names = [watcher(store_dsn, target_id) for target_id in ids]
            return sorted(names.count(name) for name in set(names) - {None})

        with working(first_store, settings):
            until(lambda: shares() == [6])
            with working(second_store, settings):
                # handed over without a worker having died: the terms are ten minutes
                until(lambda: shares() == [3, 3])
                for target_id in ids:
                    more_snapshots(store_dsn, target_id, 1)
            until(lambda: shares() == [6])
    assert overlaps(store_dsn) == 0


@pytest.mark.slow
def test_a_worker_survives_the_restart_of_the_store(fleet_target: Cluster) -> None:
    with Cluster.temporary(embedded_binaries()) as cluster:
        settings = settings_of(cluster.dsn())
        with open_store(settings, now=now(), upgrade=True) as store:
            target_id = add(store, fleet_target.dsn(), "restart")
            with working(store, settings):
                more_snapshots(cluster.dsn(), target_id)
                query(fleet_target, 3)
                cluster.stop("immediate")
                query(fleet_target, 4)
                cluster.start()
                more_snapshots(cluster.dsn(), target_id)
                query(fleet_target, 5)
                more_snapshots(cluster.dsn(), target_id)
                until(lambda: stored_calls(cluster.dsn(), target_id) == 12, 10)
                assert overlaps(cluster.dsn()) == 0
                # the job queue is back, too: what is paused ends, what is resumed is watched again
                with store.transaction() as conn:
                    pause_target(conn, target_id, now=now())
                until(lambda: jobs(cluster.dsn()) == 0)
                with store.transaction() as conn:
                    resume_target(conn, target_id)
                more_snapshots(cluster.dsn(), target_id)


def jobs(store_dsn: str) -> int:
    return int(
        one(
            store_dsn,
            "select count(*) from procrastinate.procrastinate_jobs where task_name = 'watch'",
        )
    )


def test_a_paused_or_removed_target_is_left_alone_within_an_interval(
    fleet_target: Cluster, store: Store, store_dsn: str
) -> None:
    settings = settings_of(store_dsn)
    paused, removed = (
        add(store, as_role(fleet_target, name), name) for name in ("paused", "removed")
    )
    with working(store, settings):
        for target_id in (paused, removed):
            more_snapshots(store_dsn, target_id)
        with store.transaction() as conn:
            pause_target(conn, paused, now=now())
            remove_target(conn, removed, now=now())
        until(lambda: jobs(store_dsn) == 0, 5)
        left = [snapshots(store_dsn, target_id) for target_id in (paused, removed)]
        with store.transaction() as conn:
            resume_target(conn, paused)
        more_snapshots(store_dsn, paused)
        assert snapshots(store_dsn, removed) == left[1]


@contextmanager
def black_hole(folder: Path) -> Iterator[str]:
    """A socket that accepts connections and never says a word."""
    path = folder / ".s.PGSQL.5432"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(50)
        yield f"host={folder} user=postgres dbname=postgres"


@pytest.mark.slow
def test_sick_servers_delay_nobody_else(
    fleet_target: Cluster, store: Store, store_dsn: str, tmp_path: Path
) -> None:
    settings = settings_of(store_dsn)
    with black_hole(tmp_path) as silent:
        sick = [add(store, silent, f"silent {number}") for number in range(12)]
        sick += [
            add(store, f"host={tmp_path}/nobody user=x dbname=x", f"refused {number}")
            for number in range(3)
        ]
        well = add(store, fleet_target.dsn(), "well")
        with working(store, settings):
            more_snapshots(store_dsn, well, 3)
            since = now()
            until(lambda: one(store_dsn, "select min(failures) from targets where id <> %s", well))
            until(lambda: now() - since > timedelta(seconds=8))
        late = one(
            store_dsn,
            """select max(extract(epoch from captured_at - since)) from snapshots
               where target_id = %s and since > %s""",
            well,
            since,
        )
    assert float(late) < 2.0  # an interval of one second
    assert all(
        "did not answer" in error or "nothing listens" in error
        for error in (
            one(store_dsn, "select last_error from targets where id = %s", target_id)
            for target_id in sick
        )
    )


def test_after_five_failures_the_circuit_is_open_and_resume_closes_it(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    target_id = add(store, f"host={tmp_path} user=x dbname=x", "away")
    where = "from targets where id = %s"
    with store.transaction() as conn:
        conn.execute("update targets set failures = 4")
    with working(store, settings_of(store_dsn)):
        until(lambda: one(store_dsn, f"select failures {where}", target_id) == 5)
        assert one(store_dsn, f"select retry_at > now() + interval '5 s' {where}", target_id)
        resting = one(store_dsn, f"select last_error_at {where}", target_id)
        with store.transaction() as conn:
            resume_target(conn, target_id)
        until(lambda: one(store_dsn, f"select last_error_at {where}", target_id) > resting, 4)


def test_threads_and_jobs_end_with_the_worker(
    fleet_target: Cluster, store: Store, store_dsn: str
) -> None:
    target_id = add(store, fleet_target.dsn(), "ended")
    with working(store, settings_of(store_dsn)):
        more_snapshots(store_dsn, target_id)
    assert not [t for t in threading.enumerate() if t.name.startswith("target ")]
    assert jobs(store_dsn) == 0
    assert one(store_dsn, "select count(*) from procrastinate.procrastinate_workers") == 0
