"""What the doors read: databases, queries, their history. Times in ms, instants in UTC.

A query is all queryids with one fingerprint in the databases of one name: the same one before and
after a dump and restore, an upgrade, and with lists of any length.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import class_row

from pgadvisor.errors import NotFound
from pgadvisor.sql import PLANNED_KINDS
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load
from pgadvisor.store.windows import is_long, whole_hours

__all__ = [
    "DatabaseSummary",
    "LoadPoint",
    "Member",
    "QueryPoint",
    "QuerySummary",
    "bucket_seconds_of",
    "database_load",
    "find_query",
    "is_of_hours",
    "list_databases",
    "list_queries",
    "query_history",
    "query_members",
    "source_of",
    "spent",
]

#: where a query ended that a page of a list ended with
After = tuple[float, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSummary:
    """A database with its load over a window."""

    target_id: int
    target: str
    database_name: str
    #: the newest of its name
    dbid: int
    server_version_num: int | None
    #: primary or replica, None while not known
    role: str | None
    #: calls of statements whose role may not be seen are not in it
    calls: int
    total_exec_time: float
    queries: int
    last_interval_at: datetime | None
    last_error: str | None
    #: why its catalog cannot be read
    problem: str | None


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
    """A query with its counters over a window, on one target or on all of a cluster."""

    #: what it was added up over: a target's id, or the identifier of a cluster
    place: str
    #: of several the primary
    target_id: int
    target: str
    target_ids: list[int]
    targets: list[str]
    database_name: str
    #: its fingerprint, or the queryid of a text that has none
    query_hash: str
    #: the busiest one, and all that ran, busiest first
    queryid: int
    queryids: list[int]
    fingerprint: str | None
    query: str | None
    kind: str | None
    #: as written; None when not parsable
    tables: list[str] | None
    unreadable: str | None
    calls: int
    total_exec_time: float
    mean_exec_time: float
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    temp_blks_written: int
    #: of the time of all top-level statements of the database in the window
    share_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPoint:
    """What a query did in one bucket of time."""

    at: datetime
    calls: int
    total_exec_time: float
    mean_exec_time: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What one queryid of a query did on one target."""

    target: str
    in_recovery: bool | None
    queryid: int
    calls: int
    total_exec_time: float
    mean_exec_time: float


#: widths of a bucket that people read well: a minute to a day
_BUCKETS = (60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 86400.0)


def bucket_seconds_of(
    since: datetime, until: datetime, *, most: int = 180, finest: float = 60.0
) -> float:
    """The width of buckets that divides a window into at most about `most` points."""
    span = (until - since).total_seconds()
    widths = (width for width in _BUCKETS if width >= finest and span / width <= most)
    return next(widths, _BUCKETS[-1])


def is_of_hours(bucket_seconds: float) -> bool:
    """True where a query's history comes from hourly roll-ups, not from intervals."""
    return bucket_seconds >= 3600


def spent(name: LiteralString, source: LiteralString) -> sql.Composed:
    """A query over what entries did, with the query of where they did it put into it."""
    return sql.SQL(load(name)).format(spent=sql.SQL(load(source)))


def source_of(of_hours: bool) -> LiteralString:
    """Which of the two histories a window is read from."""
    return "spent_in_hours" if of_hours else "spent_in_intervals"


def list_databases(
    conn: Connection,
    *,
    since: datetime,
    until: datetime,
    target: str | None = None,
    database: str | None = None,
) -> list[DatabaseSummary]:
    """All databases of all targets, busiest first."""
    place = {"since": since, "until": until, "target": target, "database": database}
    with conn.cursor(row_factory=class_row(DatabaseSummary)) as cursor:
        return cursor.execute(load("list_databases"), place).fetchall()


