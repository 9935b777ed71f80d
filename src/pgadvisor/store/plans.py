"""Plans by shape, with the executions they were seen in."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from pgadvisor.errors import NotParsable
from pgadvisor.plans import parse_plan, shape
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource, StoredPlan
from pgadvisor.sql import fingerprint
from pgadvisor.store.connection import Connection
from pgadvisor.store.executions import copy_executions
from pgadvisor.store.queries import load

__all__ = [
    "Sampled",
    "fingerprint_of",
    "plans_of",
    "save_plans",
    "save_unexplained",
    "unexplained",
]

#: from a duration in ms to threshold and rate that such executions were logged with
Sampled = Callable[[float], tuple[float | None, float | None]]

_LONGEST_EXAMPLE = 100_000
#: longer texts are rare and not worth their room in a cache
_LONGEST_CACHED = 4096


@dataclass(frozen=True, slots=True)
class _Key:
    datname: str
    queryid: int | None
    fingerprint: str | None
    shape: str
    source: PlanSource


@dataclass(slots=True)
class _Group:
    last: PlanCapture
    executions: list[PlanCapture] = field(default_factory=list)


def fingerprint_of(query: str) -> str | None:
    """The fingerprint of a text, None when it cannot be parsed."""
    return _fingerprint(query) if len(query) > _LONGEST_CACHED else _cached_fingerprint(query)


@lru_cache(maxsize=4096)
def _cached_fingerprint(query: str) -> str | None:
    return _fingerprint(query)


def _fingerprint(query: str) -> str | None:
    try:
        return fingerprint(query)
    except NotParsable:
        return None  # the plan is still good, it is joined by queryid alone


def _as_it_is(capture: PlanCapture) -> PlanCapture:
    return capture


def _not_known(duration_ms: float) -> tuple[float | None, float | None]:
    return None, None


def save_plans(
    conn: Connection,
    target_id: int,
    captures: Iterable[PlanCapture],
    *,
    mask: Callable[[PlanCapture], PlanCapture] = _as_it_is,
    sampled: Sampled = _not_known,
) -> int:
    """Save plans by shape, their executions and hours; returns how many could not be read.

    `mask` takes the values out of those that are kept as examples, the only ones stored whole;
    `sampled` tells the sampling that an execution was logged with.
    """
    groups: dict[_Key, _Group] = {}
    unread = 0
    for capture in captures:
        try:
            plan_shape = shape(parse_plan({"Plan": capture.plan}))
        except NotParsable:
            unread += 1
            continue
        key = _Key(
            capture.database,
            capture.queryid,
            fingerprint_of(capture.query),
            plan_shape,
            capture.source,
        )
        group = groups.setdefault(key, _Group(capture))
        if capture.captured_at >= group.last.captured_at:
            group.last = capture
        if capture.duration_ms is not None:
            group.executions.append(capture)
    if groups:
        lasts = [mask(group.last) for group in groups.values()]
        ids = _upsert(conn, target_id, groups, lasts)
        _save_executions(conn, target_id, groups, ids, sampled)
        _save_hours(conn, target_id, groups, ids)
    return unread


def _upsert(
    conn: Connection, target_id: int, groups: Mapping[_Key, _Group], lasts: list[PlanCapture]
) -> dict[_Key, int]:
    durations = [
        [run.duration_ms for run in group.executions if run.duration_ms is not None]
        for group in groups.values()
    ]
    rows = conn.execute(
        load("save_plans"),
        {
            "target_id": target_id,
            "datnames": [key.datname for key in groups],
            "queryids": [key.queryid for key in groups],
            "fingerprints": [key.fingerprint for key in groups],
            "shapes": [key.shape for key in groups],
            "sources": [str(key.source) for key in groups],
            "plans": [json.dumps(last.plan) for last in lasts],
            "extras": [json.dumps(last.extra) for last in lasts],
            "queries": [last.query[:_LONGEST_EXAMPLE].replace("\0", "") for last in lasts],
            "firsts": [
                min((run.captured_at for run in group.executions), default=group.last.captured_at)
                for group in groups.values()
            ],
            "lasts": [last.captured_at for last in lasts],
            "executions": [len(one) for one in durations],
            "totals": [sum(one, 0.0) for one in durations],
            "maxima": [max(one, default=None) for one in durations],
        },
    ).fetchall()
    return {
        _Key(datname, queryid, fingerprint, plan_shape, PlanSource(source)): plan_id
        for plan_id, datname, queryid, fingerprint, plan_shape, source in rows
    }


def _save_executions(
    conn: Connection,
    target_id: int,
    groups: Mapping[_Key, _Group],
    ids: Mapping[_Key, int],
    sampled: Sampled,
) -> None:
    copy_executions(
        conn,
        target_id,
        [
            (
                *(run.captured_at, ids[key], run.duration_ms, run.user, run.application_name),
                *(run.pid, "auto_explain", key.datname, key.queryid, key.fingerprint),
                *sampled(run.duration_ms or 0.0),
                None,
            )
            for key, group in groups.items()
            for run in group.executions
        ],
    )


def _save_hours(
    conn: Connection, target_id: int, groups: Mapping[_Key, _Group], ids: Mapping[_Key, int]
) -> None:
    hours: dict[tuple[int, datetime], list[float]] = {}
    for key, group in groups.items():
        for run in group.executions:
            hour = run.captured_at.replace(minute=0, second=0, microsecond=0)
            hours.setdefault((ids[key], hour), []).append(run.duration_ms or 0.0)
    if hours:
        conn.execute(
            load("save_plan_hours"),
            {
                "target_id": target_id,
                "plan_ids": [plan_id for plan_id, _ in hours],
                "hours": [hour for _, hour in hours],
                "executions": [len(one) for one in hours.values()],
                "totals": [sum(one) for one in hours.values()],
                "maxima": [max(one) for one in hours.values()],
            },
        )


def plans_of(
    conn: Connection,
    target_id: int,
    database: str,
    queries: Mapping[QueryId, str | None],
    *,
    most: int = 3,
) -> dict[QueryId, tuple[StoredPlan, ...]]:
    """The plans of these queries (queryid to fingerprint), newest `most` shapes each.

    By queryid where the plan carries one, else by fingerprint; plans from logs come first.
    """
    rows = conn.execute(
        load("plans_of"),
        {
            "target_id": target_id,
            "database": database,
            "queryids": list(queries),
            "fingerprints": list(queries.values()),
            "most": most,
        },
    )
    found: dict[QueryId, list[StoredPlan]] = {}
    for queryid, *values in rows:
        found.setdefault(QueryId(queryid), []).append(_stored(values))
    return {queryid: tuple(plans) for queryid, plans in found.items()}


def _stored(values: list[Any]) -> StoredPlan:
    names = (
        *("id", "shape", "source", "plan", "extra", "example_query", "first_seen_at"),
        *("last_seen_at", "executions", "mean_duration_ms", "max_duration_ms"),
    )
    row = dict(zip(names, values, strict=True))
    return StoredPlan(**{**row, "source": PlanSource(row["source"])})


def save_unexplained(
    conn: Connection, target_id: int, dbid: int, queryid: QueryId, reason: str, *, now: datetime
) -> None:
    """Note why the planner gives no plan for a query."""
    conn.execute(
        """insert into unexplained values (%s, %s, %s, %s, %s)
           on conflict (target_id, dbid, queryid) do update
           set reason = excluded.reason, tried_at = excluded.tried_at""",
        [target_id, dbid, queryid, reason, now],
    )


def unexplained(conn: Connection, target_id: int, dbid: int) -> dict[QueryId, str]:
    """Why there is no plan, by queryid."""
    rows = conn.execute(
        "select queryid, reason from unexplained where target_id = %s and dbid = %s",
        [target_id, dbid],
    )
    return {QueryId(queryid): reason for queryid, reason in rows}
