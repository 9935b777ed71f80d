"""Files that rotate, shrink, vanish, are closed to us or hold what no server writes."""

import json
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pgadvisor.collect.logs import read_log
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogBatch, LogFormat, LogPosition, LogSkip, LogSource

PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "
NAME = "postgresql-%Y-%m-%d_%H%M%S.log"
OTHER = b'{"timestamp":"2026-11-22 06:48:41.123 UTC","message":"checkpoint complete"}\n'


def explained(query: str) -> str:
    return json.dumps({"Query Text": query, "Plan": {"Node Type": "Result"}})


def line(query: str, **fields: Any) -> bytes:
    entry = {
        "timestamp": "2026-11-22 06:48:41.123 UTC",
        "user": "ann",
        "dbname": "shop",
        "pid": 7,
        "message": f"duration: 1.500 ms  plan:\n{explained(query)}",
        **fields,
    }
    return json.dumps(entry).encode() + b"\n"


@dataclass
class Reader:
    """Follows a directory of jsonlog files and remembers the queries."""

    source: LogSource
    position: LogPosition | None = None
    queries: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def read(self, **options: Any) -> LogBatch:
        batch = read_log(self.source, self.position, **options)
        self.position = batch.position
        self.queries += [capture.query for capture in batch.captures]
        self.gaps += [gap.reason for gap in batch.gaps]
        for reason, count in batch.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        return batch

    def read_all(self, **options: Any) -> None:
        while not self.read(**options).at_end:
            pass


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(LogSource(path=str(tmp_path), format=LogFormat.JSONLOG, filename=NAME))


def write(path: Path, content: bytes, second: int) -> Path:
    """Append, as of a second of our own counting: file times alone tell the order."""
    with path.open("ab") as file:
        file.write(content)
    os.utime(path, ns=(second * 10**9, second * 10**9))
    return path


def named(directory: Path, hour: int) -> Path:
    return directory / f"postgresql-2026-11-22_{hour:02}0000.json"


def test_partial_last_line_waits_for_its_end(tmp_path: Path, reader: Reader) -> None:
    content = line("select 1") + line("select 2")
    path = write(named(tmp_path, 1), content[:-40], 1)
    reader.read_all()
    assert reader.queries == ["select 1"]
    write(path, content[-40:], 2)
    reader.read_all()
    assert reader.queries == ["select 1", "select 2"]
    assert reader.skipped == {}


def test_empty_directory_then_empty_file_then_a_line(tmp_path: Path, reader: Reader) -> None:
    assert reader.read().position is None
    path = write(named(tmp_path, 1), b"", 1)
    assert reader.read().at_end
    write(path, line("select 1"), 2)
    reader.read_all()
    assert reader.queries == ["select 1"]


def test_old_file_is_read_to_its_end_before_the_next(tmp_path: Path, reader: Reader) -> None:
    old = write(named(tmp_path, 1), line("select 1"), 1)
    reader.read_all()
    write(old, line("select 2"), 2)
    write(named(tmp_path, 2), line("select 3"), 3)
    write(named(tmp_path, 3), line("select 4"), 4)
    reader.read_all(max_bytes=10)
    assert reader.queries == ["select 1", "select 2", "select 3", "select 4"]
    assert reader.gaps == []


def test_renamed_file_is_followed(tmp_path: Path, reader: Reader) -> None:
    reader.source = replace(reader.source, path=str(tmp_path / "server.json"))
    path = write(tmp_path / "server.json", line("select 1"), 1)
    reader.read_all()
    moved = path.rename(tmp_path / "server.json.1")
    write(moved, line("select 2"), 2)
    reader.read_all()
    write(path, line("select 3"), 3)
    reader.read_all()
    assert reader.queries == ["select 1", "select 2", "select 3"]
    assert reader.gaps == []


def test_cut_off_entry_of_a_closed_file_is_counted(tmp_path: Path, reader: Reader) -> None:
    write(named(tmp_path, 1), line("select 1") + line("select 2")[:-9], 1)
    write(named(tmp_path, 2), line("select 3"), 2)
    reader.read_all()
    assert reader.queries == ["select 1", "select 3"]
    assert reader.skipped == {LogSkip.TRUNCATED: 1}


@pytest.mark.parametrize("regrown", [0, 1, 5])
def test_truncation_starts_again_and_says_so(tmp_path: Path, reader: Reader, regrown: int) -> None:
    path = write(named(tmp_path, 1), line("select 1") + line("select 2"), 1)
    reader.read_all()
    path.write_bytes(b"")
    new = [f"select 'new', {number}" for number in range(regrown)]
    write(path, b"".join(map(line, new)), 2)
    reader.read_all()
    assert reader.queries == ["select 1", "select 2", *new]
    assert reader.gaps == ["truncated"]


