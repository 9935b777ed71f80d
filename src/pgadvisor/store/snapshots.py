"""Snapshots in, intervals out: the history of statements, exactly once.

The baseline (the counters of the last snapshot) and the deltas against it are saved in one
transaction that holds the target's row. So a killed process loses nothing, a second one counts
nothing twice, and a store that was away gets the whole difference when it is back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import (
    COUNTER_NAMES,
    Counters,
    Gap,
    Interval,
    StatementCounters,
    StatementDelta,
    StatementKey,
    StatementSnapshot,
)
from pgadvisor.store.connection import Connection, Store
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load

__all__ = ["record_snapshot", "save_gap"]

_COUNTERS = sql.SQL(", ").join(sql.Identifier(name) for name in COUNTER_NAMES)
_FLOATS = {name for name, kind in Counters.__annotations__.items() if kind in (float, "float")}


@dataclass(frozen=True, slots=True)
class _Baseline:
    snapshot_id: int
    snapshot: StatementSnapshot
    ids: dict[StatementKey, int]


def record_snapshot(store: Store, target_id: int, snapshot: StatementSnapshot) -> Interval | None:
    """Save a snapshot and what happened since the last one, whoever took that.

    Returns the interval, or None for the first snapshot of a target, which only lays the
    baseline. Either everything is saved or, on any error, nothing.
    """
    with store.transaction() as conn:
        last_id = _lock_and_last_id(conn, target_id)
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
    conn.execute("select 1 from targets where id = %s for no key update", [target_id])
    row = conn.execute("select max(id) from snapshots where target_id = %s", [target_id]).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _load_baseline(conn: Connection, target_id: int, snapshot_id: int) -> _Baseline:
    head = conn.execute(
        """select captured_at, system_identifier, postmaster_start_at, stats_reset, dealloc,
               hidden, hidden_exec_time
           from snapshots where id = %s""",
        [snapshot_id],
    ).fetchone()
    assert head is not None  # snapshot_id was just read in this transaction
    query = sql.SQL(load("baseline")).format(counters=_COUNTERS)
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
        hidden=head[5],
        hidden_exec_time=head[6],
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


def _values(counters: Counters) -> list[Any]:
    return [getattr(counters, name) or None for name in COUNTER_NAMES]  # null means zero


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
        _COUNTERS
    )
    _copy(
        conn,
        sql.SQL("copy incoming_counters ({}) from stdin").format(columns),
        (
            [
                *(ids[now.key], now.min_exec_time, now.max_exec_time, now.stats_since),
                *_values(now.counters),
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


def _copy(conn: Connection, statement: sql.Composed, rows: Iterable[Sequence[Any]]) -> None:
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


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
    _copy(
        conn,
        sql.SQL(
            "copy statement_deltas (target_id, statement_id, since, until, {}) from stdin"
        ).format(_COUNTERS),
        (
            [target_id, ids[delta.key], interval.since, interval.until, *_values(delta.counters)]
            for delta in interval.deltas
        ),
    )
    _save_hours(conn, target_id, interval, ids)
    _save_database_intervals(conn, target_id, interval)


def hours_of(since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    """The hours that [since, until) touches, each with the share of the span up to its end.

    >>> start = datetime(2026, 1, 1, 10, 45, tzinfo=UTC)
    >>> [(h.hour, share) for h, share in hours_of(start, start + timedelta(minutes=60))]
    [(10, 0.25), (11, 1.0)]
    """
    hour = since.replace(minute=0, second=0, microsecond=0)
    found = []
    while hour < until:
        end = min(hour + timedelta(hours=1), until)
        found.append((hour, (end - since) / (until - since)))
        hour += timedelta(hours=1)
    return found


def _save_hours(
    conn: Connection, target_id: int, interval: Interval, ids: dict[StatementKey, int]
) -> None:
    hours = hours_of(interval.since, interval.until)
    ensure_partitions(conn, "statement_hours", [hour for hour, _ in hours])
    conn.execute(load("incoming_hours"))
    _copy(
        conn,
        sql.SQL("copy incoming_hours (statement_id, hour, {}) from stdin").format(_COUNTERS),
        (
            [ids[delta.key], hour, *values]
            for delta in interval.deltas
            for hour, values in _divided(delta, hours)
        ),
    )
    updates = sql.SQL(", ").join(
        sql.SQL("{n} = nullif(coalesce(h.{n}, 0) + coalesce(excluded.{n}, 0), 0)").format(
            n=sql.Identifier(name)
        )
        for name in COUNTER_NAMES
    )
    conn.execute(
        sql.SQL(load("save_hours")).format(counters=_COUNTERS, updates=updates),
        {"target_id": target_id},
    )


def _divided(
    delta: StatementDelta, hours: list[tuple[datetime, float]]
) -> Iterable[tuple[datetime, list[Any]]]:
    """A delta over its hours in proportion; whole numbers stay whole and add up exactly."""
    if len(hours) == 1:
        yield hours[0][0], _values(delta.counters)
        return
    done: dict[str, float] = dict.fromkeys(COUNTER_NAMES, 0)
    for hour, share in hours:
        part: list[Any] = []
        for name in COUNTER_NAMES:
            total = getattr(delta.counters, name)
            upto = total * share if name in _FLOATS else round(total * share)
            part.append((upto - done[name]) or None)
            done[name] = upto
        if any(part):
            yield hour, part


def _save_database_intervals(conn: Connection, target_id: int, interval: Interval) -> None:
    by_database: dict[int, list[Counters]] = defaultdict(list)
    for delta in interval.deltas:
        if delta.key.toplevel:  # nested statements are within the time of their caller
            by_database[delta.key.dbid].append(delta.counters)
    rows = [
        (
            *(target_id, dbid, interval.since, interval.until, len(counters)),
            *(
                sum(getattr(one, name) for one in counters)
                for name in (
                    *("calls", "rows", "total_exec_time", "shared_blks_hit"),
                    *("shared_blks_read", "temp_blks_written", "wal_bytes"),
                )
            ),
        )
        for dbid, counters in by_database.items()
    ]
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into database_intervals (target_id, dbid, since, until, statements, calls,
                   rows, total_exec_time, shared_blks_hit, shared_blks_read, temp_blks_written,
                   wal_bytes)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            rows,
        )
