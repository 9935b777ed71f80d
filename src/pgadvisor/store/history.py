"""What the doors read: databases, queries, their history. Times in ms, instants in UTC."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pgadvisor.errors import NotFound
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = [
    "DatabaseSummary",
    "LoadPoint",
    "QueryPoint",
    "QuerySummary",
    "bucket_seconds_of",
    "database_load",
    "find_query",
    "is_of_hours",
    "list_databases",
    "list_queries",
    "query_history",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSummary:
    """A database with its load over a window."""

    target_id: int
    target: str
    database_name: str
    dbid: int
    server_version_num: int | None
    calls: int
    total_exec_time: float
    #: calls of statements whose role may not be seen are not in it
    queries: int
    last_interval_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """What a database did in one bucket of time."""

    at: datetime
    #: seconds that intervals cover within the bucket
    covered_seconds: float
    calls: int
    total_exec_time: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    temp_blks_written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySummary:
    """A query with its counters over a window."""

    target_id: int
    target: str
    database_name: str
    dbid: int
    queryid: int
    fingerprint: str | None
    query: str | None
    kind: str | None
    unreadable: str | None
    calls: int
    total_exec_time: float
    mean_exec_time: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    temp_blks_written: int
    #: of the time of all queries of the database in the window
    share_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPoint:
    """What a query did in one bucket of time."""

    at: datetime
    calls: int
    total_exec_time: float
    mean_exec_time: float
    rows: int


#: widths of a bucket that people read well: a minute to a day
_BUCKETS = (60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 86400.0)


def bucket_seconds_of(since: datetime, until: datetime, *, most: int = 170) -> float:
    """The width of buckets that divides a window into at most about `most` points."""
    span = (until - since).total_seconds()
    return next((width for width in _BUCKETS if span / width <= most), _BUCKETS[-1])


def is_of_hours(bucket_seconds: float) -> bool:
    """True where a query's history comes from hourly roll-ups, not from intervals."""
    return bucket_seconds >= 3600


def list_databases(conn: Connection, *, since: datetime, until: datetime) -> list[DatabaseSummary]:
    """All databases of all targets, busiest first."""
    with conn.cursor(row_factory=class_row(DatabaseSummary)) as cursor:
        return cursor.execute(load("list_databases"), {"since": since, "until": until}).fetchall()


def database_load(
    conn: Connection,
    target_id: int,
    dbid: int,
    *,
    since: datetime,
    until: datetime,
    bucket_seconds: float,
) -> list[LoadPoint]:
    """The load of a database in buckets of time; none where nothing was collected."""
    with conn.cursor(row_factory=class_row(LoadPoint)) as cursor:
        return cursor.execute(
            load("database_load"),
            {
                "target_id": target_id,
                "dbid": dbid,
                "since": since,
                "until": until,
                "bucket": bucket_seconds,
            },
        ).fetchall()


def list_queries(
    conn: Connection,
    *,
    since: datetime,
    until: datetime,
    target: str | None = None,
    database: str | None = None,
    queryid: int | None = None,
    fingerprint: str | None = None,
    after: tuple[float, int, int, int] | None = None,
    limit: int = 20,
) -> list[QuerySummary]:
    """Queries by falling total time.

    `after` is (total_exec_time, queryid, target_id, dbid) of the last one seen.
    """
    with conn.cursor(row_factory=class_row(QuerySummary)) as cursor:
        return cursor.execute(
            load("list_queries"),
            {
                "since": since,
                "until": until,
                "target": target,
                "database": database,
                "queryid": queryid,
                "fingerprint": fingerprint,
                "after_time": after[0] if after else None,
                "after_queryid": after[1] if after else None,
                "after_target_id": after[2] if after else None,
                "after_dbid": after[3] if after else None,
                "limit": limit,
            },
        ).fetchall()


def find_query(
    conn: Connection,
    query_hash: str,
    *,
    since: datetime,
    until: datetime,
    target: str | None = None,
    database: str | None = None,
) -> QuerySummary:
    """The busiest query that a queryid (also a negative one) or fingerprint means.

    Both may have 16 digits: a queryid is tried first. A query that did not run in the window
    is found with zero counters. Raises `NotFound`.
    """
    place = {"since": since, "until": until, "target": target, "database": database}
    identities: list[dict[str, Any]] = []
    if re.fullmatch(r"-?[0-9]{1,19}", query_hash) and -(2**63) <= int(query_hash) < 2**63:
        identities.append({"queryid": int(query_hash)})
    if len(query_hash) == 16:
        identities.append({"fingerprint": query_hash.lower()})
    for identity in identities:
        if found := list_queries(conn, limit=1, **place, **identity):  # type: ignore[arg-type]
            return found[0]
    for identity in identities:
        if known := _known_query(conn, {**place, **identity}):
            return known
    raise NotFound(
        f"no query {query_hash!r} in the history",
        hint="A hash is a queryid (may be negative) or a fingerprint of 16 hex digits; "
        "GET /api/v1/queries lists both.",
    )


def _known_query(conn: Connection, place: dict[str, Any]) -> QuerySummary | None:
    with conn.cursor(row_factory=class_row(QuerySummary)) as cursor:
        return cursor.execute(
            load("known_query"), {"queryid": None, "fingerprint": None, **place}
        ).fetchone()


def query_history(
    conn: Connection,
    target_id: int,
    dbid: int,
    queryid: int,
    *,
    since: datetime,
    until: datetime,
    bucket_seconds: float,
) -> list[QueryPoint]:
    """What a query did in buckets of time; from hours where the buckets are whole hours."""
    name = "query_hours" if is_of_hours(bucket_seconds) else "query_intervals"
    with conn.cursor(row_factory=class_row(QueryPoint)) as cursor:
        return cursor.execute(
            load(name),
            {
                "target_id": target_id,
                "dbid": dbid,
                "queryid": queryid,
                "since": since,
                "until": until,
                "bucket": bucket_seconds,
            },
        ).fetchall()
