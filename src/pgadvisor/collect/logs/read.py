"""Reads a server log from where it was left, across rotation, truncation and compression.

A position is a file (device and inode, over SQL its name) and an offset in it. The old file is
read to its end before the next one is begun. A file that is smaller than the offset or begins
otherwise than it did is another one: the old one is looked for beside it, under another name
or compressed, by its first bytes; only where it is gone the new one is read from its start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pgadvisor.collect.logs.batch import Gathered
from pgadvisor.collect.logs.entry import ENTRY_LIMIT_BYTES, HEAD_BYTES, Split
from pgadvisor.collect.logs.files import LogFile, newer_file, same_file
from pgadvisor.collect.logs.folder import LocalFolder, LogContent, LogFolder
from pgadvisor.collect.logs.formats import split_entries
from pgadvisor.collect.logs.opened import SIGNATURE_BYTES, is_signed, signed, start_of
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.records.log import (
    LogBatch,
    LogFormat,
    LogGap,
    LogGapReason,
    LogPosition,
    LogSource,
)

__all__ = ["MAX_BYTES", "read_log"]

#: about a thousand plans; what they become in memory is some ten times as much
MAX_BYTES = 4 * 1024 * 1024
#: how far from_end looks back for the last line; a longer one is dropped
_LAST_BYTES = 64 * 1024
#: fewer bytes may begin two files alike
_FEWEST_SIGNED_BYTES = 64
#: files that are looked into for one that was renamed or compressed
_MOST_LOOKED_INTO = 50


@dataclass(slots=True)
class _Reading:
    """A batch while it is gathered."""

    source: LogSource
    folder: LogFolder
    files: Sequence[LogFile]
    #: bytes that may still be read
    budget: int
    limit: int
    gathered: Gathered
    gaps: list[LogGap] = field(default_factory=list)
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
    folder: LogFolder | None = None,
    started: Started | None = None,
    max_bytes: int = MAX_BYTES,
    from_end: bool = False,
    limit: int = ENTRY_LIMIT_BYTES,
) -> LogBatch:
    """The plans and statements that a log has gained since `position`, at most about `max_bytes`.

    Without a position the oldest file is read from its start; with `from_end` nothing is read,
    and the batch holds the position of the newest file's end. An entry that is still being
    written is left for the next call; one over `limit` bytes is dropped and counted. Bytes beyond
    `max_bytes` are read only for an entry that is itself larger. `folder` is where the files are,
    this machine's if left out; kept for several calls, a compressed file is read only once.
    `started`, kept for all calls, joins statements with durations that are logged much later.

    Raises `LogUnreadable` with the command that mends it, also for a log_timezone that
    is needed and not known on this machine.
    """
    where = folder or LocalFolder(source)
    gathered = Gathered(source, started)
    reading = _Reading(source, where, where.files(), max(1, max_bytes), limit, gathered)
    if position is None and from_end:
        position = _newest_end(reading)
    else:
        position = _read_on(reading, position)
    return reading.gathered.batch(
        position=position, gaps=tuple(reading.gaps), at_end=reading.at_end
    )


def _newest_end(reading: _Reading) -> LogPosition | None:
    newest = next((file for file in reversed(reading.files) if file.is_current_name), None)
    if newest is None:
        return None
    try:
        return _end_of(reading.folder, newest)
    except FileNotFoundError:
        reading.at_end = False
        return None


def _end_of(folder: LogFolder, file: LogFile) -> LogPosition:
    """The position behind the last line of a file."""
    with folder.open(file) as opened:
        since = max(0, opened.size - _LAST_BYTES)
        newline = opened.read(since, opened.size - since).rfind(b"\n")
        is_inside = newline < 0 and since > 0
        offset = opened.size if is_inside else since + newline + 1
        moved = replace(start_of(file), offset=offset, dropping=is_inside)
        return signed(moved, opened.head(offset))


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
    oldest = next((file for file in reading.files if file.is_current_name), None)
    if oldest is None and (missing := reading.folder.missing()) is not None:
        raise missing
    return oldest


def _go_on_without(
    reading: _Reading, position: LogPosition, reason: LogGapReason
) -> tuple[LogFile | None, LogPosition]:
    """Where reading goes on when the position's file is gone or is another one by now.

    In what it was renamed or compressed to; else in the oldest of the files written since it was
    there; else in itself, emptied.
    """
    moved = _moved_to(reading, position)
    if moved is not None:
        at = replace(
            position, path=str(moved.path), device=moved.device, inode=moved.inode, size=-1
        )
        return moved, at
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


def _moved_to(reading: _Reading, position: LogPosition) -> LogFile | None:
    """The file that begins like the position's, newest first: renamed, copied or compressed."""
    if position.signature_bytes < _FEWEST_SIGNED_BYTES:
        return None
    others = [file for file in reversed(reading.files) if _may_be_moved(file, position)]
    for file in others[:_MOST_LOOKED_INTO]:
        try:
            with reading.folder.open(file) as opened:
                if is_signed(position, opened.head(SIGNATURE_BYTES)):
                    return file
        except FileNotFoundError:
            continue
    return None


def _may_be_moved(file: LogFile, position: LogPosition) -> bool:
    is_itself = (str(file.path), file.device, file.inode) == (
        *(position.path, position.device, position.inode),
    )
    return not is_itself and (file.is_compressed or file.size >= position.offset)


def _read_file(
    reading: _Reading, file: LogFile, position: LogPosition
) -> tuple[LogFile | None, LogPosition]:
    """Read once from a file; the file to read next, None at the end of the newest."""
    successor = newer_file(reading.files, file)
    with reading.folder.open(file) as opened:
        is_closed = successor is not None or file.is_compressed
        piece = _piece(reading, opened, position, is_closed=is_closed)
        if piece is None:
            reading.budget -= 1
            # under another name it is a new file that was given the number of the old one
            is_same_name = file.path.name == Path(position.path).name
            reason = LogGapReason.TRUNCATED if is_same_name else LogGapReason.DELETED
            return _go_on_without(reading, position, reason)
        size, modified_at_ns = opened.size, opened.modified_at_ns
        if opened.is_damaged and piece.is_to_end:
            reading.gaps.append(LogGap(path=str(file.path), reason=LogGapReason.DAMAGED))
    reading.budget -= max(1, len(piece.data))
    reading.gathered.add(piece.data, piece.split)
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
    reading: _Reading, opened: LogContent, position: LogPosition, *, is_closed: bool
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
