"""Plans by shape, with the executions they were seen in."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from pgadvisor.errors import NotParsable
from pgadvisor.plans import parse_plan, shape
from pgadvisor.records.log import LogPosition
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource, StoredPlan
from pgadvisor.sql import fingerprint
from pgadvisor.store.connection import Connection
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load

__all__ = [
    "fingerprint_of",
    "load_log_position",
    "plans_of",
    "save_log_position",
    "save_plans",
    "save_unexplained",
    "unexplained",
]

_LONGEST_EXAMPLE = 100_000


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


@lru_cache(maxsize=4096)
def fingerprint_of(query: str) -> str | None:
    """The fingerprint of a text, None when it cannot be parsed."""
    try:
        return fingerprint(query)
    except NotParsable:
        return None  # the plan is still good, it is joined by queryid alone


def save_plans(conn: Connection, target_id: int, captures: Iterable[PlanCapture]) -> int:
    """Save plans by shape and their executions; returns how many plans could not be read."""
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
        ids = _upsert(conn, target_id, groups)
        _save_executions(conn, target_id, groups, ids)
    return unread


def _upsert(conn: Connection, target_id: int, groups: Mapping[_Key, _Group]) -> dict[_Key, int]:
    durations = [
        [run.duration_ms for run in group.executions if run.duration_ms is not None]
        for group in groups.values()
    ]
    lasts = [group.last for group in groups.values()]
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
    conn: Connection, target_id: int, groups: Mapping[_Key, _Group], ids: Mapping[_Key, int]
) -> None:
    runs = [(ids[key], run) for key, group in groups.items() for run in group.executions]
    if not runs:
        return
    ensure_partitions(conn, "executions", {run.captured_at for _, run in runs})
    with (
        conn.cursor() as cursor,
        cursor.copy(
            """copy executions (target_id, logged_at, plan_id, duration_ms, username,
                   application_name, pid) from stdin"""
        ) as copy,
    ):
        for plan_id, run in runs:
            copy.write_row(
                (
                    *(target_id, run.captured_at, plan_id, run.duration_ms),
                    *(run.user, run.application_name, run.pid),
                )
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


def load_log_position(conn: Connection, target_id: int, source: str) -> LogPosition | None:
    """How far a log was read, None when it never was."""
    row = conn.execute(
        "select position from log_positions where target_id = %s and source = %s",
        [target_id, source],
    ).fetchone()
    return None if row is None else LogPosition(**row[0])


def save_log_position(
    conn: Connection,
    target_id: int,
    source: str,
    position: LogPosition,
    *,
    lines: int,
    skipped: Mapping[str, int],
    now: datetime,
) -> None:
    """Save how far a log was read, in the transaction that saves what was read."""
    conn.execute(
        load("save_log_position"),
        {
            "target_id": target_id,
            "source": source,
            "position": json.dumps(asdict(position)),
            "lines": lines,
            "skipped": json.dumps(dict(skipped)),
            "now": now,
        },
    )
