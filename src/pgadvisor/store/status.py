"""How collecting is going: targets, gaps, counts of what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    #: server, or log or import: history without a server
    kind: str
    #: primary or replica, None while not known
    role: str | None
    #: of a replica, where its primary is watched too
    primary_target: str | None
    #: a primary and its replicas share one
    system_identifier: str | None
    server_version_num: int | None
    first_seen_at: datetime
    last_seen_at: datetime | None
    paused_at: datetime | None
    #: closed, open: nothing is tried before `retry_at`, or half-open
    circuit: str
    failures: int
    retry_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    clock_skew_ms: float | None
    log_problem: str | None
    #: where it differs from the setting of all
    interval_seconds: float | None
    last_snapshot_at: datetime | None
    #: entries of pg_stat_statements in the last snapshot, and those hidden from our role
    statements: int
    hidden: int
    #: ms since the counters were reset
    hidden_exec_time: float
    visible_exec_time: float
    snapshots: int

    @property
    def hidden_ratio(self) -> float:
        """Share of the time of all statements that is of hidden ones."""
        whole = self.hidden_exec_time + self.visible_exec_time
        return self.hidden_exec_time / whole if whole else 0.0

    def lag(self, now: datetime, interval: timedelta) -> float | None:
        """Seconds by which the next reading is late, 0 while it is not; None: none is due."""
        if self.kind != "server" or self.paused_at or self.last_snapshot_at is None:
            return None
        every = self.interval_seconds or interval.total_seconds()
        return max((now - self.last_snapshot_at).total_seconds() - every, 0.0)


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
    target_ids: Sequence[int],
    *,
    since: datetime,
    until: datetime,
    bucket_seconds: float,
    of_hours: bool = False,
    database: str | None = None,
) -> dict[datetime, float]:
    """Seconds that were observed, by bucket of time: what a rate has to be divided by.

    `of_hours` is for counters of hourly roll-ups, imported ones of `database` among them; else
    of intervals, which count where they end. Of several targets the one observed longest counts.
    An interval over an outage counts whole: what ran in it is in its counters. One after which
    the counters were another server's, or lost, does not: of that time nothing is known.
    """
    place = {
        "target_ids": list(target_ids),
        "database": database,
        "since": since,
        "until": until,
        "bucket": bucket_seconds,
    }
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
