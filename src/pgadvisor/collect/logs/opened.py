"""An open log file, and the signature that tells it from another file in its place."""

import os
from dataclasses import replace
from hashlib import blake2b
from typing import Self

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.collect.logs.files import LogFile
from pgadvisor.records.log import LogPosition

__all__ = ["SIGNATURE_BYTES", "Opened", "is_signed", "signed", "start_of"]

#: the first entry or two: with times in ms and pids no two files begin alike
SIGNATURE_BYTES = 1024


class Opened:
    """A log file held open. Raises FileNotFoundError when it is not the one that was listed."""

    is_damaged = False

    def __init__(self, file: LogFile) -> None:
        try:
            self._fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise unreadable(file.path, exc) from exc
        self._path = file.path
        status = os.fstat(self._fd)
        self.size = status.st_size
        self.modified_at_ns = status.st_mtime_ns
        if (status.st_dev, status.st_ino) != (file.device, file.inode):
            os.close(self._fd)
            raise FileNotFoundError(2, "replaced since it was listed", str(file.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from an offset on, fewer only at the end of the file."""
        parts: list[bytes] = []
        try:
            while length > 0 and (part := os.pread(self._fd, length, offset)):
                parts.append(part)
                offset, length = offset + len(part), length - len(part)
        except OSError as exc:
            raise unreadable(self._path, exc) from exc
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def head(self, until: int) -> bytes:
        """What a signature up to an offset is made of."""
        return self.read(0, min(SIGNATURE_BYTES, until))


def start_of(file: LogFile) -> LogPosition:
    """The position at the first byte of a file."""
    return LogPosition(
        path=str(file.path),
        device=file.device,
        inode=file.inode,
        offset=0,
        size=-1,
        modified_at_ns=file.modified_at_ns,
        signature=_digest(b""),
        signature_bytes=0,
    )


def signed(position: LogPosition, head: bytes) -> LogPosition:
    """The position with the signature of the file's first bytes, which lie before it."""
    head = head[: min(SIGNATURE_BYTES, position.offset)]
    return replace(position, signature=_digest(head), signature_bytes=len(head))


def is_signed(position: LogPosition, head: bytes) -> bool:
    """The file begins as it did when the position was made."""
    head = head[: position.signature_bytes]
    return len(head) == position.signature_bytes and _digest(head) == position.signature


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=16).hexdigest()
