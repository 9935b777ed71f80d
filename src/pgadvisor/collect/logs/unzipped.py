"""The bytes that a gzip file was made of, read at an offset as from any other file.

Rotated logs are compressed behind our back, usually by logrotate. What had not been read by then
is found again in the compressed file, at the same offset.
"""

import zlib
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from pgadvisor.collect.logs.files import LogFile

__all__ = ["GZIP_MAGIC", "Inflation", "Inflations", "Raw", "Unzipped"]

#: how every gzip file begins
GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_RAW_BYTES = 64 * 1024
_STEP_BYTES = 256 * 1024
_HEAD_BYTES = 1024


class Raw(Protocol):
    """The compressed file, opened."""

    @property
    def modified_at_ns(self) -> int:
        """When it was last written to."""

    def read(self, offset: int, length: int) -> bytes:
        """Its bytes from an offset on."""


class Inflation:
    """How far a file was decompressed: going on from there spares beginning anew.

    Reads the compressed bytes once, in their order, until it is restarted.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin at the first byte again."""
        self.inflater = zlib.decompressobj(_GZIP)
        #: compressed bytes that were read, and those of them that were not looked at
        self.read_to = 0
        self._rest = b""
        #: offset of the next decompressed byte, and the bytes before it that were given out last
        self.at = 0
        self.window = b""
        self.head = b""
        self.has_ended = False
        self.is_damaged = False

    def step(self, raw: Raw) -> bytes:
        """The next bytes; none at the end, nor where the file is damaged."""
        while not self.has_ended:
            data = self.inflater.unconsumed_tail or self._more(raw)
            try:
                fresh = self.inflater.decompress(data, _STEP_BYTES)
            except zlib.error:
                data, fresh, self.is_damaged = b"", b"", True
            if self.inflater.eof:
                self._next_member(raw)
            elif not data and not fresh:
                self.has_ended = self.is_damaged = True
            if fresh:
                self.at += len(fresh)
                self.head += fresh[: _HEAD_BYTES - len(self.head)]
                return fresh
        return b""

    def _more(self, raw: Raw) -> bytes:
        data, self._rest = self._rest, b""
        if not data:
            data = raw.read(self.read_to, _RAW_BYTES)
            self.read_to += len(data)
        return data

    def _next_member(self, raw: Raw) -> None:
        """Files that were put together are one; what follows otherwise is padding."""
        self._rest = self.inflater.unused_data
        self._rest = self._more(raw)
        self.inflater = zlib.decompressobj(_GZIP)
        self.has_ended = not self._rest.startswith(GZIP_MAGIC)


class Unzipped:
    """An opened gzip file, decompressed."""

    def __init__(self, raw: Raw, inflation: Inflation) -> None:
        self._raw = raw
        self._inflation = inflation
        self.modified_at_ns = raw.modified_at_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(self._raw, AbstractContextManager):
            self._raw.__exit__(exc_type, exc, traceback)

    @property
    def size(self) -> int:
        """Decompressed bytes known of: one more than were seen, until the end was."""
        return self._inflation.at + (not self._inflation.has_ended)

    @property
    def is_damaged(self) -> bool:
        """The file ends too early, or not as gzip."""
        return self._inflation.is_damaged

    def read(self, offset: int, length: int) -> bytes:
        """The decompressed bytes from an offset on, fewer only at the end."""
        inflation = self._inflation
        since = inflation.at - len(inflation.window)
        if offset < since:
            inflation.restart()
            since = 0
        found = bytearray(inflation.window[offset - since :])
        while len(found) < length:
            begin = inflation.at
            if not (fresh := inflation.step(self._raw)):
                break
            found += fresh[max(0, offset - begin) :]
        inflation.window = bytes(found)
        return inflation.window[:length]

    def head(self, until: int) -> bytes:
        """What a signature up to an offset is made of."""
        wanted = min(_HEAD_BYTES, until)
        if len(self._inflation.head) < wanted and not self._inflation.has_ended:
            self.read(0, wanted)
        return self._inflation.head[:wanted]


class Inflations:
    """Remembers the last file that was decompressed, so that its next piece costs no more."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._inflation = Inflation()

    def of(self, file: LogFile, raw: Raw) -> Unzipped:
        """The file, decompressed."""
        key = (file.path, file.device, file.inode, file.size, file.modified_at_ns)
        if key != self._key:
            self._key, self._inflation = key, Inflation()
        return Unzipped(raw, self._inflation)
