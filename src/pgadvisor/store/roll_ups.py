"""What the deltas of an interval add up to: hours of statements and targets, load of databases.

The deltas come once, into a temporary table (`copy_deltas`); the server makes the rest of it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from pgadvisor.records.statement import Interval, StatementKey
from pgadvisor.store.columns import Column, used_columns
from pgadvisor.store.connection import Connection
from pgadvisor.store.counters import copy_columns, names_of, nulled
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load

__all__ = ["hours_of", "save_roll_ups"]

_HOUR = timedelta(hours=1)
#: an interval over more hours is divided into so many parts of equal length
_MOST_PARTS = 12


def hours_of(since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    """The hours that [since, until) is divided over, each with the share of the span up to its end.

    A long outage is one interval of which nobody knows how it went: over twelve hours it becomes
    twelve equal parts, each in the hour in which it ends. So a fleet that comes back does not
    write more than half a day of collecting would have.

    >>> start = datetime(2026, 1, 1, 10, 45, tzinfo=UTC)
    >>> [(h.hour, share) for h, share in hours_of(start, start + timedelta(minutes=60))]
    [(10, 0.25), (11, 1.0)]
    >>> [h.hour for h, _ in hours_of(start, start + timedelta(hours=36))]
    [13, 16, 19, 22, 1, 4, 7, 10, 13, 16, 19, 22]
    """
    # in UTC: hours of a zone with summer time or half an hour of offset begin elsewhere
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    if until - since > _MOST_PARTS * _HOUR:
        return _equal_parts(since, until)
    hour = _hour(since)
    found = []
    while hour < until:
        end = min(hour + _HOUR, until)
        found.append((hour, (end - since) / (until - since)))
        hour += _HOUR
    return found


def _equal_parts(since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    length = (until - since) / _MOST_PARTS
    last = timedelta(microseconds=1)  # an end on the hour is of the hour before
    ends = [since + number * length for number in range(1, _MOST_PARTS)] + [until]
    return [(_hour(end - last), number / _MOST_PARTS) for number, end in enumerate(ends, start=1)]


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def save_roll_ups(
    conn: Connection, target_id: int, interval: Interval, ids: Mapping[StatementKey, int]
) -> None:
    """Save the deltas of an interval and add them to their hours and databases."""
    hours = hours_of(interval.since, interval.until)
    if interval.is_observed:
        _save_target_hours(conn, target_id, interval, hours)
    if not interval.deltas:
        return
    columns = _copy_deltas(conn, interval, ids)
    ensure_partitions(conn, "statement_deltas", [interval.until])
    ensure_partitions(conn, "statement_hours", [hour for hour, _ in hours])
    span = {"target_id": target_id, "since": interval.since, "until": interval.until}
    parts = {"counters": names_of(columns), "values": nulled(columns)}
    conn.execute(sql.SQL(load("save_deltas")).format(**parts), span)
    _save_hours(conn, target_id, columns, hours)
    conn.execute(load("save_database_intervals"), span)


def _copy_deltas(
    conn: Connection, interval: Interval, ids: Mapping[StatementKey, int]
) -> list[Column]:
    conn.execute(load("incoming_deltas"))
    columns = used_columns(delta.counters for delta in interval.deltas)
    keys = [delta.key for delta in interval.deltas]
    own = [
        Column("statement_id", "q", [ids[key] for key in keys]),
        Column("dbid", "q", [key.dbid for key in keys]),
        Column("toplevel", "?", [key.toplevel for key in keys]),
    ]
    copy_columns(conn, "incoming_deltas", [*own, *columns])
    return columns


def _save_hours(
    conn: Connection,
    target_id: int,
    columns: Sequence[Column],
    hours: Sequence[tuple[datetime, float]],
) -> None:
    updates = sql.SQL(", ").join(
        sql.SQL("{n} = coalesce(h.{n} + excluded.{n}, h.{n}, excluded.{n})").format(
            n=sql.Identifier(column.name)
        )
        for column in columns
    )
    parts = {"counters": names_of(columns), "updates": updates}
    if len(hours) == 1:
        query = sql.SQL(load("save_hours")).format(**parts, values=nulled(columns))
        conn.execute(query, {"target_id": target_id, "hour": hours[0][0]})
        return
    shares = [0.0, *(share for _, share in hours)]
    place: dict[str, Any] = {
        "target_id": target_id,
        "hours": [hour for hour, _ in hours],
        "shares_before": shares[:-1],
        "shares": shares[1:],
    }
    values = sql.SQL(", ").join(_part(column) for column in columns)
    conn.execute(sql.SQL(load("save_divided_hours")).format(**parts, values=values), place)


def _part(column: Column) -> sql.Composed:
    """What falls into one hour; whole numbers stay whole and add up exactly."""
    text: LiteralString = "nullif({n} * s.share - {n} * s.share_before, 0)"
    if column.kind == "q":
        text = "nullif(round({n} * s.share)::bigint - round({n} * s.share_before)::bigint, 0)"
    return sql.SQL(text).format(n=sql.Identifier("d", column.name))


def _save_target_hours(
    conn: Connection,
    target_id: int,
    interval: Interval,
    hours: Sequence[tuple[datetime, float]],
) -> None:
    seconds = (interval.until - interval.since).total_seconds()
    ends = [share * seconds for _, share in hours]
    conn.execute(
        load("save_target_hours"),
        {
            "target_id": target_id,
            "hours": [hour for hour, _ in hours],
            "seconds": [end - before for end, before in zip(ends, [0.0, *ends], strict=False)],
        },
    )
