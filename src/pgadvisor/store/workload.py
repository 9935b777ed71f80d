"""The stored workload of one database, as the analysis reads it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import DictRow, dict_row

from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query, StoredPlan, Workload
from pgadvisor.store.catalog import current_settings
from pgadvisor.store.connection import Connection
from pgadvisor.store.history import source_of, spent
from pgadvisor.store.plans import fingerprint_of, plans_of, unexplained
from pgadvisor.store.queries import load
from pgadvisor.store.targets import StoredTarget
from pgadvisor.store.windows import history_window

__all__ = ["load_workload"]


def load_workload(
    conn: Connection,
    target: StoredTarget,
    database: str,
    *,
    since: datetime,
    until: datetime,
    most: int = 500,
    members: Sequence[int] = (),
) -> Workload | None:
    """The busiest `most` queries over [since, until); None for a database never seen.

    `members` are the ids of all targets of a cluster: what its replicas ran counts too, while
    settings, writes and reasons are those of `target`. A long window is read from hours and
    rounded to them. `observed_hours` counts the time that intervals cover, so rates per hour are
    right when collecting began yesterday or paused. While there is no interval yet, the counters
    since the last reset stand in for the window: advice from the first minute.
    """
    target_ids = sorted({target.id, *members})
    dbid = _dbid(conn, target.id, database)
    if dbid is None:
        return None
    read = history_window(conn, since, until)
    window = {
        "target_id": target.id,
        "target_ids": target_ids,
        "statement_ids": None,
        "database": database,
        "dbid": dbid,
        "since": read.since,
        "until": read.until,
    }
    source = source_of(read.of_hours)
    observed = conn.execute(load("observed_window"), window).fetchone()
    assert observed is not None  # aggregates return one row
    if not observed[2]:
        source = "spent_since_reset"
        observed = conn.execute(load("reset_window"), window).fetchone() or (None, None, 0.0, None)
    return Workload(
        target_id=target.id,
        target=target.name,
        database=database,
        since=observed[0] or since,
        until=observed[1] or until,
        observed_hours=observed[2],
        queries=_queries(conn, window, source, most),
        settings={name: one.setting for name, one in current_settings(conn, target.id).items()},
        server_version_num=target.server_version_num or 0,
        peak_active_backends=observed[3],
        write_rates={
            oid: (i, u, d)
            for oid, i, u, d in conn.execute(
                load("write_rates"), {**window, "since": since, "until": until}
            )
        },
    )


def _dbid(conn: Connection, target_id: int, database: str) -> int | None:
    """The database of that name; the newest where it was dropped and made again."""
    row = conn.execute(
        """select dbid from databases where target_id = %s and datname = %s
           order by last_seen_at desc, dbid desc limit 1""",
        [target_id, database],
    ).fetchone()
    return None if row is None else int(row[0])


def _queries(
    conn: Connection, window: dict[str, Any], source: LiteralString, most: int
) -> tuple[Query, ...]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            spent("workload_queries", source), {**window, "most": most}
        ).fetchall()
        cancelled = cursor.execute(load("unfinished_queries"), window).fetchall()
    unfinished = [_unfinished(row) for row in cancelled]
    fingerprints = {QueryId(row["queryid"]): row["fingerprint"] for row in rows}
    fingerprints |= {query.queryid: query.fingerprint for query in unfinished}
    plans = _plans(conn, window, fingerprints)
    reasons = unexplained(conn, window["target_id"], window["dbid"])
    return tuple(replace(q, plans=plans.get(q.queryid, ())) for q in unfinished) + tuple(
        Query(
            **{**row, "users": tuple(row["users"])},
            plans=plans.get(QueryId(row["queryid"]), ()),
            no_plan_reason=reasons.get(QueryId(row["queryid"])),
        )
        for row in rows
    )


def _plans(
    conn: Connection, window: dict[str, Any], fingerprints: dict[QueryId, str | None]
) -> dict[QueryId, tuple[StoredPlan, ...]]:
    """Plans of all members, those of the target first."""
    found: dict[QueryId, tuple[StoredPlan, ...]] = {}
    first = window["target_id"]
    for target_id in sorted(window["target_ids"], key=lambda one: one != first):
        for queryid, plans in plans_of(conn, target_id, window["database"], fingerprints).items():
            found[queryid] = (*found.get(queryid, ()), *plans)
    return found


def _unfinished(row: DictRow) -> Query:
    """A query that only samples of activity have seen: it was cancelled, or runs still."""
    return Query(
        queryid=QueryId(row["queryid"]),
        fingerprint=fingerprint_of(row["query"]),
        query=row["query"],
        calls=row["calls"],
        total_exec_time=row["total_exec_time"],
        rows=0,
        users=tuple(user for user in row["users"] if user),
        is_unfinished=True,
    )
