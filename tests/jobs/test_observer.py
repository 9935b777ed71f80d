"""The collecting loop against servers that go away and come back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.config import Settings, load_settings
from pgadvisor.errors import ExtensionMissing, TargetUnreachable
from pgadvisor.jobs import Observer
from pgadvisor.store import Store, open_store

QUERY = "select count(*) from pg_class where relname = 'nothing'"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def own_target() -> Iterator[Cluster]:
    """A target that a test may stop."""
    settings = {"shared_preload_libraries": "pg_stat_statements"}
    with Cluster.temporary(find_binaries(), settings=settings) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
        yield cluster


def settings_of(store_dsn: str) -> Settings:
    return load_settings(database_url=store_dsn, interval="200ms", activity_interval="200ms")


@contextmanager
def observing(cluster: Cluster, store: Store, settings: Settings) -> Iterator[Observer]:
    stop = threading.Event()
    observer = Observer(cluster.dsn(), store, settings, clock=now, stop=stop)
    observer.connect()
    thread = threading.Thread(target=observer.run)
    thread.start()
    try:
        yield observer
    finally:
        stop.set()
        thread.join()


def until(condition: Callable[[], bool], seconds: float = 100) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def snapshots_more(observer: Observer, count: int = 2) -> Callable[[], bool]:
    wanted = observer.progress.snapshots + count
    return lambda: observer.progress.snapshots >= wanted


def query(cluster: Cluster, times: int) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        for _ in range(times):
            conn.execute(QUERY)


def stored_calls(store: Store) -> int:
    with store.transaction() as conn:
        row = conn.execute(
            """select coalesce(sum(d.calls), 0) from statement_deltas d
               join statements s on s.id = d.statement_id
               join queries q on (q.target_id, q.dbid, q.queryid)
                   = (s.target_id, s.dbid, s.queryid)
               where q.query like '%%relname = $1%%'"""
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.slow
def test_a_restart_of_the_target_loses_no_call(
    own_target: Cluster, store: Store, store_dsn: str
) -> None:
    with observing(own_target, store, settings_of(store_dsn)) as observer:
        until(snapshots_more(observer))
        query(own_target, 3)
        until(snapshots_more(observer))
        query(own_target, 4)  # counted only after the restart: a clean one keeps the counters
        own_target.stop("fast")
        until(lambda: observer.progress.failures > 0)
        with store.transaction() as conn:
            error = conn.execute("select last_error from targets").fetchone()
        assert error is not None and error[0]
        own_target.start()
        until(snapshots_more(observer))
        query(own_target, 5)
        until(snapshots_more(observer))
    # to extension 1.8 a restart may have lost everything: what came before it is a gap
    assert stored_calls(store) == (12 if own_target.binaries.major >= 14 else 8)
    with store.transaction() as conn:
        assert conn.execute("select last_error from targets").fetchone() == (None,)


@pytest.mark.slow
def test_a_store_that_goes_away_gets_the_whole_difference(own_target: Cluster) -> None:
    with Cluster.temporary(embedded_binaries()) as store_cluster:
        settings = settings_of(store_cluster.dsn())
        with (
            open_store(settings, now=now(), upgrade=True) as store,
            observing(own_target, store, settings) as observer,
        ):
            until(snapshots_more(observer))
            query(own_target, 3)
            until(snapshots_more(observer))
            store_cluster.stop("immediate")
            query(own_target, 4)
            until(lambda: observer.progress.failures > 0)
            store_cluster.start()
            until(snapshots_more(observer))
            query(own_target, 5)
            until(snapshots_more(observer))
            until(lambda: stored_calls(store) == 12, seconds=10)


def test_a_target_that_cannot_be_used_is_an_error_at_once(
    store: Store, store_dsn: str, own_target: Cluster
) -> None:
    def connect(dsn: str) -> None:
        stop = threading.Event()
        Observer(dsn, store, settings_of(store_dsn), clock=now, stop=stop).connect()

    with pytest.raises(TargetUnreachable):
        connect(f"host={own_target.directory}/nowhere dbname=postgres")
    with psycopg.connect(own_target.dsn(), autocommit=True) as conn:
        conn.execute("create database bare")
    with pytest.raises(ExtensionMissing, match="pg_stat_statements"):
        connect(own_target.dsn("bare"))
