"""Snapshots in, intervals out: the history of statements, exactly once.

The baseline (the counters of the last snapshot) and the deltas against it are saved in one
transaction that holds the target's row. So a killed process loses nothing, a second one counts
nothing twice, and a store that was away gets the whole difference when it is back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from psycopg import sql

from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import (
    COUNTER_NAMES,
    Counters,
    Gap,
    Interval,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)
from pgadvisor.store.connection import Connection, Store
from pgadvisor.store.counters import COUNTER_COLUMNS, copy_rows, counter_values
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load
from pgadvisor.store.roll_ups import save_database_intervals, save_hours
from pgadvisor.store.targets import lock_target

__all__ = ["record_snapshot", "save_gap"]


@dataclass(frozen=True, slots=True)
class _Baseline:
    snapshot_id: int
    snapshot: StatementSnapshot
    ids: dict[StatementKey, int]


def record_snapshot(
    store: Store, target_id: int, read: Callable[[Connection], StatementSnapshot]
) -> Interval | None:
    """Read a snapshot and save what happened since the last one, whoever took that.

    `read` is called while the target's row is held: of two collectors the second reads only
    when the first has saved, else an older reading would look like counters that fell. Returns
    the interval, or None for the first snapshot of a target, which only lays the baseline.
    Either everything is saved or, on any error, nothing.
    """
    with store.transaction() as conn:
        last_id = _lock_and_last_id(conn, target_id)
        snapshot = read(conn)
        baseline = store.baselines.get(target_id)
        if last_id is not None and (baseline is None or baseline.snapshot_id != last_id):
            baseline = _load_baseline(conn, target_id, last_id)
        before = baseline.snapshot if baseline and last_id is not None else None
        ids = dict(baseline.ids) if baseline else {}
        interval = interval_between(before, snapshot) if before else None
        _add_ids(conn, target_id, snapshot.statements, ids)
        _save_counters(conn, target_id, before, snapshot, ids)
        snapshot_id = _save_snapshot_row(conn, target_id, snapshot, interval)
        if interval:
            _save_interval(conn, target_id, interval, ids)
    # only now: a failed commit must not leave a baseline that the store does not have
    live = {key: ids[key] for key in snapshot.statements}
    store.baselines[target_id] = _Baseline(snapshot_id, snapshot, live)
    return interval


def save_gap(conn: Connection, target_id: int, gap: Gap) -> None:
    """Save one span in which calls may be missing."""
    conn.execute(
        """insert into gaps (target_id, since, until, reason, statements)
           values (%s, %s, %s, %s, %s)""",
        [target_id, gap.since, gap.until, gap.reason, gap.statements],
    )


def _lock_and_last_id(conn: Connection, target_id: int) -> int | None:
    lock_target(conn, target_id)
    row = conn.execute("select max(id) from snapshots where target_id = %s", [target_id]).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _load_baseline(conn: Connection, target_id: int, snapshot_id: int) -> _Baseline:
    head = conn.execute(
        """select captured_at, system_identifier, postmaster_start_at, stats_reset, dealloc,
               extension_version, hidden, hidden_exec_time
           from snapshots where id = %s""",
        [snapshot_id],
    ).fetchone()
    assert head is not None  # snapshot_id was just read in this transaction
    query = sql.SQL(load("baseline")).format(counters=COUNTER_COLUMNS)
    statements: dict[StatementKey, StatementCounters] = {}
    ids: dict[StatementKey, int] = {}
    for row in conn.execute(query, {"target_id": target_id}):
        key = StatementKey(*row[1:5])
        ids[key] = row[0]
        statements[key] = StatementCounters(
            key=key,
            min_exec_time=row[5],
            max_exec_time=row[6],
            stats_since=row[7],
            counters=Counters(
                **{n: v for n, v in zip(COUNTER_NAMES, row[8:], strict=True) if v is not None}
            ),
        )
    snapshot = StatementSnapshot(
        captured_at=head[0],
        system_identifier=head[1],
        postmaster_start_at=head[2],
        stats_reset=head[3],
        dealloc=head[4],
        extension_version=head[5],
        hidden=head[6],
        hidden_exec_time=head[7],
        statements=statements,
    )
    return _Baseline(snapshot_id, snapshot, ids)


def _add_ids(
    conn: Connection,
    target_id: int,
    keys: Iterable[StatementKey],
    ids: dict[StatementKey, int],
) -> None:
    new = [key for key in keys if key not in ids]
    if not new:
        return
    rows = conn.execute(
        load("statement_ids"),
        {
            "target_id": target_id,
            "dbids": [key.dbid for key in new],
            "userids": [key.userid for key in new],
            "queryids": [key.queryid for key in new],
            "toplevels": [key.toplevel for key in new],
        },
    ).fetchall()
    ids.update({StatementKey(*row[1:]): row[0] for row in rows})


def _save_counters(
    conn: Connection,
    target_id: int,
    before: StatementSnapshot | None,
    after: StatementSnapshot,
    ids: dict[StatementKey, int],
) -> None:
    known = before.statements if before else {}
    gone = [ids[key] for key in known if key not in after.statements]
    if gone:
        conn.execute(
            "delete from statement_counters where target_id = %s and statement_id = any(%s)",
            [target_id, gone],
        )
    changed = [now for key, now in after.statements.items() if known.get(key) != now]
    conn.execute(load("incoming_counters"))
    columns = sql.SQL("statement_id, min_exec_time, max_exec_time, stats_since, {}").format(
        COUNTER_COLUMNS
    )
    copy_rows(
        conn,
        sql.SQL("copy incoming_counters ({}) from stdin").format(columns),
        (
            [
                *(ids[now.key], now.min_exec_time, now.max_exec_time, now.stats_since),
                *counter_values(now.counters),
            ]
            for now in changed
        ),
    )
    updates = sql.SQL(", ").join(
        sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name))
        for name in ("min_exec_time", "max_exec_time", "stats_since", *COUNTER_NAMES)
    )
    conn.execute(
        sql.SQL(load("save_counters")).format(columns=columns, updates=updates),
        {"target_id": target_id},
    )


def _save_snapshot_row(
    conn: Connection, target_id: int, snapshot: StatementSnapshot, interval: Interval | None
) -> int:
    row = conn.execute(
        load("save_snapshot"),
        {
            "target_id": target_id,
            "captured_at": snapshot.captured_at,
            "since": interval.since if interval else None,
            "system_identifier": snapshot.system_identifier,
            "postmaster_start_at": snapshot.postmaster_start_at,
            "stats_reset": snapshot.stats_reset,
            "dealloc": snapshot.dealloc,
            "extension_version": snapshot.extension_version,
            "statements": len(snapshot.statements),
            "hidden": snapshot.hidden,
            "hidden_exec_time": snapshot.hidden_exec_time,
        },
    ).fetchone()
    assert row is not None  # insert ... returning
    return int(row[0])


def _save_interval(
    conn: Connection, target_id: int, interval: Interval, ids: dict[StatementKey, int]
) -> None:
    for gap in interval.gaps:
        save_gap(conn, target_id, gap)
    if not interval.deltas:
        return
    ensure_partitions(conn, "statement_deltas", [interval.until])
    copy_rows(
        conn,
        sql.SQL(
            "copy statement_deltas (target_id, statement_id, since, until, {}) from stdin"
        ).format(COUNTER_COLUMNS),
        (
            [
                target_id,
                ids[delta.key],
                interval.since,
                interval.until,
                *counter_values(delta.counters),
            ]
            for delta in interval.deltas
        ),
    )
    save_hours(conn, target_id, interval, ids)
    save_database_intervals(conn, target_id, interval)
