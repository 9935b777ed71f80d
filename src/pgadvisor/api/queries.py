"""GET /queries and GET /queries/{hash}."""

import json
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from pgadvisor.api.context import Context
from pgadvisor.api.cursor import decode_cursor, encode_cursor
from pgadvisor.api.parameters import (
    Cursor,
    DatabaseName,
    Hash,
    IncludeUtility,
    Kinds,
    Limit,
    Per,
    Span,
    TableName,
    TargetName,
    Window,
    read_window,
)
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.recommendations import as_schema
from pgadvisor.api.schemas import (
    History,
    HistoryPoint,
    LoggedExecutions,
    Member,
    Plan,
    Query,
    QueryDetail,
    QueryList,
    Silence,
)
from pgadvisor.sql import render
from pgadvisor.store.connection import Connection
from pgadvisor.store.history import (
    QuerySummary,
    bucket_seconds_of,
    find_query,
    list_queries,
    query_history,
    query_members,
)
from pgadvisor.store.query_facts import advice_of, logged_executions, no_plan_reason, plans_of_query
from pgadvisor.store.windows import HistoryWindow

__all__ = ["router"]

router = APIRouter(tags=["queries"])


@router.get("/queries", responses=problem_responses(400))
def get_queries(
    door: Context,
    span: Window,
    target: TargetName = None,
    database: DatabaseName = None,
    kind: Kinds = None,
    include_utility: IncludeUtility = False,
    table: TableName = None,
    per: Per = "target",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> QueryList:
    """Queries by falling total execution time over the window.

    All queryids with one fingerprint are one query. A window of over two hours is read in whole
    hours. A cursor keeps the window of the first page, so that pages fit together while time
    goes on.
    """
    kinds = sorted({str(one) for one in kind}) if kind else None
    purpose = json.dumps(["queries", target, database, kinds, include_utility, table, per])
    after: tuple[float, str, str, str] | None = None
    if cursor is not None:
        since, until, *position = decode_cursor(purpose, cursor)
        span = Span(datetime.fromisoformat(since), datetime.fromisoformat(until))
        after = (position[0], position[1], position[2], position[3])
    with door.store.transaction() as conn:
        read = read_window(conn, door, span)
        found = list_queries(
            conn,
            since=read.since,
            until=read.until,
            of_hours=read.of_hours,
            target=target,
            database=database,
            kinds=kinds,
            include_utility=include_utility,
            table=table,
            per_cluster=per == "cluster",
            after=after,
            limit=limit + 1,
        )
    return QueryList(
        since=read.since,
        until=read.until,
        of_hours=read.of_hours,
        items=[Query.model_validate(one) for one in found[:limit]],
        next_cursor=_next_cursor(purpose, span, found[limit - 1]) if len(found) > limit else None,
    )


def _next_cursor(purpose: str, span: Span, last: QuerySummary) -> str:
    return encode_cursor(
        purpose,
        [
            *(span.since.isoformat(), span.until.isoformat()),
            *(last.total_exec_time, last.query_hash, last.place, last.database_name),
        ],
    )


@router.get("/queries/{hash}", responses=problem_responses(404))
def get_query(
    door: Context,
    span: Window,
    hash: Hash,
    target: TargetName = None,
    database: DatabaseName = None,
) -> QueryDetail:
    """One query: text, counters, history, plans, and its advice or why there is none.

    Where several databases have it, the busiest one's; `target` and `database` choose.
    """
    with door.store.transaction() as conn:
        read = read_window(conn, door, span)
        window = {"since": read.since, "until": read.until, "of_hours": read.of_hours}
        query = find_query(conn, hash, target=target, database=database, **window)  # type: ignore[arg-type]
        members = query_members(conn, query, **window)  # type: ignore[arg-type]
        return QueryDetail.model_validate(
            {
                **Query.model_validate(query).model_dump(),
                **window,
                "formatted_query": render(query.query) if query.query else None,
                "history": _history(conn, query, read),
                "members": [Member.model_validate(one) for one in members],
                "logged": _logged(conn, query, read),
                **_plans(conn, query),
                **_advice(conn, query),
            }
        )


def _history(conn: Connection, query: QuerySummary, read: HistoryWindow) -> History:
    width = bucket_seconds_of(read.since, read.until, finest=read.finest_bucket)
    points = query_history(conn, query, since=read.since, until=read.until, bucket_seconds=width)
    return History(
        bucket_seconds=width, points=[HistoryPoint.model_validate(point) for point in points]
    )


def _logged(conn: Connection, query: QuerySummary, read: HistoryWindow) -> list[LoggedExecutions]:
    found = logged_executions(conn, query, since=read.since, until=read.until)
    return [LoggedExecutions.model_validate(one) for one in found]


def _plans(conn: Connection, query: QuerySummary) -> dict[str, Any]:
    return {
        "plans": [Plan.model_validate(plan) for plan in plans_of_query(conn, query)],
        "no_plan_reason": no_plan_reason(conn, query),
    }


def _advice(conn: Connection, query: QuerySummary) -> dict[str, Any]:
    found, silences = advice_of(conn, query)
    return {
        "recommendations": [as_schema(one) for one in found],
        "silences": [Silence(rule=r, reason=why) for r, why in silences] if not found else [],
    }
