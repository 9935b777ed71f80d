"""How collecting is going: targets, gaps, counts of what is stored."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = [
    "RecentGap",
    "TargetState",
    "coverage",
    "gap_counts",
    "recent_gaps",
    "recommendation_counts",
    "store_bytes",
    "target_states",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """A target, when it was last read and what the last reading held."""

    target_id: int
    target: str
    server_version_num: int | None
    in_recovery: bool | None
    first_seen_at: datetime
    last_seen_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    last_snapshot_at: datetime | None
    #: entries of pg_stat_statements in the last snapshot, and those hidden from our role
    statements: int
    hidden: int
    snapshots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentGap:
    """A span in which calls may be missing from the history."""

    target: str
    since: datetime
    until: datetime
    reason: str
    statements: int


def target_states(conn: Connection) -> list[TargetState]:
    """All targets, by name."""
    with conn.cursor(row_factory=class_row(TargetState)) as cursor:
        return cursor.execute(load("target_states")).fetchall()


def recent_gaps(
    conn: Connection, *, since: datetime, until: datetime, limit: int = 20
) -> list[RecentGap]:
    """The gaps that ended in [since, until), newest first."""
    with conn.cursor(row_factory=class_row(RecentGap)) as cursor:
        return cursor.execute(
            load("recent_gaps"), {"since": since, "until": until, "limit": limit}
        ).fetchall()


def coverage(
    conn: Connection,
    target_id: int,
    *,
    since: datetime,
    until: datetime,
    bucket_seconds: float,
    of_hours: bool = False,
) -> dict[datetime, float]:
    """Seconds that were observed, by bucket of time: what a rate has to be divided by.

    `of_hours` is for counters of hourly roll-ups, else of intervals, which count where they end.
    """
    place = {"target_id": target_id, "since": since, "until": until, "bucket": bucket_seconds}
    name = "coverage_hours" if of_hours else "coverage"
    return dict(conn.execute(load(name), place).fetchall())


def gap_counts(conn: Connection) -> list[tuple[str, str, int]]:
    """(target, reason, count) over the whole history."""
    return conn.execute(load("gap_counts")).fetchall()


def recommendation_counts(conn: Connection) -> list[tuple[str, str, str, int]]:
    """(target, database, state, count)."""
    return conn.execute(load("recommendation_counts")).fetchall()


def store_bytes(conn: Connection) -> int:
    """The size of the store's database on disk."""
    row = conn.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None  # a function call returns one row
    return int(row[0])
