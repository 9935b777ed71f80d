"""The three formats that one real server writes at once tell the same, however they are cut."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgadvisor.cluster import Cluster
from pgadvisor.collect.logs import log_source, read_log
from pgadvisor.records.log import LogBatch, LogFormat, LogPosition, LogSkip, LogSource
from pgadvisor.records.workload import PlanCapture, PlanSource

Conn = psycopg.Connection[Any]


@dataclass
class Follower:
    """Reads one log again and again, as the worker does."""

    source: LogSource
    position: LogPosition | None = None
    captures: list[PlanCapture] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    lines: int = 0

    def read(self, **options: Any) -> LogBatch:
        batch = read_log(self.source, self.position, **options)
        self.position = batch.position
        self.captures += batch.captures
        self.lines += batch.lines
        self.gaps += [gap.reason for gap in batch.gaps]
        for reason, count in batch.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        return batch

    def read_all(self, **options: Any) -> None:
        while not self.read(**options).at_end:
            pass


def server_settings(conn: Conn) -> dict[str, str]:
    rows = conn.execute("select name, setting from pg_settings where setting is not null")
    return dict(rows.fetchall())


def source_of(conn: Conn, format_: LogFormat) -> LogSource:
    found = server_settings(conn)
    return LogSource(
        path=f"{found['data_directory']}/{found['log_directory']}",
        format=format_,
        filename=found["log_filename"],
        line_prefix=found["log_line_prefix"],
        timezone=found["log_timezone"],
    )


@contextmanager
def explaining(conn: Conn, **settings: str) -> Iterator[None]:
    """auto_explain from 0 ms on, in this session."""
    wanted = {"log_min_duration": "0", "log_nested_statements": "on", **settings}
    for name, value in wanted.items():
        conn.execute("select set_config(%s, %s, false)", (f"auto_explain.{name}", value))
    yield
    for name in wanted:
        conn.execute(f"reset auto_explain.{name}")


def formats(conn: Conn) -> list[LogFormat]:
    """Those that the server writes, the best first."""
    return [one for one in LogFormat if one is not LogFormat.JSONLOG or _version(conn) >= 15]


def _version(conn: Conn) -> int:
    return conn.info.server_version // 10000


def followers(conn: Conn) -> dict[LogFormat, Follower]:
    """A follower of each format, at the end of its log."""
    found = {format_: Follower(source_of(conn, format_)) for format_ in formats(conn)}
    for follower in found.values():
        follower.read(from_end=True)
    return found


def until(conn: Conn, holds: Callable[[], bool]) -> None:
    """Wait for what the server's logger does after it has answered."""
    for _ in range(1000):
        if holds():
            return
        conn.execute("select pg_sleep(0.01)")
    raise AssertionError("the log never showed what it should")


def follow_until_end(conn: Conn, found: dict[LogFormat, Follower]) -> None:
    """Read all logs up to a plan that is asked for here, which is then left out."""
    mark = f"select 'end of test {id(found)}'"
    with explaining(conn):
        conn.execute(mark)
    # the end of an entry in stderr is seen at the next one
    conn.execute("do $$ begin raise log 'next'; end $$")
    for follower in found.values():
        until(conn, lambda follower=follower: has_seen(follower, mark))  # type: ignore[misc]
        follower.captures = [
            capture
            for capture in follower.captures
            if capture.database == conn.info.dbname
            and capture.query != mark
            and "set_config" not in capture.query
        ]


def has_seen(follower: Follower, mark: str) -> bool:
    follower.read_all()
    return any(capture.query == mark for capture in follower.captures)


WORKLOAD = (
    "create table t as select g id, g % 10 k, repeat('x', 50) v from generate_series(1, 2000) g",
    "create function nested(i int) returns bigint language plpgsql as $$ declare r bigint; begin "
    "select count(*) into r from t\nwhere k = i; return r; end $$",
    "create function outer_one(i int) returns bigint language sql volatile set work_mem = '8MB' "
    "as $$ select nested(i) $$",
    "select nested(3)",
    "select outer_one(3)",
    'select id, v as "a ""b"" c"\nfrom t\n\twhere v <> E\'a"b\\nc\' and k = 3 -- é 日本 \\ "',
    "select * from t where id between 5 and 9 order by v, k desc",
    "update t set k = k + 1 where id < 100",
)


def run_workload(conn: Conn) -> None:
    with explaining(conn):
        for statement in WORKLOAD:
            conn.execute(statement)


