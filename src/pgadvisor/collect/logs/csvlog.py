"""The format csvlog: quoted records that may go over many lines. Source: csvlog.c."""

import re

from pgadvisor.collect.logs.entry import DURATION, Entry, Split
from pgadvisor.records.log import LogSkip

__all__ = ["parse_csvlog", "split_csvlog"]

_MARK = b" ms  plan:\n"
# Possessive quantifiers: a repeated part is never tried twice, so time is linear in the record.
_RECORD = re.compile(rb'(?:[^"\n]++|"[^"]*+")*+\n')
_FIELD = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^",\n]*+))(?:,|\r?\n?\Z)')
#: log_time with log_timezone's abbreviation: how each record begins
_BEGIN = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,\"]{1,12},")
_NEXT_BEGIN = re.compile(rb"\n" + _BEGIN.pattern)
#: more bytes than the pattern can take
_BEGIN_BYTES = 64

# Columns of the table in "Using CSV-Format Log Output"; 13 added backend_type as the 24th,
# 14 leader_pid and query_id.
_FEWEST_COLUMNS = 24
_LOG_TIME, _USER, _DATABASE, _PID = 0, 1, 2, 3
_MESSAGE, _CONTEXT, _APPLICATION_NAME, _QUERY_ID = 13, 18, 22, 25


def split_csvlog(data: bytes, *, final: bool, dropping: bool, limit: int) -> Split:
    """Cut the records that may hold a plan out of `data`.

    A record that a crash left without its closing quote swallows the next one. So whatever does
    not begin like a record is left out, up to the next line that does.
    """
    split = Split(dropping=dropping)
    while split.consumed < len(data):
        if split.dropping or not _begins(data, split.consumed):
            if not _resync(split, data):
                break
            continue
        record = _RECORD.match(data, split.consumed)
        if record is None:
            _tail(split, data, final=final, limit=limit)
            if not split.dropping:
                break
            continue
        _take(split, data, record.end(), limit)
    if final:
        split.consumed, split.dropping = len(data), False
    return split


def _begins(data: bytes, at: int) -> bool:
    """Is there a record, or so few bytes that there still could be one?"""
    return _BEGIN.match(data, at) is not None or (
        len(data) - at < _BEGIN_BYTES and b"\n" not in data[at:]
    )


def _take(split: Split, data: bytes, end: int, limit: int) -> None:
    start = split.consumed
    split.consumed = end
    if data.find(_MARK, start, end) < 0:
        return
    record = data[start:end]
    swallowed = _NEXT_BEGIN.search(record)
    if swallowed is not None and len(record) <= limit and not _is_complete(record):
        split.skipped.append(LogSkip.TRUNCATED)
        split.consumed = start + swallowed.start() + 1
    else:
        split.add(record, limit)


def _is_complete(record: bytes) -> bool:
    return len(_fields(record.decode(errors="replace"))) >= _FEWEST_COLUMNS


def _tail(split: Split, data: bytes, *, final: bool, limit: int) -> None:
    """A record without its end: cut off, over the limit, or still being written."""
    start = split.consumed
    is_over = len(data) - start > limit
    if final or is_over:
        if data.find(_MARK, start) >= 0:
            split.skipped.append(LogSkip.TOO_LARGE if is_over else LogSkip.TRUNCATED)
        split.dropping = True


def _resync(split: Split, data: bytes) -> bool:
    """Go to the next line that begins like a record; False when there is none yet."""
    if not split.dropping:
        split.skipped.append(LogSkip.MALFORMED)
        split.dropping = True
    found = _NEXT_BEGIN.search(data, split.consumed)
    if found is not None:
        split.consumed, split.dropping = found.start() + 1, False
        return True
    # the last line may still become one, and is only one behind its newline
    newline = data.rfind(b"\n", split.consumed)
    is_open = newline >= 0 and len(data) - newline <= _BEGIN_BYTES
    split.consumed = newline if is_open else len(data)
    return False


def _fields(record: str) -> list[str]:
    """The columns of a record; fewer than there should be when the quotes are wrong.

    >>> _fields('a,"b ""c"",\\nd",,e\\n')
    ['a', 'b "c",\\nd', '', 'e']
    """
    fields: list[str] = []
    at = 0
    while found := _FIELD.match(record, at):
        quoted, plain = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if record[at - 1 : at] != ",":
            break
    return fields


def parse_csvlog(record: bytes) -> Entry | LogSkip | None:
    """The entry of a record; None when it is not one of auto_explain."""
    fields = _fields(record.decode(errors="replace"))
    if len(fields) < _FEWEST_COLUMNS:
        return LogSkip.MALFORMED
    message = fields[_MESSAGE]
    head = DURATION.match(message)
    if head is None:
        return None
    return Entry(
        logged_at=fields[_LOG_TIME],
        user=fields[_USER] or None,
        database=fields[_DATABASE] or None,
        pid=_number(fields[_PID]),
        application_name=fields[_APPLICATION_NAME] or None,
        queryid=_number(fields[_QUERY_ID]) if len(fields) > _QUERY_ID else None,
        is_nested=bool(fields[_CONTEXT]),
        duration_ms=float(head[1]),
        plan=message[head.end() :],
    )


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
