"""Workers as threads and as processes, targets that a test may stop, and the truth about calls."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.config import Settings, load_settings
from pgadvisor.jobs import Worker
from pgadvisor.store import Store, open_store
from pgadvisor.store.targets import TargetOptions

HEARTBEAT = 0.4
QUERY = "select count(*) from pg_class where relname = 'nothing'"
PROCESS = Path(__file__).with_name("worker_process.py")


def now() -> datetime:
    return datetime.now(UTC)


def until(condition: Callable[[], object], seconds: float = 100) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def fleet_target() -> Iterator[Cluster]:
    """A target of the fleet tests, with its own statistics."""
    settings = {"shared_preload_libraries": "pg_stat_statements", "max_connections": "60"}
    with Cluster.temporary(find_binaries(), settings=settings) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
        yield cluster


def as_role(cluster: Cluster, role: str) -> str:
    """The DSN of the cluster for a role of its own: connections are counted by role."""
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        name = sql.Identifier(role)
        conn.execute(sql.SQL("drop role if exists {}").format(name))
        conn.execute(sql.SQL("create role {} login").format(name))
        conn.execute(sql.SQL("grant pg_monitor to {}").format(name))
    return f"{cluster.dsn()} user={role}"


def settings_of(store_dsn: str, **more: Any) -> Settings:
    given: dict[str, Any] = {"interval": "1s", "activity_interval": "1s"}
    return load_settings(**{"database_url": store_dsn, **given, **more})


def add(store: Store, dsn: str, name: str, **options: Any) -> int:
    """Register a target as `pgadvisor targets add` does."""
    given = TargetOptions(**options)
    return pipeline.add_target(store, dsn, name=name, options=given, now=now()).id


@contextmanager
def working(store: Store, settings: Settings, *, heartbeat: float = HEARTBEAT) -> Iterator[Worker]:
    """A worker in a thread of this process."""
    worker = Worker(store, settings, clock=now, heartbeat_seconds=heartbeat)
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


@contextmanager
def worker_process(store_dsn: str, interval: str = "2s") -> Iterator[subprocess.Popen[bytes]]:
    """A worker that can be killed and frozen."""
    process = subprocess.Popen(
        [sys.executable, PROCESS, store_dsn, str(HEARTBEAT)],
        env={**os.environ, "PGADVISOR_INTERVAL": interval, "PGADVISOR_ACTIVITY_INTERVAL": interval},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def two_stores(store_dsn: str, settings: Settings) -> Iterator[tuple[Store, Store]]:
    """The same store opened twice, as two processes do."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(open_store(settings, now=now())) for _ in range(2))
        yield first, second


def query(cluster: Cluster, times: int) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        for _ in range(times):
            conn.execute(QUERY)


def one(dsn: str, statement: str, *parameters: Any) -> Any:
    """The only value of a statement in the store."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(sql.SQL(statement), parameters).fetchone()
    return None if row is None else row[0]


def stored_calls(store_dsn: str, target_id: int) -> int:
    """Calls of QUERY that the history has."""
    return int(
        one(
            store_dsn,
            """select coalesce(sum(d.calls), 0) from statement_deltas d
               join statements s on s.id = d.statement_id
               join queries q on (q.target_id, q.dbid, q.queryid)
                   = (s.target_id, s.dbid, s.queryid)
               where q.query like '%%relname = $1%%' and d.target_id = %s""",
            target_id,
        )
    )


def overlaps(store_dsn: str) -> int:
    """Intervals of one target that share time: counted twice."""
    return int(
        one(
            store_dsn,
            """select count(*) from snapshots a join snapshots b
               on a.target_id = b.target_id and a.id < b.id
               and a.since < b.captured_at and b.since < a.captured_at""",
        )
    )
