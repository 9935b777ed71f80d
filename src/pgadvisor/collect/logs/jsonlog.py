"""The format jsonlog (PostgreSQL 15 and newer): one JSON object a line. Source: jsonlog.c."""

import json
from typing import Any

from pgadvisor.collect.logs.entry import DURATION, Entry, Split
from pgadvisor.records.log import LogSkip

__all__ = ["parse_jsonlog", "split_jsonlog"]

#: only lines with this are parsed: the newline is still escaped
_MARK = b" ms  plan:\\n"


def split_jsonlog(data: bytes, *, final: bool, dropping: bool, limit: int) -> Split:
    """Cut the lines that may hold a plan out of `data`; the other lines cost a search only."""
    split = Split(dropping=dropping)
    if dropping:
        split.consumed = data.find(b"\n") + 1
        if not split.consumed:
            split.consumed = len(data)
            return split
    split.dropping = False
    start, end = split.consumed, data.rfind(b"\n") + 1
    while (mark := data.find(_MARK, start, end)) >= 0:
        start = data.index(b"\n", mark) + 1
        split.add(data[data.rfind(b"\n", 0, mark) + 1 : start], limit)
    split.consumed = max(split.consumed, end)
    _tail(split, data, final=final, limit=limit)
    return split


def _tail(split: Split, data: bytes, *, final: bool, limit: int) -> None:
    """A line without its end: over the limit, or cut off in a file that is no longer written."""
    is_over = len(data) - split.consumed > limit
    if split.consumed < len(data) and (final or is_over):
        if data.find(_MARK, split.consumed) >= 0:
            split.skipped.append(LogSkip.TOO_LARGE if is_over else LogSkip.TRUNCATED)
        split.dropping = not final
        split.consumed = len(data)


def parse_jsonlog(line: bytes) -> Entry | LogSkip | None:
    """The entry of a line; None when it is not one of auto_explain."""
    try:
        fields = json.loads(line.decode(errors="replace"))
    except ValueError:
        return LogSkip.MALFORMED if line.rstrip().endswith(b"}") else LogSkip.TRUNCATED
    except RecursionError:
        return LogSkip.TOO_DEEP
    if not isinstance(fields, dict):
        return LogSkip.MALFORMED
    message = fields.get("message")
    if not isinstance(message, str) or (head := DURATION.match(message)) is None:
        return None
    return Entry(
        logged_at=_text(fields, "timestamp") or "",
        user=_text(fields, "user"),
        database=_text(fields, "dbname"),
        pid=_number(fields, "pid"),
        application_name=_text(fields, "application_name"),
        queryid=_number(fields, "query_id"),
        is_nested="context" in fields,
        duration_ms=float(head[1]),
        plan=message[head.end() :],
    )


def _text(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def _number(fields: dict[str, Any], key: str) -> int | None:
    value = fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
