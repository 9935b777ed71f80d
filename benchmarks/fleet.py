"""Two hundred targets by one worker process: is every reading on time, and what does it cost?

    .venv/bin/python benchmarks/fleet.py --targets 200 --clusters 4 --minutes 5 --interval 10s

The targets are roles of a few private clusters: each reads a whole server over connections of its
own, as 200 servers would be read, but what a server does for it counts on the same machine. Light
traffic goes on: each second `--rate` of `--statements` different statements run on each cluster.

Lateness is measured from the readings themselves, on the targets' clocks: how much longer than the
interval passed between two of one target. The baseline is the least that could be done with the
same data: as many threads that read pg_stat_statements at the same interval, each over its
connection, and throw the rows away: no differences, no texts, no activity, no store.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.config import duration, load_settings
from pgadvisor.store import open_store
from pgadvisor.store.targets import TargetOptions

_TICKS = os.sysconf("SC_CLK_TCK")
_OWN = "select count(*) from pg_stat_activity where application_name = 'pgadvisor'"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_seconds: float
    rss_bytes: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return cls((int(fields[11]) + int(fields[12])) / _TICKS, pages * os.sysconf("SC_PAGESIZE"))


@contextmanager
def fleet(clusters: int, targets: int) -> Iterator[tuple[list[Cluster], list[str]]]:
    """The clusters, and a DSN for each target: a role of its own on one of them."""
    each = -(-targets // clusters)
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "max_connections": str(3 * each + 20),
        "shared_buffers": "32MB",
    }
    dsns = []
    with ExitStack() as stack:
        made = [
            stack.enter_context(Cluster.temporary(find_binaries(), settings=settings))
            for _ in range(clusters)
        ]
        for number, cluster in enumerate(made):
            with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
                conn.execute("create extension pg_stat_statements")
                for role in range(min(each, targets - number * each)):
                    name = f"watch_{number}_{role}"
                    conn.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
                    conn.execute(sql.SQL("grant pg_monitor to {}").format(sql.Identifier(name)))
                    dsns.append(cluster.dsn(user=name))
        yield made, dsns


@contextmanager
def traffic(clusters: list[Cluster], statements: int, rate: int) -> Iterator[None]:
    """So many of the statements each second on each cluster, in one thread each."""
    stop = threading.Event()

    def run(cluster: Cluster, seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(cluster.dsn(), autocommit=True, prepare_threshold=None) as conn:
            texts = [
                sql.SQL("select relname as {} from pg_class where oid = 0").format(
                    sql.Identifier(f"column_{number}")
                )
                for number in range(statements)
            ]
            for text in texts:
                conn.execute(text)
            while not stop.wait(1.0):
                for text in chance.sample(texts, min(rate, statements)):
                    conn.execute(text)

    threads = [
        threading.Thread(target=run, args=(cluster, seed)) for seed, cluster in enumerate(clusters)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def watched(
    clusters: list[Cluster], dsns: list[str], interval: str, minutes: float, warm_up: float
) -> dict[str, Any]:
    """One worker process with its store."""
    with Cluster.temporary(embedded_binaries()) as store_cluster:
        settings = load_settings(database_url=store_cluster.dsn(), interval=interval)
        with open_store(settings, now=now(), upgrade=True) as store:
            options = TargetOptions(
                interval=duration(interval), activity_interval=duration(interval)
            )
            for number, dsn in enumerate(dsns):
                name = f"target {number:03d}"
                pipeline.add_target(store, dsn, name=name, options=options, now=now())
        worker = subprocess.Popen(
            [sys.executable, "-m", "pgadvisor", "worker"],
            env={**os.environ, "DATABASE_URL": store_cluster.dsn(), "LOG_LEVEL": "WARNING"},
        )
        try:
            seconds = duration(interval).total_seconds()
            with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
                started = time.monotonic()
                until(lambda: number_of(conn, "select count(distinct target_id) from snapshots"
                                        ) == len(dsns), 600)  # fmt: skip
                all_read = time.monotonic() - started
                time.sleep(warm_up * 60)
                return {
                    "all_read_seconds": all_read,
                    **measure(conn, clusters, worker.pid, minutes * 60, seconds),
                }
        finally:
            worker.terminate()
            worker.wait(60)


def measure(
    conn: psycopg.Connection[Any],
    clusters: list[Cluster],
    pid: int,
    seconds: float,
    interval: float,
) -> dict[str, Any]:
    begun, before, bytes_before = now(), Usage.of(pid), store_bytes(conn)
    deadline, connections = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        connections.append(sum(number_in(cluster, _OWN) for cluster in clusters))
        time.sleep(min(5.0, max(deadline - time.monotonic(), 0.1)))
    after, ended = Usage.of(pid), now()
    lengths = [
        float(length)
        for (length,) in conn.execute(
            """select extract(epoch from captured_at - since) from snapshots
               where since >= %s and captured_at <= %s""",
            [begun, ended],
        )
    ]
    late = sorted(max(length - interval, 0.0) for length in lengths)
    failing = number_of(conn, "select count(*) from targets where last_error is not null")
    return {
        "readings": len(late),
        "late_p50_ms": 1000 * statistics.median(late),
        "late_p99_ms": 1000 * late[int(len(late) * 0.99)],
        "late_max_ms": 1000 * late[-1],
        "cpu_percent": 100 * (after.cpu_seconds - before.cpu_seconds) / seconds,
        "rss_mib": after.rss_bytes / 2**20,
        "rss_growth_mib": (after.rss_bytes - before.rss_bytes) / 2**20,
        "target_connections_max": max(connections),
        "store_connections": number_of(
            conn, "select count(*) from pg_stat_activity where application_name like 'pgadvisor%'"
        ),
        "store_mib_per_hour": (store_bytes(conn) - bytes_before) / 2**20 * 3600 / seconds,
        "failing_targets": failing,
    }


def bare(dsns: list[str], interval: str, minutes: float) -> float:
    """Percent of a processor for reading alone, in a process of its own."""
    program = [sys.executable, __file__, "--bare", interval, str(minutes * 60), *dsns]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    return float(done.stdout)


def read_only(interval: str, seconds: str, *dsns: str) -> None:
    """The baseline: threads that read and forget; prints percent of a processor."""
    stop, every = threading.Event(), duration(interval).total_seconds()

    def run(dsn: str, offset: float) -> None:
        stop.wait(offset)
        with psycopg.connect(dsn, autocommit=True) as conn, conn.cursor(binary=True) as cursor:
            while not stop.is_set():
                cursor.execute("select * from pg_stat_statements(false)").fetchall()
                stop.wait(every)

    threads = [
        threading.Thread(target=run, args=(dsn, every * number / len(dsns)))
        for number, dsn in enumerate(dsns)
    ]
    for thread in threads:
        thread.start()
    time.sleep(every)
    before, started = Usage.of(os.getpid()), time.monotonic()
    time.sleep(float(seconds))
    used = Usage.of(os.getpid()).cpu_seconds - before.cpu_seconds
    print(100 * used / (time.monotonic() - started))
    stop.set()


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker does not read all targets")
        time.sleep(0.5)


def store_bytes(conn: psycopg.Connection[Any]) -> float:
    return number_of(conn, "select pg_database_size(current_database())")


def number_of(conn: psycopg.Connection[Any], statement: str) -> float:
    row = conn.execute(statement.encode()).fetchone()
    assert row is not None
    return float(row[0])


def number_in(cluster: Cluster, statement: str) -> float:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        return number_of(conn, statement)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--clusters", type=int, default=4)
    parser.add_argument("--interval", default="10s")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--warm-up", type=float, default=5.0, help="minutes, for first texts")
    parser.add_argument("--statements", type=int, default=500, help="different ones per cluster")
    parser.add_argument("--rate", type=int, default=50, help="run each second on each cluster")
    given = parser.parse_args()
    with (
        fleet(given.clusters, given.targets) as (clusters, dsns),
        traffic(clusters, given.statements, given.rate),
    ):
        found = watched(clusters, dsns, given.interval, given.minutes, given.warm_up)
        baseline = bare(dsns, given.interval, min(given.minutes, 2.0))
    print(f"{given.targets} targets on {given.clusters} clusters, interval {given.interval}, "
          f"{given.statements} statements each, {given.minutes:g} min")  # fmt: skip
    for name, value in found.items():
        print(f"{name:>24} {value:,.1f}")
    print(f"{'reading alone, cpu %':>24} {baseline:,.1f}")
    print(f"{'ratio':>24} {found['cpu_percent'] / baseline:,.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        read_only(*sys.argv[2:])
    else:
        main()
