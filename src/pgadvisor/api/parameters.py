"""Query parameters that more than one endpoint takes, with their bounds."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import AwareDatetime

from pgadvisor.api.context import Context, Door
from pgadvisor.api.problems import RequestInvalid
from pgadvisor.config import duration
from pgadvisor.sql import StatementKind
from pgadvisor.store.connection import Connection
from pgadvisor.store.windows import HistoryWindow, history_window

__all__ = [
    "Cursor",
    "DatabaseName",
    "Hash",
    "IncludeUtility",
    "Kinds",
    "Limit",
    "Per",
    "Span",
    "TableName",
    "TargetName",
    "Window",
    "read_window",
    "window_until",
]

_DAY = timedelta(days=1)
_DEFAULT_WINDOW = "24h"

_NAME = {"min_length": 1, "max_length": 200, "pattern": r"^[^\x00]+$"}

TargetName = Annotated[
    str | None, Query(description="Only this target, by its name.", examples=["shop"], **_NAME)
]
DatabaseName = Annotated[
    str | None, Query(description="Only this database, by its name.", examples=["shop"], **_NAME)
]
TableName = Annotated[
    str | None,
    Query(
        description="Only queries that name this table: `orders` in any schema, or as written.",
        examples=["orders"],
        **_NAME,
    ),
]
Kinds = Annotated[
    list[StatementKind] | None,
    Query(max_length=20, description="Only these kinds of statement; repeat it for several."),
]
IncludeUtility = Annotated[
    bool, Query(description="List DDL, SET, COPY, CALL, cursors and the like, too.")
]
Per = Annotated[
    Literal["target", "cluster"],
    Query(description="Add up each target for itself, or a primary with its replicas."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items on one page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the page before, with the same filters."),
]
Hash = Annotated[
    str,
    Path(
        pattern=r"^(-?[0-9]{1,19}|[0-9A-Fa-fx][0-9A-Fa-f]{15})$",
        description="A queryid (signed 64-bit number) or a fingerprint (16 hex digits).",
        examples=["-4402183927123213"],
    ),
]
WindowText = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,6}(s|m|h|d|w)$",
        description="How far back from `until`: 1h, 24h, 7d. Not together with `since`.",
        examples=["24h"],
    ),
]
Since = Annotated[AwareDatetime | None, Query(description="Start of the window, with time zone.")]
Until = Annotated[AwareDatetime | None, Query(description="End of the window; now if left out.")]


class Span:
    """A window of time [since, until)."""

    __slots__ = ("since", "until")

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since = since
        self.until = until


def _span(
    door: Context, window: WindowText = None, since: Since = None, until: Until = None
) -> Span:
    if since is not None and window is not None:
        raise RequestInvalid(
            "window", "window and since exclude each other", hint="Leave one of them out."
        )
    now = door.clock()
    end = now if until is None else _utc("until", until, now)
    if since is None:
        return window_until(door, end, window or _DEFAULT_WINDOW)
    start = _utc("since", since, now)
    if start >= end:
        raise RequestInvalid("since", "since is not before until")
    return _bounded(door, "since", start, end)


def window_until(door: Door, end: datetime, window: str = _DEFAULT_WINDOW) -> Span:
    """The window of that length before an instant. Raises `RequestInvalid` if it is too long."""
    length = duration(window)
    if not length:
        raise RequestInvalid("window", "a window has a length")
    limit = door.settings.hourly_retention
    if length > limit:
        raise _too_long("window", limit)
    return Span(end - length, end)


def read_window(conn: Connection, door: Door, span: Span) -> HistoryWindow:
    """The window as it is read: a long one in whole hours."""
    raw_since = door.clock() - door.settings.raw_retention
    return history_window(conn, span.since, span.until, raw_since=raw_since)


def _bounded(door: Door, name: str, start: datetime, end: datetime) -> Span:
    limit = door.settings.hourly_retention
    if end - start > limit:
        raise _too_long(name, limit)
    return Span(start, end)


def _too_long(name: str, limit: timedelta) -> RequestInvalid:
    hours = limit / timedelta(hours=1)
    return RequestInvalid(
        name,
        f"the window is longer than the history of {hours:g} hours",
        hint=f"Ask for at most {hours:g}h, or raise PGADVISOR_HOURLY_RETENTION.",
    )


def _utc(name: str, instant: datetime, now: datetime) -> datetime:
    try:
        found = instant.astimezone(UTC)
    except OverflowError as exc:
        raise RequestInvalid(name, f"{name} is out of range") from exc
    if not datetime(2000, 1, 1, tzinfo=UTC) <= found <= now + _DAY:
        raise RequestInvalid(name, f"{name} lies before the year 2000 or in the future")
    return found


Window = Annotated[Span, Depends(_span)]
