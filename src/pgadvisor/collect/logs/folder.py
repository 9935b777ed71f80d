"""What a log is read from: files of this machine, or of the server through SQL."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.collect.logs.files import LogFile, log_files
from pgadvisor.collect.logs.opened import Opened
from pgadvisor.collect.logs.unzipped import Inflations
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogSource

__all__ = ["LocalFolder", "LogContent", "LogFolder"]


class LogContent(Protocol):
    """The bytes of one file; of a compressed one, those that were compressed."""

    @property
    def size(self) -> int:
        """Bytes; of a compressed file, more than was read until its end was read."""

    @property
    def modified_at_ns(self) -> int:
        """When it was last written to."""

    @property
    def is_damaged(self) -> bool:
        """True for a compressed file that ends too early."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from an offset on, fewer only at the end of the file."""

    def head(self, until: int) -> bytes:
        """What a signature up to an offset is made of."""


class LogFolder(Protocol):
    """The place where the files of a log stand."""

    def files(self) -> Sequence[LogFile]:
        """All files there, oldest first; raises `LogUnreadable`."""

    def open(self, file: LogFile) -> AbstractContextManager[LogContent]:
        """A listed file's bytes. Raises FileNotFoundError when it is gone or another by now."""

    def missing(self) -> LogUnreadable | None:
        """Why it is wrong that no file is there; None where the server may yet make one."""


class LocalFolder:
    """Files of this machine."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._inflations = Inflations()

    def files(self) -> Sequence[LogFile]:
        """See `LogFolder`."""
        return log_files(self._source)

    def open(self, file: LogFile) -> AbstractContextManager[LogContent]:
        """See `LogFolder`."""
        opened = Opened(file)
        return self._inflations.of(file, opened) if file.is_compressed else opened

    def missing(self) -> LogUnreadable | None:
        """See `LogFolder`."""
        path = Path(self._source.path)
        if os.path.isdir(path):
            return None
        return unreadable(path, FileNotFoundError(2, "no such file", str(path)))
