"""A log that comes as a stream: any cut, gzip, going on, memory."""

import gzip
import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.logs.made import line

from pgadvisor.collect.logs.stream import ByteStream, LogStream, start_of_stream
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogBatch, LogFormat, LogPosition, LogSource

SOURCE = LogSource(path="-", format=LogFormat.JSONLOG)
LINES = [line(f"select {number}") for number in range(200)]
WHOLE = b"".join(LINES)


class Dripping:
    """A pipe: reads give less than was asked for."""

    def __init__(self, content: bytes, drop: int) -> None:
        self._file = io.BytesIO(content)
        self._drop = drop

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._drop))


def batches(
    stream: ByteStream, position: LogPosition | None = None, *, piece_bytes: int = 4096
) -> list[LogBatch]:
    opened = LogStream(stream, piece_bytes=piece_bytes)
    return list(opened.batches(SOURCE, position or start_of_stream("-")))


def queries(found: list[LogBatch]) -> list[str]:
    return [capture.query for batch in found for capture in batch.captures]


ALL = [f"select {number}" for number in range(200)]


@settings(max_examples=30)
@given(piece=st.integers(1, 9000), drop=st.integers(1, 5000), is_zipped=st.booleans())
def test_cuts_do_not_matter(piece: int, drop: int, is_zipped: bool) -> None:
    content = gzip.compress(WHOLE) if is_zipped else WHOLE
    found = batches(Dripping(content, drop), piece_bytes=piece)
    assert queries(found) == ALL
    last = found[-1].position
    assert last is not None and last.offset == len(WHOLE)
    assert sum(batch.lines for batch in found) == 200


@settings(max_examples=30)
@given(first=st.integers(0, len(WHOLE)), piece=st.integers(100, 9000))
def test_the_next_run_goes_on_where_the_first_ended(first: int, piece: int) -> None:
    begin = batches(io.BytesIO(WHOLE[:first]), piece_bytes=piece)
    position = begin[-1].position if begin else None
    end = batches(io.BytesIO(WHOLE), position, piece_bytes=piece)
    assert queries(begin) + queries(end) == ALL
    last = end[-1].position if end else position
    assert batches(io.BytesIO(gzip.compress(WHOLE)), last) == []


def test_a_stream_is_known_by_its_first_bytes() -> None:
    position = batches(io.BytesIO(WHOLE[:5000]))[-1].position
    assert position is not None
    assert LogStream(io.BytesIO(WHOLE)).is_at(position)
    assert LogStream(io.BytesIO(gzip.compress(WHOLE))).is_at(position)
    assert not LogStream(io.BytesIO(WHOLE[1:])).is_at(position)
    assert not LogStream(io.BytesIO(b"")).is_at(position)
    assert not LogStream(io.BytesIO(WHOLE)).is_at(start_of_stream("-"))


def test_a_line_without_its_end_waits() -> None:
    found = batches(io.BytesIO(WHOLE[:-30]))
    assert queries(found) == ALL[:-1]
    assert found[-1].skipped == {}
    assert queries(batches(io.BytesIO(WHOLE), found[-1].position)) == ALL[-1:]


@pytest.mark.parametrize("content", [b"", b"\n", b"\x1f\x8b", b"\xff" * 100, b'{"a":1}\n'])
def test_nothing_in_it(content: bytes) -> None:
    try:
        assert queries(batches(io.BytesIO(content))) == []
    except LogUnreadable as exc:
        assert content == b"\x1f\x8b" and "gzip" in exc.message


def test_damaged_gzip_gives_what_it_can_and_then_says_so() -> None:
    content = gzip.compress(b"".join(line(f"select {n * 7919 % 10**9}") for n in range(9000)))
    found: list[LogBatch] = []
    with pytest.raises(LogUnreadable, match="damaged"):
        found.extend(_each(content[:-9000]))
    assert found


def _each(content: bytes) -> Iterator[LogBatch]:
    return LogStream(io.BytesIO(content), piece_bytes=4096).batches(SOURCE, start_of_stream("-"))


class Endless:
    """A line that never ends, and then does."""

    def __init__(self, size: int, end: bytes) -> None:
        self._left, self._end = size, end

    def read(self, size: int, /) -> bytes:
        if self._left <= 0:
            end, self._end = self._end, b""
            return end
        self._left -= size
        return b"x" * size


def test_memory_stays_flat_whatever_comes() -> None:
    stream = Endless(60_000_000, b"\n" + line("select 1"))
    tracemalloc.start()
    opened = LogStream(stream, piece_bytes=256 * 1024)
    found = list(opened.batches(SOURCE, start_of_stream("-"), limit=1_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert queries(found) == ["select 1"]
    assert peak < 8_000_000


def test_a_bomb_is_read_in_pieces() -> None:
    bomb = gzip.compress(b"\n" * 50_000_000)
    tracemalloc.start()
    opened = LogStream(io.BytesIO(bomb), piece_bytes=256 * 1024)
    lines = sum(batch.lines for batch in opened.batches(SOURCE, start_of_stream("-")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == 50_000_000
    assert peak < 8_000_000
