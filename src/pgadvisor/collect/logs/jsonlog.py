"""The format jsonlog (PostgreSQL 15 and newer): one JSON object a line. Source: jsonlog.c."""

import json
from typing import Any

from pgadvisor.collect.logs.entry import Entry, Marks, Split, reach
from pgadvisor.collect.logs.languages import LABELS, Label
from pgadvisor.records.log import LogSkip

__all__ = ["parse_jsonlog", "split_jsonlog"]


def split_jsonlog(data: bytes, *, final: bool, dropping: bool, limit: int) -> Split:
    """Cut the lines that may tell of an execution out of `data`.

    The other lines cost a search only.
    """
    split = Split(dropping=dropping)
    if dropping:
        split.consumed = data.find(b"\n") + 1
        if not split.consumed:
            split.consumed = len(data)
            split.dropping = not final
            return split
    split.dropping = False
    end = data.rfind(b"\n") + 1
    marks = Marks(data, before=b'"')
    at = split.consumed
    while 0 <= (mark := marks.after(at)) < end:
        start, at = data.rfind(b"\n", 0, mark) + 1, data.index(b"\n", mark) + 1
        if mark - start < reach(limit):
            split.add(data[start:at], limit)
    split.consumed = max(split.consumed, end)
    _tail(split, data, final=final, limit=limit)
    return split


def _tail(split: Split, data: bytes, *, final: bool, limit: int) -> None:
    """A line without its end: over the limit, or cut off in a file that is no longer written."""
    is_over = len(data) - split.consumed > limit
    if split.consumed < len(data) and (final or is_over):
        head = data[split.consumed : split.consumed + reach(limit)]
        if Marks(head, before=b'"').after(0) >= 0:
            split.skipped.append(LogSkip.TOO_LARGE if is_over else LogSkip.TRUNCATED)
        split.dropping = not final
        split.consumed = len(data)


def parse_jsonlog(line: bytes) -> Entry | LogSkip:
    """The entry of a line."""
    try:
        fields = json.loads(line.decode(errors="replace"))
    except ValueError:
        return LogSkip.MALFORMED if line.rstrip().endswith(b"}") else LogSkip.TRUNCATED
    except RecursionError:
        return LogSkip.TOO_DEEP
    if not isinstance(fields, dict):
        return LogSkip.MALFORMED
    return Entry(
        logged_at=_text(fields, "timestamp") or "",
        user=_text(fields, "user"),
        database=_text(fields, "dbname"),
        pid=_number(fields, "pid"),
        application_name=_text(fields, "application_name"),
        queryid=_number(fields, "query_id"),
        is_log=LABELS.get(_text(fields, "error_severity") or "") is Label.LOG,
        has_context="context" in fields,
        message=_text(fields, "message") or "",
        detail=_text(fields, "detail"),
    )


def _text(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) and value else None


def _number(fields: dict[str, Any], key: str) -> int | None:
    value = fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