def test_files_of_weekdays_are_read_in_the_order_of_writing(tmp_path: Path) -> None:
    reader = Reader(LogSource(path=str(tmp_path), format=LogFormat.JSONLOG, filename="pg-%a.log"))
    write(tmp_path / "pg-Mon.json", line("select 'Mon'"), 1)
    reader.read_all()
    write(tmp_path / "pg-Tue.json", line("select 'Tue'"), 2)
    write(tmp_path / "pg-Fri.json", line("select 'Fri'"), 3)
    (tmp_path / "pg-Mon.json").write_bytes(b"")
    write(tmp_path / "pg-Mon.json", line("select 'Mon 2'"), 4)
    reader.read_all()
    assert reader.queries == ["select 'Mon'", "select 'Tue'", "select 'Fri'", "select 'Mon 2'"]
    assert reader.gaps == ["truncated"]


def test_deleted_file_is_a_gap(tmp_path: Path, reader: Reader) -> None:
    write(named(tmp_path, 1), line("select 0"), 1)
    path = write(named(tmp_path, 2), line("select 1"), 2)
    reader.read_all()
    path.unlink()
    assert reader.read().at_end
    assert reader.gaps == []
    write(named(tmp_path, 3), line("select 2"), 3)
    reader.read_all()
    assert reader.queries == ["select 0", "select 1", "select 2"]
    assert reader.gaps == ["deleted"]


def test_touched_old_file_is_not_read_again(tmp_path: Path, reader: Reader) -> None:
    old = write(named(tmp_path, 1), line("select 1"), 1)
    write(named(tmp_path, 9), line("select 2"), 2)
    reader.read_all()
    write(old, b"", 3)
    reader.read_all()
    assert reader.queries == ["select 1", "select 2"]


def test_other_files_are_left_alone(tmp_path: Path, reader: Reader) -> None:
    for number, name in enumerate(["notes.json", "postgresql-2026.csv", "postgresql-2026.log"]):
        write(tmp_path / name, line(f"select '{name}'"), number + 1)
    (tmp_path / "postgresql-dir.json").mkdir()
    assert reader.read() == LogBatch(captures=(), position=None, lines=0, bytes_read=0)


def test_from_end_reads_only_what_comes(tmp_path: Path, reader: Reader) -> None:
    path = write(named(tmp_path, 1), line("select 1") + line("select 2")[:20], 1)
    reader.read(from_end=True)
    write(path, line("select 2")[20:] + line("select 3"), 2)
    reader.read_all()
    assert reader.queries == ["select 2", "select 3"]


def test_from_end_inside_a_long_line_leaves_it_out(tmp_path: Path, reader: Reader) -> None:
    path = write(named(tmp_path, 1), line("select '" + "x" * 200_000)[:150_000], 1)
    reader.read(from_end=True)
    write(path, b"x\n" + line("select 3"), 2)
    reader.read_all()
    assert reader.queries == ["select 3"]


def test_memory_is_bounded_by_the_limit(tmp_path: Path, reader: Reader) -> None:
    large = line("select '" + "x" * 5_000 + "'")
    path = write(named(tmp_path, 1), large[:4_000], 1)
    reader.read_all(limit=1_000, max_bytes=100)
    assert reader.position is not None
    assert reader.position.dropping
    write(path, large[4_000:] + line("select 2"), 2)
    reader.read_all(limit=1_000, max_bytes=100)
    assert reader.queries == ["select 2"]
    assert reader.skipped == {LogSkip.TOO_LARGE: 1}


def test_max_bytes_bounds_a_call(tmp_path: Path, reader: Reader) -> None:
    lines = [line(f"select {number}") for number in range(100)]
    write(named(tmp_path, 1), b"".join(lines), 1)
    batch = reader.read(max_bytes=3 * len(lines[0]))
    assert not batch.at_end
    assert 1 <= len(batch.captures) <= 3
    reader.read_all(max_bytes=3 * len(lines[0]))
    assert reader.queries == [f"select {number}" for number in range(100)]


