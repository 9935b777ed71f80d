"""What the deltas of an interval add up to: the hours of statements, the load of databases."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql

from pgadvisor.records.statement import (
    COUNTER_NAMES,
    Counters,
    Interval,
    StatementDelta,
    StatementKey,
)
from pgadvisor.store.connection import Connection
from pgadvisor.store.counters import COUNTER_COLUMNS, copy_rows, counter_values
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load

__all__ = ["hours_of", "save_database_intervals", "save_hours"]

_FLOATS = {name for name, kind in Counters.__annotations__.items() if kind in (float, "float")}


def hours_of(since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    """The hours that [since, until) touches, each with the share of the span up to its end.

    >>> start = datetime(2026, 1, 1, 10, 45, tzinfo=UTC)
    >>> [(h.hour, share) for h, share in hours_of(start, start + timedelta(minutes=60))]
    [(10, 0.25), (11, 1.0)]
    """
    # in UTC: hours of a zone with summer time or half an hour of offset begin elsewhere
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    hour = since.replace(minute=0, second=0, microsecond=0)
    found = []
    while hour < until:
        end = min(hour + timedelta(hours=1), until)
        found.append((hour, (end - since) / (until - since)))
        hour += timedelta(hours=1)
    return found


def save_hours(
    conn: Connection, target_id: int, interval: Interval, ids: dict[StatementKey, int]
) -> None:
    """Add the deltas of an interval to their hours."""
    hours = hours_of(interval.since, interval.until)
    ensure_partitions(conn, "statement_hours", [hour for hour, _ in hours])
    conn.execute(load("incoming_hours"))
    copy_rows(
        conn,
        sql.SQL("copy incoming_hours (statement_id, hour, {}) from stdin").format(COUNTER_COLUMNS),
        (
            [ids[delta.key], hour, *values]
            for delta in interval.deltas
            for hour, values in _divided(delta, hours)
        ),
    )
    updates = sql.SQL(", ").join(
        sql.SQL("{n} = nullif(coalesce(h.{n}, 0) + coalesce(excluded.{n}, 0), 0)").format(
            n=sql.Identifier(name)
        )
        for name in COUNTER_NAMES
    )
    conn.execute(
        sql.SQL(load("save_hours")).format(counters=COUNTER_COLUMNS, updates=updates),
        {"target_id": target_id},
    )


def _divided(
    delta: StatementDelta, hours: list[tuple[datetime, float]]
) -> Iterable[tuple[datetime, list[Any]]]:
    """A delta over its hours in proportion; whole numbers stay whole and add up exactly."""
    if len(hours) == 1:
        yield hours[0][0], counter_values(delta.counters)
        return
    done: dict[str, float] = dict.fromkeys(COUNTER_NAMES, 0)
    for hour, share in hours:
        part: list[Any] = []
        for name in COUNTER_NAMES:
            total = getattr(delta.counters, name)
            upto = total * share if name in _FLOATS else round(total * share)
            part.append((upto - done[name]) or None)
            done[name] = upto
        if any(part):
            yield hour, part


def save_database_intervals(conn: Connection, target_id: int, interval: Interval) -> None:
    """Save the load of each database over an interval."""
    by_database: dict[int, list[Counters]] = defaultdict(list)
    for delta in interval.deltas:
        if delta.key.toplevel:  # nested statements are within the time of their caller
            by_database[delta.key.dbid].append(delta.counters)
    rows = [
        (
            *(target_id, dbid, interval.since, interval.until, len(counters)),
            *(
                sum(getattr(one, name) for one in counters)
                for name in (
                    *("calls", "rows", "total_exec_time", "shared_blks_hit"),
                    *("shared_blks_read", "temp_blks_written", "wal_bytes"),
                )
            ),
        )
        for dbid, counters in by_database.items()
    ]
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into database_intervals (target_id, dbid, since, until, statements, calls,
                   rows, total_exec_time, shared_blks_hit, shared_blks_read, temp_blks_written,
                   wal_bytes)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            rows,
        )
