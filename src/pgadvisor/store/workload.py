"""The stored workload of one database, as the analysis reads it."""

from dataclasses import replace
from datetime import datetime

from psycopg.rows import DictRow, dict_row

from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query, Workload
from pgadvisor.store.catalog import current_settings
from pgadvisor.store.connection import Connection
from pgadvisor.store.plans import fingerprint_of, plans_of, unexplained
from pgadvisor.store.queries import load
from pgadvisor.store.targets import StoredTarget

__all__ = ["load_workload"]


def load_workload(
    conn: Connection,
    target: StoredTarget,
    database: str,
    *,
    since: datetime,
    until: datetime,
    most: int = 500,
) -> Workload | None:
    """The busiest `most` queries over [since, until); None for a database never seen.

    `observed_hours` counts the time that intervals cover, so rates per hour are right when
    collecting began yesterday or paused. While there is no interval yet, the counters since the
    last reset stand in for the window: advice from the first minute.
    """
    place = conn.execute(
        "select dbid from databases where target_id = %s and datname = %s", [target.id, database]
    ).fetchone()
    if place is None:
        return None
    window = {"target_id": target.id, "dbid": place[0], "since": since, "until": until}
    observed = conn.execute(load("observed_window"), window).fetchone()
    assert observed is not None  # aggregates return one row
    source = "workload_queries"
    if not observed[2]:
        source = "workload_since_reset"
        observed = conn.execute(load("reset_window"), window).fetchone() or (None, None, 0.0, None)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(load(source), {**window, "most": most}).fetchall()
        cancelled = cursor.execute(
            load("unfinished_queries"), {**window, "database": database}
        ).fetchall()
    unfinished = [_unfinished(row) for row in cancelled]
    fingerprints = {QueryId(row["queryid"]): row["fingerprint"] for row in rows}
    fingerprints |= {query.queryid: query.fingerprint for query in unfinished}
    plans = plans_of(conn, target.id, database, fingerprints)
    reasons = unexplained(conn, target.id, place[0])
    queries = tuple(replace(q, plans=plans.get(q.queryid, ())) for q in unfinished) + tuple(
        Query(
            **{**row, "users": tuple(row["users"])},
            plans=plans.get(QueryId(row["queryid"]), ()),
            no_plan_reason=reasons.get(QueryId(row["queryid"])),
        )
        for row in rows
    )
    writes = conn.execute(load("write_rates"), window).fetchall()
    return Workload(
        target_id=target.id,
        target=target.name,
        database=database,
        since=observed[0] or since,
        until=observed[1] or until,
        observed_hours=observed[2],
        queries=queries,
        settings={name: one.setting for name, one in current_settings(conn, target.id).items()},
        server_version_num=target.server_version_num or 0,
        peak_active_backends=observed[3],
        write_rates={oid: (i, u, d) for oid, i, u, d in writes},
    )


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
