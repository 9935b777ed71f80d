"""The files of a server's log, read by the server itself: pg_ls_logdir and pg_read_binary_file.

There are no inodes, so a file is told by its name and its first bytes. Source: genfile.c.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from pgadvisor.collect.logs.files import LogFile, listed_file, log_filename
from pgadvisor.collect.logs.folder import LogContent
from pgadvisor.collect.logs.opened import SIGNATURE_BYTES
from pgadvisor.collect.logs.unzipped import Inflations
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogSource

__all__ = ["ListLog", "ReadLog", "RemoteFolder"]

#: name, size and time of the last change of each file
ListLog = Callable[[], Sequence[tuple[str, int, datetime]]]
#: bytes of a path from an offset on, None when there is no such file
ReadLog = Callable[[str, int, int], bytes | None]

#: one statement's answer: the server builds it in memory
_STATEMENT_BYTES = 1024 * 1024


class RemoteFolder:
    """log_directory of a server; both functions ask the server."""

    def __init__(self, source: LogSource, list_log: ListLog, read_log: ReadLog) -> None:
        self._source = source
        self._list_log = list_log
        self._read_log = read_log
        self._inflations = Inflations()

    def files(self) -> Sequence[LogFile]:
        """See `LogFolder`."""
        directory = Path(self._source.over_sql or self._source.path)
        template = log_filename(self._source)
        found = [
            listed_file(
                self._source,
                directory / name,
                template,
                size=size,
                modified_at_ns=round(modified_at.timestamp()) * 10**9,
            )
            for name, size, modified_at in self._list_log()
        ]
        return sorted(found, key=lambda file: (file.modified_at_ns, file.path.name))

    def open(self, file: LogFile) -> AbstractContextManager[LogContent]:
        """See `LogFolder`."""
        content = _RemoteContent(file, self._read_log)
        if file.is_compressed:
            return self._inflations.of(file, content)
        return nullcontext(content)

    def missing(self) -> LogUnreadable | None:
        """See `LogFolder`."""
        return None


class _RemoteContent:
    """One file of the server."""

    is_damaged = False

    def __init__(self, file: LogFile, read_log: ReadLog) -> None:
        self._path = str(file.path)
        self._read_log = read_log
        self._head = b""
        self.size = file.size
        self.modified_at_ns = file.modified_at_ns

    def read(self, offset: int, length: int) -> bytes:
        """See `LogContent`."""
        parts: list[bytes] = []
        while length > 0:
            wanted = min(length, _STATEMENT_BYTES)
            part = self._bytes(offset, wanted)
            parts.append(part)
            if len(part) < wanted:
                break
            offset, length = offset + wanted, length - wanted
        return b"".join(parts)

    def head(self, until: int) -> bytes:
        """See `LogContent`."""
        wanted = min(SIGNATURE_BYTES, until)
        if len(self._head) < wanted:
            self._head = self._bytes(0, SIGNATURE_BYTES)
        return self._head[:wanted]

    def _bytes(self, offset: int, length: int) -> bytes:
        found = self._read_log(self._path, offset, length)
        if found is None:
            raise FileNotFoundError(2, "no such file on the server", self._path)
        return found