def one(tmp_path: Path, content: bytes, **source: Any) -> LogBatch:
    """Read content as one file, twice, so that also the last entry in stderr is whole."""
    path = tmp_path / "one.log"
    path.write_bytes(content)
    options = {"format": LogFormat.JSONLOG, "line_prefix": PREFIX, **source}
    where = LogSource(path=str(path), **options)
    first = read_log(where, max_bytes=10**8)
    second = read_log(where, first.position, max_bytes=10**8)
    skipped = dict(first.skipped)
    for reason, count in second.skipped.items():
        skipped[reason] = skipped.get(reason, 0) + count
    return replace(second, captures=first.captures + second.captures, skipped=skipped)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (line("x", message="duration: 1.5 ms  plan:\n"), LogSkip.TRUNCATED),
        (line("x", message='duration: 1.5 ms  plan:\n{"Query Text": "se'), LogSkip.TRUNCATED),
        (line("x", message="duration: 1.5 ms  plan:\n{}"), LogSkip.INVALID),
        (line("x", message='duration: 1.5 ms  plan:\n{"a" 1}'), LogSkip.INVALID),
        (line("x", message='duration: 1.5 ms  plan:\n{"a": NaN}'), LogSkip.INVALID),
        (line("x", message="duration: 1.5 ms  plan:\nQuery Text: x"), LogSkip.TRUNCATED),
        (line("x", message='duration: 1.5 ms  plan:\nQuery Text: "x"'), LogSkip.YAML_PLAN),
        (line("x", message="duration: 1.5 ms  plan:\n<explain xmlns"), LogSkip.XML_PLAN),
        (line("x", message="duration: 1.5 ms  plan:\n" + '{"a":' * 9**5), LogSkip.TOO_DEEP),
        (line("a\x00b"), LogSkip.INVALID),
        (line("x\ud800"), LogSkip.INVALID),
        (line("x", dbname=None), LogSkip.NO_DATABASE),
        (line("x", timestamp="yesterday"), LogSkip.UNKNOWN_TIME),
        (line("x", timestamp="2026-11-22 06:48:41.123 CET"), LogSkip.UNKNOWN_TIME),
        (line("x")[:-20] + b"\n", LogSkip.TRUNCATED),
        (b"[" * 5000 + line("x"), LogSkip.TOO_DEEP),
        (b'"' + line("x"), LogSkip.MALFORMED),
    ],
)
def test_reasons_of_jsonlog(tmp_path: Path, content: bytes, reason: LogSkip) -> None:
    batch = one(tmp_path, line("select 1") + content + OTHER + line("select 2"))
    assert [capture.query for capture in batch.captures] == ["select 1", "select 2"]
    assert batch.skipped == {reason: 1}


def test_values_that_no_database_takes_are_replaced(tmp_path: Path) -> None:
    content = line("select 'é'", user="\ud800", application_name="a\x00b", query_id=2**70)
    (capture,) = one(tmp_path, content.replace(b"shop", b"sh\xffp")).captures
    assert (capture.database, capture.user, capture.application_name) == ("sh\ufffdp", "?", "ab")
    assert capture.queryid is None
    assert capture.query == "select 'é'"


def test_identifier_of_the_plan_goes_before_the_logs(tmp_path: Path) -> None:
    plan = {"Query Text": "x", "Query Identifier": -5, "Plan": {}, "Query Parameters": "$1 = '1'"}
    message = f"duration: 1.5 ms  plan:\n{json.dumps(plan)}"
    (capture,) = one(tmp_path, line("x", message=message, query_id=6, context="f")).captures
    assert capture.queryid == -5
    assert capture.extra == {"Query Parameters": "$1 = '1'"}
    for query_id, context, expected in ((6, {}, 6), (6, {"context": "f"}, None), (0, {}, None)):
        (capture,) = one(tmp_path, line("x", query_id=query_id, **context)).captures
        assert capture.queryid == expected


def test_zone_is_the_one_of_log_timezone(tmp_path: Path) -> None:
    content = line("x", timestamp="2026-07-01 12:00:00.000 CEST")
    (capture,) = one(tmp_path, content, timezone="Europe/Berlin").captures
    assert capture.captured_at.isoformat() == "2026-07-01T10:00:00+00:00"
    with pytest.raises(LogUnreadable, match="Nowhere/Else"):
        one(tmp_path, content, timezone="Nowhere/Else")


def stderr_entry(
    query: str, head: str = "2026-11-22 06:48:41.123 UTC [7] ann@shop app=a id=9 LOG"
) -> str:
    return f"{head}:  duration: 1.500 ms  plan:\n\t{{\n\t  {explained(query)[1:-1]}\n\t}}\n"


def test_stderr_of_other_languages_and_verbosity(tmp_path: Path) -> None:
    head = "2026-11-22 06:48:41.123 UTC [7] ann@shop app=a b: c id=9 "
    content = (
        stderr_entry("select 1", f"{head}日志")
        + f"{head}上下文:  f\n"
        + stderr_entry("select 2", head + "PROTOKÓŁ:  00000").replace("00000:  d", "00000: d")
        + stderr_entry("select 3", "nonsense LOG")
        + stderr_entry("select 4", f"{head}LOG")
    )
    batch = one(tmp_path, content.encode(), format=LogFormat.STDERR)
    found = [(capture.query, capture.queryid) for capture in batch.captures]
    assert found == [("select 1", None), ("select 2", 9), ("select 4", 9)]
    assert {capture.application_name for capture in batch.captures} == {"a b: c"}
    assert batch.skipped == {LogSkip.NO_PREFIX: 1}


