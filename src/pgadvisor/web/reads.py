"""What the overview and the page of a query show, each read in one transaction."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pgadvisor.records.workload import StoredPlan
from pgadvisor.store import Store
from pgadvisor.store.advice import StoredRecommendation, list_recommendations
from pgadvisor.store.connection import Connection
from pgadvisor.store.executions import LoggedLoad, logged_load
from pgadvisor.store.history import (
    DatabaseSummary,
    Member,
    QuerySummary,
    bucket_seconds_of,
    database_load,
    find_query,
    is_of_hours,
    list_databases,
    list_queries,
    query_history,
    query_members,
)
from pgadvisor.store.query_facts import (
    LoggedExecutions,
    advice_of,
    logged_executions,
    no_plan_reason,
    plans_of_query,
)
from pgadvisor.store.status import RecentGap, TargetState, coverage, recent_gaps, target_states
from pgadvisor.store.windows import HistoryWindow, history_window
from pgadvisor.web.window import Window

__all__ = [
    "Load",
    "Overview",
    "QueryPage",
    "Rates",
    "newest_snapshot",
    "read_overview",
    "read_places",
    "read_query_page",
]

#: more colours than these nobody tells apart; the rest is added up
_MOST_SERIES = 7
_MOST_QUERIES = 20
_MOST_ADVICE = 5
_RAW_RETENTION = timedelta(days=7)


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
    #: those of the choice, and of all targets
    databases: list[DatabaseSummary]
    all_databases: list[DatabaseSummary]
    load: Load
    queries: list[QuerySummary]
    #: by target, statements of logs that no counters go with
    logged: list[tuple[str, LoggedLoad]]
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
    #: the window as it was read
    read: HistoryWindow
    rates: Rates
    members: list[Member]
    logged: list[LoggedExecutions]
    plans: list[StoredPlan]
    no_plan_reason: str | None
    recommendations: list[StoredRecommendation]
    silences: list[tuple[str, str]]
    observed_seconds: float


def read_overview(
    store: Store, window: Window, *, raw_retention: timedelta = _RAW_RETENTION
) -> Overview:
    """Everything on the overview. Raises `StoreUnavailable`."""
    with store.transaction() as conn:
        read = _read_window(conn, window, raw_retention)
        everywhere = list_databases(conn, since=read.since, until=read.until)
        databases = [one for one in everywhere if _is_chosen(one, window)]
        width = bucket_seconds_of(read.since, read.until, finest=read.finest_bucket)
        observed = {
            target_id: coverage(
                conn,
                [target_id],
                since=read.since,
                until=read.until,
                bucket_seconds=width,
                of_hours=is_of_hours(width),
            )
            for target_id in {database.target_id for database in databases}
        }
        targets = target_states(conn)
        return Overview(
            targets=targets,
            gaps=recent_gaps(conn, since=window.since, until=window.until, limit=8),
            databases=databases,
            all_databases=everywhere,
            load=_load(conn, databases, observed, read, _buckets(read, window, width), width),
            queries=_queries(conn, read, window),
            logged=_logged(conn, targets, window),
            recommendations=list_recommendations(
                conn, target=window.target, database=window.database, limit=_MOST_ADVICE
            ),
            observed_seconds=max((sum(one.values()) for one in observed.values()), default=0.0),
        )


def _is_chosen(database: DatabaseSummary, window: Window) -> bool:
    return (window.target or database.target) == database.target and (
        window.database or database.database_name
    ) == database.database_name


def _queries(conn: Connection, read: HistoryWindow, window: Window) -> list[QuerySummary]:
    return list_queries(
        conn,
        since=read.since,
        until=read.until,
        of_hours=read.of_hours,
        target=window.target,
        database=window.database,
        include_utility=window.utility,
        per_cluster=window.per_cluster,
        limit=_MOST_QUERIES,
    )


def _logged(
    conn: Connection, targets: list[TargetState], window: Window
) -> list[tuple[str, LoggedLoad]]:
    """The busiest statements of targets that are a log and nothing else."""
    found = [
        (target.target, load)
        for target in targets
        if target.kind == "log" and window.target in (None, target.target)
        for load in logged_load(conn, target.target_id, most=_MOST_QUERIES)
        if window.database in (None, load.datname)
    ]
    found.sort(key=lambda one: -one[1].total_duration_ms)
    return found[:_MOST_QUERIES]


def _read_window(conn: Connection, window: Window, raw_retention: timedelta) -> HistoryWindow:
    return history_window(conn, window.since, window.until, raw_since=window.until - raw_retention)


def read_places(store: Store) -> list[tuple[str, str]]:
    """(target, database) of all there is."""
    with store.transaction() as conn:
        return conn.execute(
            "select distinct target, database_name from pgadvisor.databases order by 1, 2"
        ).fetchall()


def newest_snapshot(store: Store) -> datetime | None:
    """When counters were last read from any target."""
    with store.transaction() as conn:
        row = conn.execute("select max(last_snapshot_at) from pgadvisor.targets").fetchone()
    return None if row is None else row[0]


def _buckets(read: HistoryWindow, window: Window, width: float) -> list[datetime]:
    """Where the buckets of a window begin, up to now: its last hour may end later."""
    first = math.floor(read.since.timestamp() / width)
    last = math.floor(min(read.until, window.until).timestamp() / width)
    return [datetime.fromtimestamp(n * width, UTC) for n in range(first, last + 1)]


def _load(
    conn: Connection,
    databases: list[DatabaseSummary],
    observed: dict[int, dict[datetime, float]],
    read: HistoryWindow,
    times: list[datetime],
    width: float,
) -> Load:
    several = len({database.target for database in databases}) > 1
    series: list[tuple[str, list[float | None]]] = []
    for database in (one for one in databases if one.calls):
        points = {
            point.at: point.total_exec_time / 1000
            for point in database_load(
                conn,
                database.target_id,
                database.database_name,
                since=read.since,
                until=read.until,
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
    store: Store,
    target: str,
    database: str,
    query_hash: str,
    window: Window,
    *,
    raw_retention: timedelta = _RAW_RETENTION,
) -> QueryPage:
    """Everything on the page of a query. Raises `NotFound` and `StoreUnavailable`."""
    with store.transaction() as conn:
        read = _read_window(conn, window, raw_retention)
        span = {"since": read.since, "until": read.until}
        query = find_query(
            conn, query_hash, of_hours=read.of_hours, target=target, database=database, **span
        )
        width = bucket_seconds_of(read.since, read.until, finest=read.finest_bucket)
        covered = coverage(
            conn,
            query.target_ids,
            database=query.database_name,
            bucket_seconds=width,
            of_hours=is_of_hours(width),
            **span,
        )
        recommendations, silences = advice_of(conn, query)
        return QueryPage(
            query=query,
            read=read,
            rates=_rates(conn, query, covered, read, _buckets(read, window, width), width),
            members=query_members(conn, query, of_hours=read.of_hours, **span),
            logged=logged_executions(conn, query, **span),
            plans=plans_of_query(conn, query),
            no_plan_reason=no_plan_reason(conn, query),
            recommendations=recommendations,
            silences=silences,
            observed_seconds=sum(covered.values()),
        )


def _rates(
    conn: Connection,
    query: QuerySummary,
    covered: dict[datetime, float],
    read: HistoryWindow,
    times: list[datetime],
    width: float,
) -> Rates:
    points = {
        point.at: point
        for point in query_history(
            conn, query, since=read.since, until=read.until, bucket_seconds=width
        )
    }
    return Rates(
        times=times,
        calls_per_second=[
            _rate(points[at].calls if at in points else 0.0, covered.get(at)) for at in times
        ],
        mean_exec_time=[points[at].mean_exec_time if at in points else None for at in times],
    )
