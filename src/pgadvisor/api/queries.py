"""GET /queries and GET /queries/{hash}."""

import json
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from pgadvisor.api.context import Context
from pgadvisor.api.cursor import decode_cursor, encode_cursor
from pgadvisor.api.parameters import Cursor, DatabaseName, Hash, Limit, Span, TargetName, Window
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.recommendations import as_schema
from pgadvisor.api.schemas import (
    History,
    HistoryPoint,
    Plan,
    Query,
    QueryDetail,
    QueryList,
    Silence,
)
from pgadvisor.records.statement import QueryId
from pgadvisor.sql import render
from pgadvisor.store.advice import list_recommendations, silences_of
from pgadvisor.store.connection import Connection
from pgadvisor.store.history import (
    QuerySummary,
    bucket_seconds_of,
    find_query,
    list_queries,
    query_history,
)
from pgadvisor.store.plans import plans_of, unexplained

__all__ = ["router"]

router = APIRouter(tags=["queries"])


@router.get("/queries", responses=problem_responses(400))
def get_queries(
    door: Context,
    span: Window,
    target: TargetName = None,
    database: DatabaseName = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> QueryList:
    """Queries by falling total execution time over the window.

    A cursor keeps the window of the first page, so that pages fit together while time goes on.
    """
    purpose = json.dumps(["queries", target, database])
    after: tuple[float, int, int, int] | None = None
    if cursor is not None:
        since, until, *position = decode_cursor(purpose, cursor)
        span = Span(datetime.fromisoformat(since), datetime.fromisoformat(until))
        after = (position[0], position[1], position[2], position[3])
    with door.store.transaction() as conn:
        found = list_queries(
            conn,
            since=span.since,
            until=span.until,
            target=target,
            database=database,
            after=after,
            limit=limit + 1,
        )
    return QueryList(
        since=span.since,
        until=span.until,
        items=[Query.model_validate(one) for one in found[:limit]],
        next_cursor=_next_cursor(purpose, span, found[limit - 1]) if len(found) > limit else None,
    )


def _next_cursor(purpose: str, span: Span, last: QuerySummary) -> str:
    return encode_cursor(
        purpose,
        [
            *(span.since.isoformat(), span.until.isoformat()),
            *(last.total_exec_time, last.queryid, last.target_id, last.dbid),
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
    window = {"since": span.since, "until": span.until}
    with door.store.transaction() as conn:
        query = find_query(conn, hash, target=target, database=database, **window)
        return QueryDetail.model_validate(
            {
                **Query.model_validate(query).model_dump(),
                **window,
                "formatted_query": render(query.query) if query.query else None,
                "history": _history(conn, query, span),
                **_plans(conn, query),
                **_advice(conn, query),
            }
        )


def _history(conn: Connection, query: QuerySummary, span: Span) -> History:
    width = bucket_seconds_of(span.since, span.until)
    points = query_history(
        conn,
        query.target_id,
        query.dbid,
        query.queryid,
        since=span.since,
        until=span.until,
        bucket_seconds=width,
    )
    return History(
        bucket_seconds=width, points=[HistoryPoint.model_validate(point) for point in points]
    )


def _plans(conn: Connection, query: QuerySummary) -> dict[str, Any]:
    queryid = QueryId(query.queryid)
    found = plans_of(conn, query.target_id, query.database_name, {queryid: query.fingerprint})
    reasons = unexplained(conn, query.target_id, query.dbid)
    return {
        "plans": [Plan.model_validate(plan) for plan in found.get(queryid, ())],
        "no_plan_reason": reasons.get(queryid),
    }


def _advice(conn: Connection, query: QuerySummary) -> dict[str, Any]:
    place = {"target": query.target, "database": query.database_name}
    found = list_recommendations(conn, queryid=query.queryid, limit=100, **place)  # type: ignore[arg-type]
    silences = silences_of(conn, query.target_id, query.database_name, query.queryid)
    return {
        "recommendations": [as_schema(one) for one in found],
        "silences": [Silence(rule=r, reason=why) for r, why in silences] if not found else [],
    }
