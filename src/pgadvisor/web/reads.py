"""What each page shows, read in one transaction."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from pgadvisor.errors import NotFound
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import StoredPlan
from pgadvisor.store import Store
from pgadvisor.store.advice import StoredRecommendation, list_recommendations, silences_of
from pgadvisor.store.connection import Connection
from pgadvisor.store.history import (
    DatabaseSummary,
    QuerySummary,
    bucket_seconds_of,
    database_load,
    find_query,
    is_of_hours,
    list_databases,
    list_queries,
    query_history,
)
from pgadvisor.store.plans import plans_of, unexplained
from pgadvisor.store.status import RecentGap, TargetState, coverage, recent_gaps, target_states
from pgadvisor.web.window import Window

__all__ = [
    "Load",
    "Overview",
    "QueryPage",
    "Rates",
    "newest_snapshot",
    "read_overview",
    "read_query_page",
]

#: more colours than these nobody tells apart; the rest is added up
_MOST_SERIES = 7
_MOST_QUERIES = 20
_MOST_ADVICE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Average active sessions by bucket of time; None where nothing was observed."""

    times: list[datetime]
    series: list[tuple[str, list[float | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the overview shows."""

    targets: list[TargetState]
    gaps: list[RecentGap]
    databases: list[DatabaseSummary]
    load: Load
    queries: list[QuerySummary]
    recommendations: list[StoredRecommendation]
    #: seconds of the window that were observed, of the target observed longest
    observed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a query did by bucket of time; None where nothing was observed."""

    times: list[datetime]
    calls_per_second: list[float | None]
    mean_exec_time: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPage:
    """What the page of a query shows."""

    query: QuerySummary
    rates: Rates
    plans: tuple[StoredPlan, ...]
    no_plan_reason: str | None
    recommendations: list[StoredRecommendation]
    silences: list[tuple[str, str]]
    observed_seconds: float


def read_overview(store: Store, window: Window) -> Overview:
    """Everything on the overview. Raises `StoreUnavailable`."""
    span = {"since": window.since, "until": window.until}
    with store.transaction() as conn:
        databases = list_databases(conn, **span)
        width = bucket_seconds_of(window.since, window.until)
        observed = {
            target_id: coverage(
                conn,
                target_id,
                since=window.since,
                until=window.until,
                bucket_seconds=width,
            )
            for target_id in {database.target_id for database in databases}
        }
        return Overview(
            targets=target_states(conn),
            gaps=recent_gaps(conn, limit=8, **span),
            databases=databases,
            load=_load(conn, databases, observed, window, width),
            queries=list_queries(conn, since=window.since, until=window.until, limit=_MOST_QUERIES),
            recommendations=list_recommendations(conn, limit=_MOST_ADVICE),
            observed_seconds=max((sum(one.values()) for one in observed.values()), default=0.0),
        )


def newest_snapshot(store: Store) -> datetime | None:
    """When counters were last read from any target."""
    with store.transaction() as conn:
        found = [state.last_snapshot_at for state in target_states(conn)]
    return max((at for at in found if at is not None), default=None)


def _buckets(window: Window, width: float) -> list[datetime]:
    first = math.floor(window.since.timestamp() / width)
    last = math.floor(window.until.timestamp() / width)
    return [datetime.fromtimestamp(n * width, UTC) for n in range(first, last + 1)]


def _load(
    conn: Connection,
    databases: list[DatabaseSummary],
    observed: dict[int, dict[datetime, float]],
    window: Window,
    width: float,
) -> Load:
    times = _buckets(window, width)
    several = len({database.target for database in databases}) > 1
    series: list[tuple[str, list[float | None]]] = []
    for database in (one for one in databases if one.calls):
        points = {
            point.at: point.total_exec_time / 1000
            for point in database_load(
                conn,
                database.target_id,
                database.dbid,
                since=window.since,
                until=window.until,
                bucket_seconds=width,
            )
        }
        name = database.database_name
        covered = observed[database.target_id]
        series.append(
            (
                f"{database.target} / {name}" if several else name,
                [_rate(points.get(at, 0.0), covered.get(at)) for at in times],
            )
        )
    return Load(times=times, series=_at_most(series))


def _rate(amount: float, seconds: float | None) -> float | None:
    return amount / seconds if seconds else None


def _at_most(
    series: list[tuple[str, list[float | None]]],
) -> list[tuple[str, list[float | None]]]:
    if len(series) <= _MOST_SERIES:
        return series
    rest = [values for _, values in series[_MOST_SERIES - 1 :]]
    total = [
        sum(one for one in column if one is not None)
        if any(v is not None for v in column)
        else None
        for column in zip(*rest, strict=True)
    ]
    return [*series[: _MOST_SERIES - 1], (f"{len(rest)} others", total)]


def read_query_page(
    store: Store, target: str, database: str, queryid: str, window: Window
) -> QueryPage:
    """Everything on the page of a query. Raises `NotFound` and `StoreUnavailable`."""
    span = {"since": window.since, "until": window.until}
    with store.transaction() as conn:
        query = find_query(conn, queryid, target=target, database=database, **span)
        if str(query.queryid) != queryid:
            raise NotFound(
                f"no query {queryid!r} in the history", hint="The overview lists the queries."
            )
        key = QueryId(query.queryid)
        plans = plans_of(conn, query.target_id, database, {key: query.fingerprint})
        width = bucket_seconds_of(window.since, window.until)
        covered = coverage(
            conn,
            query.target_id,
            since=window.since,
            until=window.until,
            bucket_seconds=width,
            of_hours=is_of_hours(width),
        )
        return QueryPage(
            query=query,
            rates=_rates(conn, query, covered, window, width),
            plans=plans.get(key, ()),
            no_plan_reason=unexplained(conn, query.target_id, query.dbid).get(key),
            recommendations=list_recommendations(
                conn, target=target, database=database, queryid=query.queryid
            ),
            silences=silences_of(conn, query.target_id, database, query.queryid),
            observed_seconds=sum(covered.values()),
        )


def _rates(
    conn: Connection,
    query: QuerySummary,
    covered: dict[datetime, float],
    window: Window,
    width: float,
) -> Rates:
    points = {
        point.at: point
        for point in query_history(
            conn,
            query.target_id,
            query.dbid,
            query.queryid,
            since=window.since,
            until=window.until,
            bucket_seconds=width,
        )
    }
    times = [
        # of an hour that began before the window there is only a part
        at
        for at in _buckets(window, width)
        if at >= window.since or not is_of_hours(width)
    ]
    return Rates(
        times=times,
        calls_per_second=[
            _rate(points[at].calls if at in points else 0.0, covered.get(at)) for at in times
        ],
        mean_exec_time=[points[at].mean_exec_time if at in points else None for at in times],
    )
