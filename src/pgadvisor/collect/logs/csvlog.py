"""The format csvlog: quoted records that may go over many lines. Source: csvlog.c.

A message is a quoted field, and quotes inside one are doubled: a comma and a single quote are
always a field's beginning. So messages are searched for, and each shows its record.
"""

import re

from pgadvisor.collect.logs.entry import HEAD_BYTES, Entry, Marks, Split
from pgadvisor.collect.logs.languages import LABELS, Label
from pgadvisor.records.log import LogSkip

__all__ = ["parse_csvlog", "split_csvlog"]

# Possessive quantifiers: a repeated part is never tried twice, so time is linear in the record.
_RECORD = re.compile(rb'(?:[^"\n]++|"[^"]*+")*+\n')
#: log_time with log_timezone's abbreviation: how each record begins
_BEGIN = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,\"]{1,12},"
#: all before the message, which is the 14th column
_HEAD = re.compile(_BEGIN + rb'(?:(?:"(?:[^"]++|"")*+"|[^",\n]*+),){12}')
#: a record of a session, which no text in a record can look like: its quotes would be doubled
_NEXT = re.compile(rb"\n" + _BEGIN + rb'"[^"\n]++",')
#: lines that are tried for a record's beginning; names may hold a newline
_MOST_LINES = 4

# Columns of the table in "Using CSV-Format Log Output"; 13 added backend_type as the 24th,
# 14 leader_pid and query_id.
_KEPT = r'("(?:[^"]++|"")*+"|[^",\n]*+)'
_LEFT = r'(?:"(?:[^"]++|"")*+"|[^",\n]*+)'
#: log_time, user_name, database_name, process_id, error_severity, message, detail, context,
#: application_name are kept, of 14 and newer query_id
_PLACES = (0, 1, 2, 3, 11, 13, 14, 18, 22)
_COLUMNS = re.compile(
    ",".join(_KEPT if place in _PLACES else _LEFT for place in range(24))
    + rf"(?:,{_LEFT},{_KEPT}(?:,{_LEFT})*+)?\r?\n?\Z"
)


def split_csvlog(data: bytes, *, final: bool, dropping: bool, limit: int) -> Split:
    """Cut the records that may tell of an execution out of `data`.

    A record that a crash left without its closing quote ends where the next one surely begins.
    """
    split = Split()
    if dropping and not _leave_out(split, data, final=final):
        return split
    marks = Marks(data, before=b',"')
    at = split.consumed
    while (mark := marks.after(at)) >= 0:
        start = _start(data, mark)
        at = mark + 1
        if start is None:
            continue
        end, is_whole = _end(data, start, mark)
        if end is not None:
            _take(split, data[start:end], limit, is_whole=is_whole)
            split.consumed = at = end
        elif _waits(split, data, start, final=final, limit=limit):
            split.consumed = start
            return split
    _hold(split, data, final=final, limit=limit)
    return split


def _start(data: bytes, mark: int) -> int | None:
    """Where the record begins whose message is at a mark, which is a comma."""
    least = max(0, mark - HEAD_BYTES)
    line = mark
    for _ in range(_MOST_LINES):
        line = data.rfind(b"\n", least, line)
        start = line + 1 if line >= 0 else 0
        if line < 0 and least > 0:
            return None
        head = _HEAD.match(data, start, mark + 1)
        if head is not None and head.end() == mark + 1:
            return start
        if line < 0:
            return None
    return None


def _end(data: bytes, start: int, mark: int) -> tuple[int | None, bool]:
    """Where a record ends, and is it whole: another one may begin first. None for not yet."""
    record = _RECORD.match(data, start)
    following = _NEXT.search(data, mark, record.end() if record else len(data))
    if following is not None:
        return following.start() + 1, False
    return (None, False) if record is None else (record.end(), True)


def _take(split: Split, record: bytes, limit: int, *, is_whole: bool) -> None:
    if not is_whole and len(record) <= limit:
        split.skipped.append(LogSkip.TRUNCATED)
    else:
        split.add(record, limit)


def _waits(split: Split, data: bytes, start: int, *, final: bool, limit: int) -> bool:
    """Is the rest of a record still to come? Else it is cut off, or over the limit."""
    is_over = len(data) - start > limit
    if final or is_over:
        split.skipped.append(LogSkip.TOO_LARGE if is_over else LogSkip.TRUNCATED)
        return False
    return True


def _hold(split: Split, data: bytes, *, final: bool, limit: int) -> None:
    """Leave the last line for later, as long as a message may still begin in it."""
    line = data.rfind(b"\n", split.consumed) + 1
    split.consumed = max(split.consumed, line)
    if final:
        split.consumed = len(data)
    elif len(data) - split.consumed > min(limit, 2 * HEAD_BYTES):
        split.consumed, split.dropping = len(data), True


def _leave_out(split: Split, data: bytes, *, final: bool) -> bool:
    """Go to the line behind the one that is left out; False when it goes on."""
    split.consumed = data.find(b"\n") + 1
    if split.consumed:
        return True
    split.consumed, split.dropping = len(data), not final
    return False


def parse_csvlog(record: bytes) -> Entry | LogSkip:
    """The entry of a record."""
    found = _COLUMNS.match(record.decode(errors="replace"))
    if found is None:
        return LogSkip.MALFORMED
    columns = [_value(column or "") for column in found.groups()]
    logged_at, user, database, pid, severity, message, detail, context, application, queryid = (
        columns
    )
    return Entry(
        logged_at=logged_at,
        user=user or None,
        database=database or None,
        pid=_number(pid),
        application_name=application or None,
        queryid=_number(queryid),
        is_log=LABELS.get(severity) is Label.LOG,
        has_context=bool(context),
        message=message,
        detail=detail or None,
    )


def _value(column: str) -> str:
    """What a column holds.

    >>> _value('"a ""b"", c"'), _value("LOG")
    ('a "b", c', 'LOG')
    """
    return column[1:-1].replace('""', '"') if column.startswith('"') else column


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None