@pytest.fixture
def real_logs(target_conn: Conn) -> dict[LogFormat, Follower]:
    """What a workload left in the three logs, read while the server had written them."""
    found = followers(target_conn)
    target_conn.execute("set application_name to 'my app id=5 [x], \"q\" %'")
    run_workload(target_conn)
    follow_until_end(target_conn, found)
    return found


@pytest.fixture(scope="session")
def log_bytes(
    target_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> dict[LogFormat, tuple[LogSource, bytes]]:
    """The bytes that a workload adds to the logs, with the source they came from."""
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        before = followers(conn)
        conn.execute("create schema fuzzed")
        conn.execute("set search_path to fuzzed")
        run_workload(conn)
        conn.execute("drop schema fuzzed cascade")
        after = {format_: Follower(f.source, f.position) for format_, f in before.items()}
        follow_until_end(conn, after)
        found = {}
        for format_, follower in before.items():
            position = follower.position
            assert position is not None
            with Path(position.path).open("rb") as file:
                file.seek(position.offset)
                found[format_] = (follower.source, file.read())
    return found


def test_formats_give_equal_captures(real_logs: dict[LogFormat, Follower]) -> None:
    best, *others = real_logs.values()
    assert best.captures and others
    assert best.skipped == {}
    for other in others:
        assert other.captures == best.captures
        assert other.skipped == {}


def test_captures_tell_what_the_server_knows(
    target_conn: Conn, real_logs: dict[LogFormat, Follower]
) -> None:
    captures = real_logs[LogFormat.CSVLOG].captures
    capture = next(capture for capture in captures if "between 5 and 9" in capture.query)
    row = target_conn.execute(
        "select queryid, current_user, pg_backend_pid(), now() from pg_stat_statements "
        "where query like '%between $1 and $2%' "
        "and dbid = (select oid from pg_database where datname = current_database())"
    ).fetchone()
    assert row is not None
    # PostgreSQL 13 writes no queryid into its log
    queryid = row[0] if _version(target_conn) >= 14 else None
    assert (capture.queryid, capture.user, capture.pid) == (queryid, *row[1:3])
    assert 0 <= (row[3] - capture.captured_at).total_seconds() < 60
    assert capture.source is PlanSource.AUTO_EXPLAIN
    assert capture.application_name == 'my app id=5 [x], "q" %'
    assert capture.plan["Node Type"] == "Sort"
    assert capture.duration_ms is not None
    assert capture.duration_ms > 0
    assert "Plan" not in capture.extra
    assert "Query Text" not in capture.extra
    assert [c.query for c in captures if "nested(3)" in c.query] == ["select nested(3)"]
    assert WORKLOAD[5] in [c.query for c in captures]


def test_nested_statement_has_not_the_id_of_the_outer(
    target_conn: Conn, real_logs: dict[LogFormat, Follower]
) -> None:
    for follower in real_logs.values():
        # PL/pgSQL puts blanks where INTO stood
        nested = [c for c in follower.captures if c.query.lstrip().startswith("select count(*)  ")]
        assert [capture.queryid for capture in nested] == [None, None]
        outer = next(c for c in follower.captures if c.query == "select nested(3)")
        assert (outer.queryid is not None) is (_version(target_conn) >= 14)


def test_skips_are_counted_alike(target_conn: Conn) -> None:
    found = followers(target_conn)
    with explaining(target_conn):
        target_conn.execute("select /* pgadvisor */ 1")
        target_conn.execute("select '/* not pgadvisor */'")
    for log_format in ("text", "xml", "yaml"):
        with explaining(target_conn, log_format=log_format):
            target_conn.execute("select 1\nas one")
    follow_until_end(target_conn, found)
    # what set_config switches on is also explained, in the format that holds by then
    for follower in found.values():
        reasons = {LogSkip.OWN_STATEMENT, LogSkip.XML_PLAN, LogSkip.YAML_PLAN}
        assert follower.skipped.keys() == reasons
        assert follower.skipped[LogSkip.OWN_STATEMENT] == 1
        queries = [capture.query for capture in follower.captures]
        assert queries == ["select '/* not pgadvisor */'", "select 1\nas one"]
    best, *others = (follower.skipped for follower in found.values())
    assert all(other == best for other in others)


def test_rotation_by_the_server_loses_nothing(target_conn: Conn) -> None:
    found = followers(target_conn)
    expected = []
    for number in range(3):
        with explaining(target_conn):
            target_conn.execute(f"select 'rotated', {number}")
        expected.append(f"select 'rotated', {number}")
        rotate(target_conn)
        if number == 1:
            found[LogFormat.CSVLOG].read_all()
    follow_until_end(target_conn, found)
    for follower in found.values():
        assert [c.query for c in follower.captures if "rotated" in c.query] == expected
        assert follower.gaps == []


def rotate(conn: Conn) -> None:
    """Wait for a new name; names have seconds."""

    def current() -> Any:
        return conn.execute("select pg_current_logfile('csvlog')").fetchone()

    before = current()

    def is_new() -> bool:
        conn.execute("select pg_rotate_logfile()")
        return bool(current() != before)

    until(conn, is_new)


def test_log_source_of_a_real_server(target_conn: Conn) -> None:
    found = server_settings(target_conn)
    current = {
        format_.value: row[0]
        for format_ in formats(target_conn)
        if (row := target_conn.execute("select pg_current_logfile(%s)", (format_,)).fetchone())
    }
    source = log_source(found, found["data_directory"], current)
    assert source == source_of(target_conn, formats(target_conn)[0])
    found["log_destination"] = "stderr"
    source = log_source(found, found["data_directory"], current)
    assert source == source_of(target_conn, LogFormat.STDERR)


def written(
    log_bytes: dict[LogFormat, tuple[LogSource, bytes]], format_: LogFormat
) -> tuple[LogSource, bytes]:
    """The bytes in a format, where the server writes it."""
    if format_ not in log_bytes:
        pytest.skip("jsonlog came with PostgreSQL 15")
    return log_bytes[format_]


FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def whole(source: LogSource, data: bytes, directory: Path, **options: Any) -> Follower:
    """What is found in some bytes when they are read in one go."""
    path = directory / "whole.log"
    path.write_bytes(data)
    follower = Follower(LogSource(**{**fields_of(source), "path": str(path)}))
    follower.read_all(max_bytes=2 * len(data) + 1, **options)
    follower.read_all()
    return follower


def fields_of(source: LogSource) -> dict[str, Any]:
    return {name: getattr(source, name) for name in ("format", "line_prefix", "timezone")}


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("format_", list(LogFormat))
def test_any_cut_gives_the_same(
    log_bytes: dict[LogFormat, tuple[LogSource, bytes]],
    tmp_path: Path,
    format_: LogFormat,
    data: st.DataObject,
) -> None:
    source, content = written(log_bytes, format_)
    limit = data.draw(st.integers(800, 4_000) | st.just(1_000_000))
    expected = whole(source, content, tmp_path, limit=limit)
    assert expected.captures or limit <= 4_000
    cuts = data.draw(st.lists(st.integers(1, len(content)), max_size=12, unique=True).map(sorted))
    path = tmp_path / "cut.log"
    path.unlink(missing_ok=True)
    follower = Follower(LogSource(**{**fields_of(source), "path": str(path)}))
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        with path.open("ab") as file:
            file.write(content[start:end])
        max_bytes = data.draw(st.integers(1, 20_000) | st.just(10**7))
        follower.read_all(max_bytes=max_bytes, limit=limit)
    follower.read_all()
    assert follower.captures == expected.captures
    assert follower.skipped == expected.skipped
    assert follower.lines == expected.lines == content.count(b"\n")
    assert follower.gaps == []


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("format_", list(LogFormat))
def test_damage_never_raises_and_stays_local(
    log_bytes: dict[LogFormat, tuple[LogSource, bytes]],
    tmp_path: Path,
    format_: LogFormat,
    data: st.DataObject,
) -> None:
    source, content = written(log_bytes, format_)
    at = data.draw(st.integers(0, len(content) // 2))
    lost = data.draw(st.integers(0, 400))
    junk = data.draw(st.binary(max_size=30))
    damaged = content[:at] + junk + content[at + lost :]
    expected = whole(source, content, tmp_path)
    follower = whole(source, damaged, tmp_path)
    assert follower.gaps == []
    # whatever was hit, the last captures are found again
    assert follower.captures[-2:] == expected.captures[-2:]


def test_following_a_growing_file_needs_no_rescan(
    log_bytes: dict[LogFormat, tuple[LogSource, bytes]], tmp_path: Path
) -> None:
    source, content = next(iter(log_bytes.values()))
    follower = whole(source, content, tmp_path)
    position = follower.position
    assert position is not None
    assert position.offset == os.path.getsize(position.path)
    assert follower.read().bytes_read == 0
