"""Windows of time, and which of the two histories of statements they are read from."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = ["LONGEST_OF_INTERVALS", "HistoryWindow", "history_window", "is_long", "whole_hours"]

#: a longer window is read from the hours: a minute's interval has as many rows as an hour
LONGEST_OF_INTERVALS = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWindow:
    """[since, until) as it is read; whole hours where it is read from the hourly roll-up."""

    since: datetime
    until: datetime
    of_hours: bool
    #: intervals are kept for it, so a chart may be finer than an hour
    has_intervals: bool = True

    @property
    def finest_bucket(self) -> float:
        """The shortest bucket of time that can be told, in seconds."""
        return 60.0 if self.has_intervals else 3600.0


def history_window(
    conn: Connection, since: datetime, until: datetime, *, raw_since: datetime | None = None
) -> HistoryWindow:
    """The window that answers for [since, until).

    A short one is read from intervals, exactly; a long one, one before `raw_since` (intervals are
    not kept for ever) and one that touches imported history from hours, rounded outwards.
    """
    has_intervals = (raw_since is None or since >= raw_since) and not _touches_import(
        conn, since, until
    )
    if has_intervals and not is_long(since, until):
        return HistoryWindow(since=since, until=until, of_hours=False)
    start, end = whole_hours(since, until)
    return HistoryWindow(since=start, until=end, of_hours=True, has_intervals=has_intervals)


def is_long(since: datetime, until: datetime) -> bool:
    """True where a window is read from hours for its length alone."""
    return until - since > LONGEST_OF_INTERVALS


def whole_hours(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The shortest span of whole hours (UTC) that holds [since, until).

    >>> start = datetime(2026, 1, 1, 10, 45, tzinfo=UTC)
    >>> [at.hour for at in whole_hours(start, start + timedelta(hours=1))]
    [10, 12]
    """
    start, end = _hour(since), _hour(until)
    return start, end if end == until else end + timedelta(hours=1)


def _hour(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _touches_import(conn: Connection, since: datetime, until: datetime) -> bool:
    row = conn.execute(load("touches_import"), {"since": since, "until": until}).fetchone()
    assert row is not None  # select exists returns one row
    return bool(row[0])
