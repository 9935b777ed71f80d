"""A real target is reset, evicted, restarted and crashed while a client counts what it runs.

With the client at rest around each event every call is in the history. With the client running
on, only what PostgreSQL itself forgets is missing, never more is there, and a gap says so.
"""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest
from tests.store.made import NOON, rows

from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.collect.statements import fetch_statements, fetch_texts
from pgadvisor.collect.target import connect
from pgadvisor.records.statement import Interval, QueryId, StatementSnapshot
from pgadvisor.store import Store
from pgadvisor.store.snapshots import record_snapshot
from pgadvisor.store.targets import register_target

#: statements by name, and of how many rounds of the client one runs it
SCRIPT: dict[str, tuple[LiteralString, int]] = {
    "often": ("select count(*) as often from pg_class where oid = 1", 1),
    "writes": ("insert into written_by_script select 1", 2),
    "sometimes": ("select count(*) as sometimes from pg_attribute where attrelid = 1", 7),
    "seldom": ("select count(*) as seldom from pg_proc where oid = 1", 40),
}
SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "100",
    "pg_stat_statements.track_utility": "off",
}


class Client(threading.Thread):
    """Runs the script until told to end; counts what it began and what was done."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.dsn = dsn
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._ends = threading.Event()
        self._turn = threading.Lock()

    def run(self) -> None:
        number = 0
        while not self._ends.is_set():
            # gone while the server restarts
            with contextlib.suppress(psycopg.OperationalError), self._connected() as conn:
                while not self._ends.is_set():
                    number += 1
                    with self._turn:
                        self._round(conn, number)

    def _connected(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None)

    def _round(self, conn: psycopg.Connection[tuple[object, ...]], number: int) -> None:
        for name, (query, every) in SCRIPT.items():
            if number % every == 0:
                self.begun[name] += 1
                conn.execute(query)
                self.done[name] += 1

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """No statement of it runs inside."""
        with self._turn:
            yield

    def wait_for_rounds(self, rounds: int) -> None:
        goal = self.done["often"] + rounds
        while self.done["often"] < goal:
            time.sleep(0.005)

    def end(self) -> None:
        self._ends.set()
        self.join()


class Collector:
    """Records snapshots as `observe` does, and keeps the intervals."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self.cluster, self.store = cluster, store
        self.names: dict[QueryId, str] = {}
        with store.transaction() as conn:
            self.target_id = register_target(conn, "t", "host=t", now=NOON)

    def collect(self) -> Interval | None:
        return record_snapshot(self.store, self.target_id, self._read)

    def _read(self) -> StatementSnapshot:
        with connect(self.cluster.dsn()) as target:
            snapshot = fetch_statements(target)
            unknown = [key for key in snapshot.statements if key.queryid not in self.names]
            for text in fetch_texts(target, unknown):
                named = [name for name in SCRIPT if f"as {name}" in text.query]
                written = ["writes"] if "written_by_script" in text.query else []
                self.names[text.queryid] = "".join(named + written)
        return snapshot

    def reasons_until(self, act: Callable[[], object]) -> set[str]:
        """Reasons of the gaps that the interval around the act has."""
        self.collect()
        act()
        interval = self.collect()
        assert interval is not None
        return {str(gap.reason) for gap in interval.gaps}

    def counted(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for queryid, calls in rows(
            self.store,
            """select s.queryid, sum(d.calls)::int from statement_deltas d
               join statements s on s.id = d.statement_id group by 1""",
        ):
            found[self.names[queryid]] += calls
        found.pop("", None)
        return found


@pytest.fixture(scope="module")
def small_target() -> Iterator[Cluster]:
    """Room for 100 statements only."""
    with Cluster.temporary(find_binaries(), settings=SETTINGS) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
            conn.execute("create table written_by_script (n integer)")
        yield cluster


@pytest.fixture
def client(small_target: Cluster) -> Iterator[Client]:
    with psycopg.connect(small_target.dsn(), autocommit=True) as conn:
        conn.execute("select pg_stat_statements_reset()")
    started = Client(small_target.dsn())
    yield started
    started.end()


class Disturbances:
    """What can happen to a target."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def _execute(self, *queries: str) -> None:
        with psycopg.connect(self.cluster.dsn(), autocommit=True) as conn:
            for query in queries:
                conn.execute(query.encode())

    def reset_of_all(self) -> None:
        self._execute("select pg_stat_statements_reset()")

    def reset_of_one(self) -> None:
        self._execute(
            """select pg_stat_statements_reset(userid, dbid, queryid) from pg_stat_statements
               where query like '%as often%'"""
        )

    def eviction(self) -> None:
        """Four hundred statements, each with another number of columns."""
        self._execute(*(f"select {', '.join(['1'] * n)}" for n in range(2, 402)))

    def restart(self) -> None:
        self.cluster.restart()

    def crash(self) -> None:
        """Not an immediate stop: pg_stat_statements still saves itself in that."""
        pid = int((self.cluster.data_dir / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        while self.cluster.is_running:
            pass
        self.cluster.start()


@pytest.mark.slow
def test_every_call_is_counted_where_the_client_rests(
    small_target: Cluster, client: Client, store: Store
) -> None:
    collector, disturb = Collector(small_target, store), Disturbances(small_target)
    collector.collect()
    client.start()
    client.wait_for_rounds(50)
    collector.collect()
    tells = small_target.binaries.major >= 14  # extension 1.8 tells of no reset and no eviction
    expected = {
        disturb.reset_of_all: {"reset"},
        disturb.reset_of_one: {"reset"} if tells else {"eviction"},
        disturb.eviction: {"eviction"},
        disturb.restart: set() if tells else {"restart"},
        disturb.crash: {"restart"},
    }
    for act, reasons in expected.items():
        client.wait_for_rounds(50)
        with client.at_rest():
            assert collector.reasons_until(act) == reasons, act.__name__
            assert collector.counted() == client.done, act.__name__
    client.wait_for_rounds(50)
    with client.at_rest():
        collector.collect()
        assert collector.counted() == client.done
    assert min(client.done.values()) > 0
    gaps = rows(store, "select reason from gaps order by id")
    assert [{reason} for (reason,) in gaps] == [one for one in expected.values() if one]


@pytest.mark.slow
def test_what_postgresql_forgets_is_a_gap_where_the_client_runs_on(
    small_target: Cluster, client: Client, store: Store
) -> None:
    collector, disturb = Collector(small_target, store), Disturbances(small_target)
    with client.at_rest():
        collector.collect()
        client.start()
    client.wait_for_rounds(20)
    acts = (disturb.reset_of_all, disturb.eviction, disturb.restart, disturb.crash)
    missing = 0
    for act in acts * 2:
        with client.at_rest():
            collector.collect()
            before = collector.counted(), client.done.copy(), client.begun.copy()
        client.wait_for_rounds(30)
        act()
        client.wait_for_rounds(30)
        with client.at_rest():
            interval = collector.collect()
            counted = collector.counted() - before[0]
            done, begun = client.done - before[1], client.begun - before[2]
        assert interval is not None
        assert all(counted[name] <= begun[name] for name in SCRIPT), act.__name__
        if not interval.gaps:
            assert all(counted[name] >= done[name] for name in SCRIPT), act.__name__
        missing += sum((done - counted).values())
    assert missing > 0, "the disturbances disturbed nothing"
    reasons = {reason for (reason,) in rows(store, "select reason from gaps")}
    assert reasons == {"reset", "eviction", "restart"}
    # what is in the hours is what is in the deltas
    deltas, hours = (
        rows(store, f"select sum(calls)::int, sum(rows)::int from {table}")
        for table in ("statement_deltas", "statement_hours")
    )
    assert hours == deltas
