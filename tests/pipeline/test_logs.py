"""The log of a watched server, as it is set at the moment and from wherever we are."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import target_settings
from tests.store.made import rows, value

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.collect import find_log as finding
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import LogUnreadable
from pgadvisor.pipeline import logs
from pgadvisor.records.log import LogSource
from pgadvisor.store import Store

Conn = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    binaries = find_binaries()
    settings = {
        **target_settings(binaries.major),
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_timezone": "Asia/Kathmandu",
    }
    with Cluster.temporary(binaries, settings=settings) as made:
        yield made


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Conn]:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        yield conn
        conn.execute("alter system reset all")
        reload(conn)


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Target]:
    with connect(cluster.dsn()) as target:
        yield target


@pytest.fixture
def target_id(store: Store, target: Target, cluster: Cluster) -> int:
    return pipeline.register_target(store, target, cluster.dsn(), now=now())


def now() -> datetime:
    return datetime.now(UTC)


def reload(conn: Conn) -> None:
    """And wait until this session has seen it, its own settings being read last."""
    loaded = conn.execute("select pg_conf_load_time()").fetchone()
    conn.execute("select pg_reload_conf()")
    deadline = time.monotonic() + 20
    while conn.execute("select pg_conf_load_time()").fetchone() == loaded:
        assert time.monotonic() < deadline


def settled(conn: Conn, **settings: str) -> None:
    for name, setting in settings.items():
        conn.execute(f"alter system set {name.replace('__', '.')} = '{setting}'".encode())
    reload(conn)


@pytest.fixture
def follow(store: Store, target: Target, target_id: int) -> Callable[..., pipeline.LogReading]:
    """Read on until that many statements and plans came; begins at the end of the log."""

    def reading(*, statements: int = 0, plans: int = 0, **more: Any) -> pipeline.LogReading:
        whole = pipeline.LogReading()
        deadline = time.monotonic() + 30
        while True:
            whole += pipeline.observe_logs(target, store, target_id, now=now(), **more)
            if whole.statements >= statements and whole.plans >= plans:
                return whole
            assert time.monotonic() < deadline, whole
            time.sleep(0.02)

    return reading


def test_statements_and_plans_with_their_sampling(
    server: Conn, store: Store, follow: Callable[..., pipeline.LogReading]
) -> None:
    settled(
        server,
        log_min_duration_statement="20",
        auto_explain__log_min_duration="10",
        auto_explain__sample_rate="1",
    )
    follow()
    before = now()
    server.execute("select pg_sleep(0.03)")
    server.execute("select pg_sleep(0.012)")
    follow(statements=1, plans=2)
    found = rows(
        store,
        """select source, threshold_ms, sample_rate, datname, logged_at from executions
           where fingerprint in (select fingerprint from logged_statements
                                 where query like '%%pg_sleep%%')
           order by source, duration_ms""",
    )
    assert [row[:4] for row in found] == [
        ("auto_explain", 10.0, 1.0, "postgres"),
        ("auto_explain", 10.0, 1.0, "postgres"),
        ("log_min_duration", 20.0, 1.0, "postgres"),
    ]
    # log_timezone is 5:45 h ahead of ours
    assert all(before - timedelta(seconds=1) <= row[4] <= now() for row in found)


@pytest.mark.parametrize("destination", ["stderr", "csvlog", "jsonlog", "csvlog,syslog"])
def test_any_one_format_will_do(
    server: Conn, store: Store, follow: Callable[..., pipeline.LogReading], destination: str
) -> None:
    if destination == "jsonlog" and server.info.server_version < 150000:
        pytest.skip("jsonlog came with 15")
    settled(server, log_destination=destination, log_min_duration_statement="0")
    follow()
    server.execute(f"select '{destination}' from generate_series(1, 1) as one_of_these".encode())
    server.execute("select 'what makes the entry before it whole'")
    follow(statements=1)
    assert value(
        store, "select count(*) > 0 from logged_statements where query like '%%one_of_these%%'"
    )


@pytest.mark.parametrize("destination", ["syslog", ""])
def test_a_log_that_goes_nowhere_has_its_reason(
    server: Conn,
    store: Store,
    follow: Callable[..., pipeline.LogReading],
    destination: str,
) -> None:
    settled(server, log_destination=destination)
    reading = follow()
    assert reading.problem is not None
    assert "logs to no file" in reading.problem
    assert "ALTER SYSTEM SET log_destination" in reading.problem
    assert value(store, "select log_problem from targets") == reading.problem
    settled(server, log_destination="csvlog")
    assert follow().problem is None
    assert value(store, "select log_problem from targets") is None


def test_what_is_not_watched_is_not_stored(
    server: Conn, store: Store, follow: Callable[..., pipeline.LogReading]
) -> None:
    settled(server, log_min_duration_statement="0", auto_explain__log_min_duration="0")
    follow()
    server.execute("select 'hidden'")
    reading = pipeline.LogReading()
    deadline = time.monotonic() + 30
    while reading.lines < 5:
        assert time.monotonic() < deadline
        reading += follow(watches=lambda datname: datname != "postgres")
    assert (reading.plans, reading.statements) == (0, 0)
    assert value(store, "select count(*) from executions") == 0


def test_a_duration_that_comes_rounds_after_its_statement(
    server: Conn, store: Store, follow: Callable[..., pipeline.LogReading], cluster: Cluster
) -> None:
    """log_statement writes the text at the start, log_duration the time at the end."""
    settled(server, log_statement="all", log_duration="on")
    started = Started()
    follow(started=started)

    def joined() -> bool:
        found = seen = 0
        with psycopg.connect(cluster.dsn(), autocommit=True) as other:
            run = threading.Thread(target=other.execute, args=("select pg_sleep(2) as long_one",))
            run.start()
            while run.is_alive():  # several rounds, the text is in an early one
                seen += follow(started=started).lines
                time.sleep(0.1)
            run.join()
        assert seen
        deadline = time.monotonic() + 5
        while not found and time.monotonic() < deadline:
            found += follow(started=started).statements
        return found > 0

    # where a busy machine writes the first line too late for the statement's, nothing is joined
    assert any(joined() for _ in range(5))
    deadline = time.monotonic() + 30
    query = """select count(*) from executions e join logged_statements using (fingerprint)
               where query like '%%long_one%%' and duration_ms >= 2000 and threshold_ms = 0"""
    while value(store, query) < 1:
        assert time.monotonic() < deadline
        follow(started=started)


def test_two_collectors_store_each_entry_once(
    server: Conn,
    store: Store,
    target: Target,
    target_id: int,
    cluster: Cluster,
    follow: Callable[..., pipeline.LogReading],
) -> None:
    settled(server, log_min_duration_statement="0")
    follow()
    stop = threading.Event()

    def collect() -> None:
        with connect(cluster.dsn()) as other:
            while not stop.is_set():
                pipeline.observe_logs(other, store, target_id, now=now())

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(100):
        server.execute(f"select {number} from generate_series(1, 1) as counted_once".encode())
    server.execute("select 'last'")
    query = """select count(*) from executions e join logged_statements using (fingerprint)
               where query like '%%counted_once%%'"""
    deadline = time.monotonic() + 60
    try:
        while value(store, query) < 100:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    follow()
    assert value(store, query) == 100


def test_a_server_elsewhere_is_read_over_sql_in_rounds(
    server: Conn,
    store: Store,
    follow: Callable[..., pipeline.LogReading],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """As RDS and the like would have it: no file, one connection, rights on two functions."""

    def not_here(*_: object, **__: object) -> LogSource:
        raise LogUnreadable("/data/log does not exist on this machine", hint="Mount it here.")

    monkeypatch.setattr(finding, "log_source", not_here)
    monkeypatch.setattr(logs, "_MOST_SQL_BYTES", 20_000)
    monkeypatch.setattr(logs, "_SQL_PIECE_BYTES", 5_000)
    settled(server, log_destination="stderr", log_min_duration_statement="0")
    follow()
    for number in range(300):
        text = f"select {number}, '{'x' * 100}' from generate_series(1, 1) as over_sql"
        server.execute(text.encode())
    first = follow()
    assert 0 < first.statements < 300 and first.bytes_read <= 30_000
    whole = follow(statements=295 - first.statements)
    assert whole.problem is None
    query = """select count(*) from executions e join logged_statements using (fingerprint)
               where query like '%%over_sql%%'"""
    deadline = time.monotonic() + 30
    while value(store, query) < 300:
        assert time.monotonic() < deadline
        server.execute("select 'what makes the entry before it whole'")
        follow()
    assert value(store, query) == 300


def test_a_role_without_rights_is_told_both_ways(
    server: Conn,
    store: Store,
    cluster: Cluster,
    target_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_here(*_: object, **__: object) -> LogSource:
        raise LogUnreadable("/data/log does not exist on this machine", hint="Mount it here.")

    monkeypatch.setattr(finding, "log_source", not_here)
    server.execute("create role plain login; grant pg_monitor to plain")
    try:
        with connect(f"{cluster.dsn()} user=plain") as target:
            reading = pipeline.observe_logs(target, store, target_id, now=now())
    finally:
        server.execute("drop owned by plain; drop role plain")
    problem = value(store, "select log_problem from targets")
    assert problem == reading.problem
    assert "Mount it here." in problem
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(" in problem
    assert "pgadvisor ingest-log" in problem
