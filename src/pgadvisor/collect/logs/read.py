"""Reads a server log from where it was left, across rotation and truncation.

A position is a file (device and inode) and an offset in it. The old file is read to its end
before the next one is begun; a file that is smaller than the offset or begins otherwise than it
did is another one, and is read from its start.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.collect.logs.entry import ENTRY_LIMIT_BYTES, HEAD_BYTES, Split
from pgadvisor.collect.logs.files import LogFile, log_files, newer_file, same_file
from pgadvisor.collect.logs.formats import plan_captures, split_entries
from pgadvisor.collect.logs.opened import Opened, end_of, is_signed, signed, start_of
from pgadvisor.records.log import (
    LogBatch,
    LogFormat,
    LogGap,
    LogGapReason,
    LogPosition,
    LogSkip,
    LogSource,
)
from pgadvisor.records.workload import PlanCapture

__all__ = ["MAX_BYTES", "read_log"]

#: about a thousand plans; what they become in memory is some ten times as much
MAX_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class _Reading:
    """A batch while it is gathered."""

    source: LogSource
    files: Sequence[LogFile]
    #: bytes that may still be read
    budget: int
    limit: int
    captures: list[PlanCapture] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    gaps: list[LogGap] = field(default_factory=list)
    lines: int = 0
    bytes_read: int = 0
    at_end: bool = True


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes of one file, cut into entries."""

    data: bytes
    head: bytes
    split: Split
    is_to_end: bool


def read_log(
    source: LogSource,
    position: LogPosition | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    from_end: bool = False,
    limit: int = ENTRY_LIMIT_BYTES,
) -> LogBatch:
    """The plans that a log has gained since `position`, at most about `max_bytes` of it.

    Without a position the oldest file is read from its start; with `from_end` nothing is read,
    and the batch holds the position of the newest file's end. An entry that is still being
    written is left for the next call; one over `limit` bytes is dropped and counted. Bytes beyond
    `max_bytes` are read only for an entry that is itself larger.

    Raises `LogUnreadable` with the command that mends it, also for a log_timezone that
    is needed and not known on this machine.
    """
    reading = _Reading(source, log_files(source), max(1, max_bytes), limit)
    if position is None and from_end:
        position = _newest_end(reading)
    else:
        position = _read_on(reading, position)
    return LogBatch(
        captures=tuple(reading.captures),
        position=position,
        lines=reading.lines,
        bytes_read=reading.bytes_read,
        skipped=dict(reading.skipped),
        gaps=tuple(reading.gaps),
        at_end=reading.at_end,
    )


def _newest_end(reading: _Reading) -> LogPosition | None:
    newest = next((file for file in reversed(reading.files) if file.is_current_name), None)
    if newest is None:
        return None
    try:
        return end_of(newest)
    except FileNotFoundError:
        reading.at_end = False
        return None


def _read_on(reading: _Reading, position: LogPosition | None) -> LogPosition | None:
    """Read file after file until the budget is spent or the end is reached."""
    if position is None:
        file = _oldest(reading)
        position = start_of(file) if file is not None else None
    else:
        file = same_file(reading.files, position)
        if file is None:
            file, position = _go_on_without(reading, position, LogGapReason.DELETED)
    while file is not None and position is not None:
        try:
            file, position = _read_file(reading, file, position)
        except FileNotFoundError:
            # rotated away since the listing: the next call lists anew
            reading.at_end = False
            break
        if file is not None and reading.budget <= 0:
            reading.at_end = False
            break
    return position


def _oldest(reading: _Reading) -> LogFile | None:
    path = Path(reading.source.path)
    oldest = next((file for file in reading.files if file.is_current_name), None)
    if oldest is None and not os.path.isdir(path):
        missing = FileNotFoundError(2, "no such file", str(path))
        raise unreadable(path, missing) from missing
    return oldest


def _go_on_without(
    reading: _Reading, position: LogPosition, reason: LogGapReason
) -> tuple[LogFile | None, LogPosition]:
    """The oldest of the files written since the position's one was there; itself when emptied."""
    gone = LogFile(
        path=Path(position.path),
        device=position.device,
        inode=position.inode,
        size=position.size,
        modified_at_ns=position.modified_at_ns,
        is_current_name=True,
    )
    file = newer_file(reading.files, gone)
    if file is None:
        file = same_file(reading.files, position)
    if file is None:
        return None, position
    reading.gaps.append(LogGap(path=position.path, reason=reason))
    return file, start_of(file)


def _read_file(
    reading: _Reading, file: LogFile, position: LogPosition
) -> tuple[LogFile | None, LogPosition]:
    """Read once from a file; the file to read next, None at the end of the newest."""
    successor = newer_file(reading.files, file)
    with Opened(file) as opened:
        piece = _piece(reading, opened, position, is_closed=successor is not None)
        if piece is None:
            reading.budget -= 1
            # under another name it is a new file that was given the number of the old one
            is_same_name = file.path.name == Path(position.path).name
            reason = LogGapReason.TRUNCATED if is_same_name else LogGapReason.DELETED
            return _go_on_without(reading, position, reason)
        size, modified_at_ns = opened.size, opened.modified_at_ns
    _gather(reading, piece)
    if piece.is_to_end and successor is not None:
        return successor, start_of(successor)
    moved = replace(
        position,
        path=str(file.path),
        offset=position.offset + piece.split.consumed,
        size=size if piece.is_to_end else -1,
        modified_at_ns=modified_at_ns,
        dropping=piece.split.dropping,
    )
    return None if piece.is_to_end else file, signed(moved, piece.head)


def _piece(
    reading: _Reading, opened: Opened, position: LogPosition, *, is_closed: bool
) -> _Piece | None:
    """The next bytes of a file; None when it is not the file any more that the position is in."""
    # A last entry in stderr has no end of its own. Written a call ago, it is whole.
    is_quiet = (
        reading.source.format is LogFormat.STDERR
        and (opened.size, opened.modified_at_ns) == (position.size, position.modified_at_ns)
        and opened.read(max(0, opened.size - 1), 1) == b"\n"
    )
    length = reading.budget
    while True:
        data = opened.read(position.offset, length)
        until = position.offset + len(data)
        head = opened.head(until)
        if opened.size < position.offset or not _is_same(position, head, data):
            return None
        is_to_end = until >= opened.size
        split = split_entries(
            reading.source,
            data,
            final=is_to_end and (is_closed or is_quiet),
            dropping=position.dropping,
            limit=reading.limit,
        )
        largest = reading.limit + 2 * HEAD_BYTES
        if split.consumed or is_to_end or length >= largest:
            return _Piece(data, head, split, is_to_end)
        length = min(2 * length, largest)


def _is_same(position: LogPosition, head: bytes, data: bytes) -> bool:
    """Head and data come from the file of the position: neither was changed in between."""
    if position.offset == 0 and not data.startswith(head):
        return False
    return is_signed(position, head)


def _gather(reading: _Reading, piece: _Piece) -> None:
    split = piece.split
    reading.budget -= max(1, len(piece.data))
    reading.lines += piece.data.count(b"\n", 0, split.consumed)
    reading.bytes_read += split.consumed
    reading.skipped.update(skip.value for skip in split.skipped)
    for found in plan_captures(reading.source, split.entries):
        if isinstance(found, LogSkip):
            reading.skipped[found.value] += 1
        else:
            reading.captures.append(found)