@pytest.mark.parametrize(
    ("line_prefix", "head", "reason"),
    [
        ("[%p] %u@%d ", "[7] ann@shop LOG", LogSkip.NO_TIME),
        ("%m [%p] ", "2026-11-22 06:48:41.123 UTC [7] LOG", LogSkip.NO_DATABASE),
    ],
)
def test_prefix_that_tells_too_little(
    tmp_path: Path, line_prefix: str, head: str, reason: LogSkip
) -> None:
    content = stderr_entry("select 1", head).encode()
    batch = one(tmp_path, content, format=LogFormat.STDERR, line_prefix=line_prefix)
    assert (batch.captures, batch.skipped) == ((), {reason: 1})


def csv_record(query: str) -> bytes:
    message = f"duration: 1.500 ms  plan:\n{explained(query)}".replace('"', '""')
    columns = ["2026-11-22 06:48:41.123 UTC", '"ann"', '"shop"', "7", *[""] * 22]
    columns[13], columns[22], columns[25] = f'"{message}"', '"app"', "-9"
    return ",".join(columns).encode() + b"\n"


def test_csv_record_without_its_end_takes_no_other_with_it(tmp_path: Path) -> None:
    cut = csv_record("select 2")
    content = csv_record("select 1") + cut[: len(cut) // 2] + b"\n" + csv_record("select\n3")
    for tail in (b"", csv_record("select 4")):
        batch = one(tmp_path, content + tail, format=LogFormat.CSVLOG)
        queries = [capture.query for capture in batch.captures]
        assert queries == ["select 1", "select\n3", "select 4"][: 3 if tail else 2]
        assert batch.skipped == {LogSkip.TRUNCATED: 1}


def test_csv_columns_of_version_13(tmp_path: Path) -> None:
    content = csv_record("select 1").replace(b",,-9\n", b"\n")
    (capture,) = one(tmp_path, content, format=LogFormat.CSVLOG).captures
    assert (capture.queryid, capture.application_name, capture.pid) == (None, "app", 7)


MEGABYTE = 1024 * 1024
_MARK = b" ms  plan:"
EVIL = [
    b'"' * MEGABYTE,
    b',"' * (MEGABYTE // 2),
    b"@ app= id=" * (MEGABYTE // 10) + b" LOG:  duration: 1.0" + _MARK,
    b"2026-11-22 06:48:41.123 UTC [7] " + b"@ app= id=1 " * 300 + b"LOG:  duration: 1.0" + _MARK,
    b"LOG:  duration: " * (MEGABYTE // 16) + b"1.0" + _MARK,
    b"duration: " + b"9" * MEGABYTE + _MARK,
    (b"x" + _MARK + b"\n") * (MEGABYTE // 12),
    b"2026-11-22 06:48:41.123 UTC,\n" * (MEGABYTE // 30),
    b'2026-11-22 06:48:41.123 UTC,"' + b"\n2026-11-22 06:48:41.123 U" * (MEGABYTE // 26),
    b'{"message":"' + b"\\\\" * (MEGABYTE // 2) + b'duration: 1.0 ms  plan:\\n{"}',
    b'{"message":"duration: 1.0 ms  plan:\\n{' + b"\\\\\\\\u" * (MEGABYTE // 5) + b'"}',
    b"\n\t" * (MEGABYTE // 2),
    b"LOG:  duration: 1.0" + _MARK + b"\n\t{" * (MEGABYTE // 3),
]


@pytest.mark.parametrize("format_", list(LogFormat))
@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_evil_megabyte_takes_linear_time(tmp_path: Path, format_: LogFormat, evil: bytes) -> None:
    good = {
        LogFormat.JSONLOG: line("select 1"),
        LogFormat.CSVLOG: csv_record("select 1"),
        LogFormat.STDERR: stderr_entry("select 1").encode(),
    }[format_]
    started = time.process_time()
    batch = one(tmp_path, good + evil + b"\n" + good + good, format=format_)
    # quadratic in a megabyte would be hours; this allows for a slow machine
    assert time.process_time() - started < 5
    # an unclosed quote takes the record behind it along, never more
    assert 2 <= len(batch.captures) <= 3


def test_missing_directory_says_what_to_do(tmp_path: Path, reader: Reader) -> None:
    shutil.rmtree(tmp_path)
    with pytest.raises(LogUnreadable, match="does not exist on this machine") as caught:
        reader.read()
    assert "on the machine of the server" in caught.value.hint
    with pytest.raises(LogUnreadable, match=r"one\.json does not exist"):
        read_log(replace(reader.source, path=str(tmp_path.parent / "one.json")))