def database_load(
    conn: Connection,
    target_id: int,
    database: str,
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
                "database": database,
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
    of_hours: bool | None = None,
    target_ids: Sequence[int] | None = None,
    statement_ids: Sequence[int] | None = None,
    target: str | None = None,
    database: str | None = None,
    kinds: Sequence[str] | None = None,
    include_utility: bool = False,
    table: str | None = None,
    per_cluster: bool = False,
    after: After | None = None,
    limit: int = 20,
) -> list[QuerySummary]:
    """Queries by falling total time, without ours, and without utility statements unless asked.

    Where `of_hours` is not said, a long window is read from hours and rounded to them
    (`pgadvisor.store.windows`). `kinds` lists the kinds wanted; a text that cannot be parsed has
    none and is listed with the planned ones. `after` is (total_exec_time, query_hash, place,
    database_name) of the last one seen.
    """
    if of_hours is None:
        of_hours = is_long(since, until)
        since, until = whole_hours(since, until) if of_hours else (since, until)
    if target is not None and target_ids is None:
        target_ids = _ids_of(conn, target)
    if kinds is None and not include_utility:
        kinds = PLANNED_KINDS
    with conn.cursor(row_factory=class_row(QuerySummary)) as cursor:
        return cursor.execute(
            spent("list_queries", source_of(of_hours)),
            {
                "since": since,
                "until": until,
                "target_ids": None if target_ids is None else list(target_ids),
                "statement_ids": None if statement_ids is None else list(statement_ids),
                "database": database,
                "kinds": None if kinds is None else list(kinds),
                "unknown_kind": kinds is None or kinds == PLANNED_KINDS,
                "table": table,
                "per_cluster": per_cluster,
                "after_time": after[0] if after else None,
                "after_hash": after[1] if after else None,
                "after_place": after[2] if after else None,
                "after_database": after[3] if after else None,
                "limit": limit,
            },
        ).fetchall()


def _ids_of(conn: Connection, target: str) -> list[int]:
    return [row[0] for row in conn.execute("select id from targets where name = %s", [target])]


def find_query(
    conn: Connection,
    query_hash: str,
    *,
    since: datetime,
    until: datetime,
    of_hours: bool | None = None,
    target: str | None = None,
    database: str | None = None,
) -> QuerySummary:
    """The busiest query that a queryid (also a negative one) or fingerprint means.

    Both may have 16 digits: a queryid is tried first. A query that did not run in the window
    is found with zero counters. Raises `NotFound`.
    """
    window = {"since": since, "until": until, "of_hours": of_hours}
    place = {"target": target, "database": database}
    known: QuerySummary | None = None
    for identity in _identities(query_hash):
        entries = conn.execute(load("query_entries"), {**place, **identity}).fetchall()
        found = entries and list_queries(
            conn,
            **window,  # type: ignore[arg-type]
            target_ids=sorted({target_id for target_id, _ in entries}),
            statement_ids=[statement_id for _, statement_id in entries],
            include_utility=True,
            limit=1,
        )
        if found:
            return _with_share(conn, found[0], since, until)
        known = known or _known_query(conn, {**place, **identity})
    if known is None:
        raise NotFound(
            f"no query {query_hash!r} in the history",
            hint="A hash is a queryid (may be negative) or a fingerprint of 16 hex digits; "
            "GET /api/v1/queries lists both.",
        )
    return known


def _identities(query_hash: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if re.fullmatch(r"-?[0-9]{1,19}", query_hash) and -(2**63) <= int(query_hash) < 2**63:
        found.append({"queryid": int(query_hash), "fingerprint": None})
    if len(query_hash) == 16:
        found.append({"queryid": None, "fingerprint": query_hash.lower()})
    return found


def _with_share(
    conn: Connection, query: QuerySummary, since: datetime, until: datetime
) -> QuerySummary:
    """Its share of the time of its whole database, of which the list has seen nothing."""
    row = conn.execute(
        load("database_time"),
        {
            "target_ids": query.target_ids,
            "database": query.database_name,
            "since": since,
            "until": until,
        },
    ).fetchone()
    assert row is not None  # an aggregate returns one row
    share = query.total_exec_time / row[0] if row[0] else query.share_ratio
    return replace(query, share_ratio=share)


def _known_query(conn: Connection, place: dict[str, Any]) -> QuerySummary | None:
    with conn.cursor(row_factory=class_row(QuerySummary)) as cursor:
        return cursor.execute(load("known_query"), place).fetchone()


def query_members(
    conn: Connection,
    query: QuerySummary,
    *,
    since: datetime,
    until: datetime,
    of_hours: bool,
) -> list[Member]:
    """What each queryid of a query did on each target of its cluster, replicas last."""
    entries = conn.execute(
        load("cluster_entries"),
        {
            "target_id": query.target_id,
            "database": query.database_name,
            "fingerprint": query.fingerprint,
            "queryids": query.queryids,
        },
    ).fetchall()
    with conn.cursor(row_factory=class_row(Member)) as cursor:
        return cursor.execute(
            spent("query_members", source_of(of_hours)),
            {
                "since": since,
                "until": until,
                "target_ids": sorted({target_id for target_id, _ in entries}),
                "statement_ids": [statement_id for _, statement_id in entries],
            },
        ).fetchall()


def query_history(
    conn: Connection,
    query: QuerySummary,
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
                "target_ids": query.target_ids,
                "database": query.database_name,
                "queryids": query.queryids,
                "since": since,
                "until": until,
                "bucket": bucket_seconds,
            },
        ).fetchall()
