"""A log that comes as bytes, one after the other: a file by name, standard input, a request.

Memory is bounded by the piece that is looked at, whatever comes and however long.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from pgadvisor.collect.logs.batch import Gathered
from pgadvisor.collect.logs.entry import ENTRY_LIMIT_BYTES
from pgadvisor.collect.logs.formats import split_entries
from pgadvisor.collect.logs.opened import SIGNATURE_BYTES, is_signed, signed
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.collect.logs.unzipped import GZIP_MAGIC, Inflation
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogBatch, LogPosition, LogSource

__all__ = ["ByteStream", "LogStream", "start_of_stream", "unpacked_size"]

#: what format and prefix are guessed from
_SAMPLE_BYTES = 256 * 1024
_PIECE_BYTES = 4 * 1024 * 1024


class ByteStream(Protocol):
    """What is read from: an open file, sys.stdin.buffer, ..."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""


def start_of_stream(name: str, offset: int = 0) -> LogPosition:
    """The position at an offset of a stream that was never read; the name is for people."""
    empty = LogPosition(
        path=name,
        device=0,
        inode=0,
        offset=offset,
        size=-1,
        modified_at_ns=0,
        signature="",
        signature_bytes=0,
    )
    return signed(empty, b"")


def unpacked_size(stream: ByteStream, *, most: int, must_be_gzip: bool = False) -> int:
    """Bytes of a stream, of gzip those that it unpacks to; counted until they are over `most`.

    Raises `LogUnreadable` for a stream that is no gzip and must be.
    """
    begin = stream.read(len(GZIP_MAGIC))
    if must_be_gzip and begin != GZIP_MAGIC:
        raise LogUnreadable(
            "the log is said to be gzip and is not",
            hint="Leave out the header Content-Encoding: gzip.",
        )
    unpacked: ByteStream = _Unzipping(begin, stream) if begin == GZIP_MAGIC else stream
    size = 0 if begin == GZIP_MAGIC else len(begin)
    while size <= most and (part := unpacked.read(_SAMPLE_BYTES)):
        size += len(part)
    return size


class LogStream:
    """A log as a stream; gzip is seen by its first bytes and read as what was compressed.

    `begin` is the offset in the log that the stream begins at, where it is only a piece;
    `signature_bytes` are those that the log is known again by.
    """

    def __init__(
        self,
        stream: ByteStream,
        *,
        begin: int = 0,
        signature_bytes: int = SIGNATURE_BYTES,
        piece_bytes: int = _PIECE_BYTES,
    ) -> None:
        self._stream = stream
        self._piece_bytes = piece_bytes
        self._buffer = b""
        self._has_ended = False
        self._fill(len(GZIP_MAGIC))
        if self._buffer.startswith(GZIP_MAGIC):
            self._stream, self._buffer = _Unzipping(self._buffer, stream), b""
        #: the first bytes, for the guess of format and prefix
        self.sample = self._sample()
        #: those of them that a position is signed with
        self.head = self.sample[:signature_bytes]
        #: bytes that were passed over, being known
        self.known_bytes = 0
        self._begin = begin
        #: offset of the buffer's first byte
        self._offset = begin

    def is_at(self, position: LogPosition) -> bool:
        """The stream begins as the one did that the position was made of."""
        return position.signature_bytes > 0 and is_signed(position, self.head)

    def batches(
        self,
        source: LogSource,
        position: LogPosition,
        *,
        final: bool = True,
        limit: int = ENTRY_LIMIT_BYTES,
    ) -> Iterator[LogBatch]:
        """The records behind `position`, piece by piece, each with the position behind it.

        The last entry is whole when it ends in a newline, being written at once; else it is left
        for another time, as it is always where the stream is cut anywhere: not `final`.
        Raises `LogUnreadable` for damaged gzip and an unknown log_timezone.
        """
        started = Started()
        if not self._skip_to(position.offset):
            return
        while True:
            self._fill(self._piece_bytes)
            data, is_last = self._buffer, final and self._has_ended
            if is_last:
                data = data[: data.rfind(b"\n") + 1]
            split = split_entries(
                source, data, final=is_last, dropping=position.dropping, limit=limit
            )
            moved = replace(
                position, offset=position.offset + split.consumed, dropping=split.dropping
            )
            # only the log's first bytes make it known again
            position = moved if self._begin else signed(moved, self.head)
            gathered = Gathered(source, started)
            gathered.add(data, split)
            self._drop(split.consumed)
            if split.consumed:
                yield gathered.batch(position=position, at_end=self._has_ended)
            if self._has_ended:
                if isinstance(self._stream, _Unzipping):
                    self._stream.check()
                return

    def _sample(self) -> bytes:
        self._fill(_SAMPLE_BYTES)
        return self._buffer[:_SAMPLE_BYTES]

    def _skip_to(self, offset: int) -> bool:
        """Go to an offset; False when the stream ends before it."""
        while self._offset < offset:
            if not self._buffer:
                self._fill(self._piece_bytes)
                if not self._buffer:
                    return False
            self.known_bytes += min(len(self._buffer), offset - self._offset)
            self._drop(min(len(self._buffer), offset - self._offset))
        return True

    def _drop(self, count: int) -> None:
        self._buffer = self._buffer[count:]
        self._offset += count

    def _fill(self, more: int) -> None:
        """Have `more` bytes behind those that are held, fewer at the end."""
        parts = [self._buffer]
        while more > 0 and not self._has_ended:
            part = self._stream.read(more)
            parts.append(part)
            more -= len(part)
            self._has_ended = not part
        self._buffer = b"".join(parts)


class _Unzipping:
    """What a gzip stream was made of, all of it that can be had."""

    def __init__(self, begin: bytes, stream: ByteStream) -> None:
        #: bytes that were passed over, being known
        self.known_bytes = 0
        self._begin = begin
        self._stream = stream
        self._inflation = Inflation()
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """See `ByteStream`."""
        fresh = self._left or self._inflation.step(_InOrder(self))
        self._left = fresh[size:]
        return fresh[:size]

    def check(self) -> None:
        """Raise `LogUnreadable` where the end was not the end of a gzip file."""
        if self._inflation.is_damaged:
            raise LogUnreadable(
                "the log is damaged as a gzip file: only what could be unpacked was read",
                hint="Test it with gzip -t, and copy it again.",
            )

    def compressed(self, length: int) -> bytes:
        """The next compressed bytes."""
        begin, self._begin = self._begin, b""
        return begin or self._stream.read(length)


@dataclass(frozen=True, slots=True)
class _InOrder:
    """Compressed bytes as `Inflation` asks for them, one after the other."""

    unzipping: _Unzipping
    modified_at_ns: int = 0

    def read(self, offset: int, length: int) -> bytes:
        return self.unzipping.compressed(length)
