"""Snapshots in, intervals out: the history of statements, exactly once.

The baseline (the counters of the last snapshot) and the deltas against it are saved in one
transaction that holds the target's row. So a killed process loses nothing, a second one counts
nothing twice, and a store that was away gets the whole difference when it is back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

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
from pgadvisor.store.baselines import Baseline
from pgadvisor.store.columns import Column, microseconds, used_columns
from pgadvisor.store.connection import Connection, Store
from pgadvisor.store.counters import COUNTER_COLUMNS, copy_columns, names_of, nulled
from pgadvisor.store.queries import load
from pgadvisor.store.roll_ups import save_roll_ups
from pgadvisor.store.targets import lock_target

__all__ = ["record_snapshot", "save_gap"]

#: readings that another collector may overtake before we leave the target to it
_ATTEMPTS = 3


def record_snapshot(
    store: Store, target_id: int, read: Callable[[], StatementSnapshot]
) -> Interval | None:
    """Read a snapshot and save what happened since the last one, whoever took that.

    `read` is called outside any transaction of the store, so that a target that hangs holds no
    connection. Where another collector saved a snapshot meanwhile, the reading is thrown away and
    taken again: an older reading would look like counters that fell. Returns the interval, or
    None for the first snapshot of a target, which only lays the baseline, and where another
    collector was faster each time: its intervals hold the calls. Either everything is saved or,
    on any error, nothing.
    """
    for _ in range(_ATTEMPTS):
        with store.transaction() as conn:
            last_id = _last_id(conn, target_id)
        snapshot = read()
        with store.transaction() as conn:
            lock_target(conn, target_id)
            if _last_id(conn, target_id) != last_id:
                continue
            before = _baseline(store, conn, target_id, last_id)
            interval = interval_between(before.snapshot, snapshot) if before else None
            after = _save(conn, target_id, before, snapshot, interval)
        # only now: a failed commit must not leave a baseline that the store does not have
        store.baselines.put(target_id, after)
        return interval
    return None


def save_gap(conn: Connection, target_id: int, gap: Gap) -> None:
    """Save one span in which calls may be missing."""
    conn.execute(
        """insert into gaps (target_id, since, until, reason, statements)
           values (%s, %s, %s, %s, %s)""",
        [target_id, gap.since, gap.until, gap.reason, gap.statements],
    )


def _last_id(conn: Connection, target_id: int) -> int | None:
    row = conn.execute("select max(id) from snapshots where target_id = %s", [target_id]).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _baseline(
    store: Store, conn: Connection, target_id: int, snapshot_id: int | None
) -> Baseline | None:
    """The last snapshot: kept, or loaded when another process took it or it was forgotten."""
    if snapshot_id is None:
        return None
    kept = store.baselines.get(target_id)
    if kept is not None and kept.snapshot_id == snapshot_id:
        return kept
    return _load_baseline(conn, target_id, snapshot_id)


def _save(
    conn: Connection,
    target_id: int,
    before: Baseline | None,
    snapshot: StatementSnapshot,
    interval: Interval | None,
) -> Baseline:
    ids = _ids(conn, target_id, snapshot.statements, before.ids if before else {})
    _save_counters(conn, target_id, before, snapshot, ids)
    snapshot_id = _save_snapshot_row(conn, target_id, snapshot, interval)
    if interval:
        for gap in interval.gaps:
            save_gap(conn, target_id, gap)
        save_roll_ups(conn, target_id, interval, ids)
    return Baseline(snapshot_id, snapshot, ids)


_NOTHING = Counters()


def _load_baseline(conn: Connection, target_id: int, snapshot_id: int) -> Baseline:
    head = conn.execute(
        """select captured_at, system_identifier, postmaster_start_at, stats_reset, dealloc,
               extension_version, hidden, hidden_exec_time, unwatched
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
            counters=Counters._make(
                zero if value is None else value
                for zero, value in zip(_NOTHING, row[8:], strict=True)
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
        unwatched=frozenset(head[8]),
        statements=statements,
    )
    return Baseline(snapshot_id, snapshot, ids)


def _ids(
    conn: Connection,
    target_id: int,
    keys: Iterable[StatementKey],
    known: Mapping[StatementKey, int],
) -> dict[StatementKey, int]:
    ids = {key: known.get(key, 0) for key in keys}
    new = [key for key, found in ids.items() if not found]
    if new:
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
    return ids


def _save_counters(
    conn: Connection,
    target_id: int,
    before: Baseline | None,
    after: StatementSnapshot,
    ids: Mapping[StatementKey, int],
) -> None:
    known = before.snapshot.statements if before else {}
    if before and (gone := [before.ids[key] for key in known.keys() - after.statements.keys()]):
        conn.execute(
            "delete from statement_counters where target_id = %s and statement_id = any(%s)",
            [target_id, gone],
        )
    changed = [now for key, now in after.statements.items() if known.get(key) != now]
    if not changed:
        return
    conn.execute(load("incoming_counters"))
    own = [
        Column("statement_id", "q", [ids[now.key] for now in changed]),
        Column("min_exec_time", "d", [now.min_exec_time for now in changed]),
        Column("max_exec_time", "d", [now.max_exec_time for now in changed]),
        Column("stats_since", "q", [microseconds(now.stats_since) for now in changed]),
    ]
    counters = used_columns(now.counters for now in changed)
    copy_columns(conn, "incoming_counters", [*own, *counters])
    _update_counters(conn, target_id, counters)
    if new := [ids[now.key] for now in changed if now.key not in known]:
        _insert_counters(conn, target_id, counters, new)


def _update_counters(conn: Connection, target_id: int, counters: Sequence[Column]) -> None:
    used = {column.name for column in counters}
    updates = sql.SQL(", ").join(
        sql.SQL("{n} = nullif(i.{n}, 0)" if name in used else "{n} = null").format(
            n=sql.Identifier(name)
        )
        for name in COUNTER_NAMES
    )
    conn.execute(sql.SQL(load("update_counters")).format(updates=updates), {"target_id": target_id})


def _insert_counters(
    conn: Connection, target_id: int, counters: Sequence[Column], new: list[int]
) -> None:
    parts = {"counters": names_of(counters), "values": nulled(counters)}
    conn.execute(
        sql.SQL(load("insert_counters")).format(**parts), {"target_id": target_id, "new": new}
    )


def _save_snapshot_row(
    conn: Connection, target_id: int, snapshot: StatementSnapshot, interval: Interval | None
) -> int:
    row = conn.execute(
        load("save_snapshot"),
        {
            "target_id": target_id,
            "captured_at": snapshot.captured_at,
            "since": interval.since if interval and interval.is_observed else None,
            "system_identifier": snapshot.system_identifier,
            "postmaster_start_at": snapshot.postmaster_start_at,
            "stats_reset": snapshot.stats_reset,
            "dealloc": snapshot.dealloc,
            "extension_version": snapshot.extension_version,
            "statements": len(snapshot.statements),
            "hidden": snapshot.hidden,
            "hidden_exec_time": snapshot.hidden_exec_time,
            "unwatched": sorted(snapshot.unwatched),
        },
    ).fetchone()
    assert row is not None  # insert ... returning
    return int(row[0])
