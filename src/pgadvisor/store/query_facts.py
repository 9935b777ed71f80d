"""What is known of one query beside its counters: plans, logged executions, advice, silences."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import StoredPlan
from pgadvisor.store.advice import StoredRecommendation, list_recommendations
from pgadvisor.store.connection import Connection
from pgadvisor.store.history import QuerySummary
from pgadvisor.store.plans import plans_of
from pgadvisor.store.queries import load

__all__ = [
    "LoggedExecutions",
    "advice_of",
    "logged_executions",
    "no_plan_reason",
    "plans_of_query",
]

_MOST_PLANS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedExecutions:
    """Executions of a query that the log shows and that were logged in one way."""

    source: str
    #: every execution was logged; else these are the slow or sampled ones only
    is_whole: bool
    threshold_ms: float | None
    sample_rate: float | None
    executions: int
    mean_duration_ms: float
    p95_duration_ms: float
    max_duration_ms: float
    last_logged_at: datetime


def logged_executions(
    conn: Connection, query: QuerySummary, *, since: datetime, until: datetime
) -> list[LoggedExecutions]:
    """What the server log shows of a query, a sample never added to the whole."""
    with conn.cursor(row_factory=class_row(LoggedExecutions)) as cursor:
        return cursor.execute(
            load("logged_executions"),
            {
                "target_ids": query.target_ids,
                "database": query.database_name,
                "fingerprint": query.fingerprint,
                "queryids": query.queryids,
                "since": since,
                "until": until,
            },
        ).fetchall()


def plans_of_query(conn: Connection, query: QuerySummary) -> list[StoredPlan]:
    """The newest plan shapes of all its queryids, executed ones first."""
    wanted = {QueryId(queryid): query.fingerprint for queryid in query.queryids}
    found = {
        plan.id: plan
        for target_id in query.target_ids
        for plans in plans_of(conn, target_id, query.database_name, wanted).values()
        for plan in plans
    }
    newest = sorted(found.values(), key=lambda plan: plan.last_seen_at, reverse=True)
    return sorted(newest, key=lambda plan: not plan.executions)[:_MOST_PLANS]


def no_plan_reason(conn: Connection, query: QuerySummary) -> str | None:
    """Why the planner gave no plan for it, the newest reason."""
    row = conn.execute(
        """select u.reason from unexplained u
           join databases b on b.target_id = u.target_id and b.dbid = u.dbid
           where u.target_id = any(%s) and b.datname = %s and u.queryid = any(%s)
           order by u.tried_at desc limit 1""",
        [query.target_ids, query.database_name, query.queryids],
    ).fetchone()
    return None if row is None else str(row[0])


def advice_of(
    conn: Connection, query: QuerySummary
) -> tuple[list[StoredRecommendation], list[tuple[str, str]]]:
    """Open recommendations that any of its queryids is in, and (rule, reason) of the silences."""
    found = [
        one
        for target in query.targets
        for one in list_recommendations(
            conn, target=target, database=query.database_name, queryids=query.queryids, limit=100
        )
    ]
    silences = conn.execute(
        """select rule, (array_agg(reason order by analyzed_at desc, queryid))[1]
           from advice_silences
           where target_id = any(%s) and database_name = %s and queryid = any(%s)
           group by rule order by rule""",
        [query.target_ids, query.database_name, query.queryids],
    ).fetchall()
    return sorted(found, key=lambda one: (-one.roi_score, one.id)), silences
