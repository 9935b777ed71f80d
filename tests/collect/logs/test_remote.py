"""The log read by the server itself, as from another machine."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.collect.logs.made import line, write

from pgadvisor.cluster import Cluster
from pgadvisor.collect import find_log as finding
from pgadvisor.collect.find_log import find_log, log_folder
from pgadvisor.collect.logs import read_log
from pgadvisor.collect.logs.remote import RemoteFolder
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogBatch, LogFormat, LogPosition, LogSource

READ = "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)"


@pytest.fixture
def role(target_conn: psycopg.Connection[Any]) -> Iterator[str]:
    name = f"reader_{target_conn.info.dbname}"
    target_conn.execute(f"create role {name} login".encode())
    yield name
    target_conn.execute(f"drop owned by {name}; drop role {name}".encode())


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's directory is not on this machine: nothing of it is looked at."""

    def not_here(*_: object, **__: object) -> LogSource:
        raise LogUnreadable("/data/log does not exist on this machine", hint="Mount it here.")

    monkeypatch.setattr(finding, "log_source", not_here)


def as_role(dsn: str, role: str) -> Target:
    return connect(f"{dsn} user={role}")


def read_all(
    source: LogSource, target: Target, position: LogPosition | None, **options: Any
) -> list[LogBatch]:
    folder = log_folder(target, source)
    found = []
    while True:
        batch = read_log(source, position, folder=folder, **options)
        found.append(batch)
        position = batch.position
        if batch.at_end:
            return found


def explained(conn: psycopg.Connection[Any], mark: str) -> None:
    conn.execute("select set_config('auto_explain.log_min_duration', '0', false)")
    conn.execute(f"select '{mark}'".encode())
    conn.execute("select set_config('auto_explain.log_min_duration', '-1', false)")


def test_a_grant_is_all_it_takes(
    target_conn: psycopg.Connection[Any], target_dsn: str, role: str, elsewhere: None
) -> None:
    with as_role(target_dsn, role) as target:
        with pytest.raises(LogUnreadable, match="may not see where") as caught:
            find_log(target)
        target_conn.execute(caught.value.hint.encode())
    with as_role(target_dsn, role) as target:
        with pytest.raises(
            LogUnreadable, match="does not exist on this machine, and our"
        ) as caught:
            find_log(target)
        hint = caught.value.hint
        assert hint.startswith("Mount it here. Or as a superuser run in database ")
        assert "ingest-log" in hint and "pg_monitor" not in hint
        # membership alone is not enough, on no version
        target_conn.execute(f"grant pg_read_server_files to {role}".encode())
        with pytest.raises(LogUnreadable):
            find_log(target)
        grant = hint[hint.index("GRANT EXECUTE") : hint.index(";") + 1]
        assert READ in grant
        target_conn.execute(grant.encode())
        source = find_log(target)
        assert source.over_sql == "log"
        assert source.format is (LogFormat.JSONLOG if target.major >= 15 else LogFormat.CSVLOG)
        position = read_all(source, target, None, from_end=True)[-1].position
        explained(target_conn, "over sql")
        queries = wait_for(source, target, position, "select 'over sql'")
        assert queries.count("select 'over sql'") == 1


def wait_for(
    source: LogSource, target: Target, position: LogPosition | None, query: str
) -> list[str]:
    """Read on until the server's logger has written the query."""
    queries: list[str] = []
    for _ in range(1000):
        for batch in read_all(source, target, position, max_bytes=50_000):
            queries += [capture.query for capture in batch.captures]
            position = batch.position
        if query in queries:
            return queries
        target.conn.execute("select pg_sleep(0.01)")
    raise AssertionError("the log never showed it")


def test_a_position_holds_for_both_ways(
    target_conn: psycopg.Connection[Any], target_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a directory is closed or opened meanwhile, nothing is lost or read twice."""
    with connect(target_dsn) as target:
        local = find_log(target)
        assert local.over_sql is None
        remote = LogSource(
            path=local.path, format=local.format, filename=local.filename, over_sql="log"
        )
        position = read_all(local, target, None, from_end=True)[-1].position
        found = []
        for number, source in enumerate([remote, local, remote]):
            explained(target_conn, f"way {number}")
            for _ in range(1000):
                (batch,) = read_all(source, target, position)
                position = batch.position
                found += [c.query for c in batch.captures if c.query.startswith("select 'way")]
                assert batch.gaps == ()
                if found and found[-1] == f"select 'way {number}'":
                    break
                target_conn.execute("select pg_sleep(0.01)")
        assert found == ["select 'way 0'", "select 'way 1'", "select 'way 2'"]


def test_a_directory_of_the_same_name_is_not_the_servers(
    target_dsn: str, target_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [path.name for path in target_cluster.log_dir.iterdir()]
    for name in names:
        (tmp_path / name).write_bytes(b"of another server")

    def mistaken(*_: object, **__: object) -> LogSource:
        return LogSource(path=str(tmp_path), format=LogFormat.JSONLOG)

    monkeypatch.setattr(finding, "log_source", mistaken)
    with connect(target_dsn) as target:
        assert find_log(target).over_sql == "log"  # a superuser may read it


class Server:
    """Files in the log directory of a real server, read through it."""

    def __init__(self, directory: Path, target: Target, name: str) -> None:
        self._directory, self._target = directory, target
        self.source = LogSource(
            path="/elsewhere/log", format=LogFormat.JSONLOG, filename=name, over_sql="log"
        )
        self.position: LogPosition | None = None
        self.queries: list[str] = []
        self.gaps: list[str] = []

    def path(self, name: str) -> Path:
        return self._directory / name

    def write(self, name: str, content: bytes, second: int) -> Path:
        path = write(self.path(name), content, second)
        path.chmod(0o644)
        return path

    def follow(self, **options: Any) -> None:
        for batch in read_all(self.source, self._target, self.position, **options):
            self.position = batch.position
            self.queries += [capture.query for capture in batch.captures]
            self.gaps += [gap.reason for gap in batch.gaps]


@pytest.fixture
def server(target_cluster: Cluster, target_dsn: str) -> Iterator[Server]:
    with connect(target_dsn) as target:
        made = Server(target_cluster.log_dir, target, f"{target.database}-%a.log")
        yield made
        for path in target_cluster.log_dir.glob(f"{target.database}-*"):
            path.unlink()


def test_rotation_truncation_and_deletion_without_inodes(server: Server) -> None:
    begin = (server.source.filename or "").partition("%")[0]
    monday, tuesday = f"{begin}Mon.json", f"{begin}Tue.json"
    server.write(monday, line("select 1") + line("select 2")[:30], 1)
    server.write(f"{begin}Mon.log", b"of another format", 1)
    server.follow()
    server.write(monday, line("select 2")[30:] + line("select 3"), 2)
    server.write(tuesday, line("select 4"), 3)
    server.follow(max_bytes=200)
    assert server.queries == [f"select {number}" for number in (1, 2, 3, 4)]
    assert server.gaps == []
    # a week later the name comes again
    server.path(monday).unlink()
    server.path(tuesday).unlink()
    server.write(monday, line("select 5") * 9, 4)
    server.follow()
    assert server.queries[4:] == ["select 5"] * 9
    assert server.gaps == ["deleted"]
    server.path(monday).write_bytes(b"")
    server.write(monday, line("select 6"), 5)
    server.follow()
    assert server.queries[13:] == ["select 6"]
    assert server.gaps == ["deleted", "truncated"]
    server.path(monday).unlink()
    server.follow()
    assert server.queries[14:] == []


def test_compressed_file_over_sql(server: Server) -> None:
    name = (server.source.filename or "").replace("%a", "all")
    server.source = replace(server.source, filename=name)
    name = name.replace(".log", ".json")
    path = server.write(name, line("select 1") * 3, 1)
    server.follow()
    server.write(name, line("select 2"), 2)
    whole = path.read_bytes()
    path.unlink()
    server.write(f"{name}.1.gz", gzip.compress(whole), 2)
    server.write(name, line("select 3"), 3)
    server.follow()
    assert server.queries == ["select 1"] * 3 + ["select 2", "select 3"]
    assert server.gaps == []


def test_only_what_is_new_is_asked_for(server: Server) -> None:
    name = (server.source.filename or "").replace("%a", "Mon").replace(".log", ".json")
    path = server.write(name, line("select 1") * 20_000, 1)
    server.follow()
    assert len(server.queries) == 20_000
    server.write(name, line("select 2"), 2)
    asked = 0

    def read(_: str, offset: int, length: int) -> bytes:
        nonlocal asked
        data = path.read_bytes()[offset : offset + length]
        asked += len(data)
        return data

    def listed() -> list[tuple[str, int, datetime]]:
        return [(name, path.stat().st_size, datetime.fromtimestamp(2, UTC))]

    folder = RemoteFolder(server.source, listed, read)
    batch = read_log(server.source, server.position, folder=folder)
    assert [capture.query for capture in batch.captures] == ["select 2"]
    assert asked < 4096
