"""What is kept how long: partitions made ahead and dropped, old rows deleted, once an hour.

Every step is a short transaction of its own that never waits long for a lock, so that collecting
goes on beside it. What cannot be had now is left to the next run. Two maintainers at once do no
harm: the second finds the lock of a step taken and ends.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import errors, sql

from pgadvisor.config import Settings
from pgadvisor.errors import NotFound
from pgadvisor.store import timescale
from pgadvisor.store.connection import Connection, Store
from pgadvisor.store.partitions import (
    PARTITIONED,
    drop_partition,
    ended_partitions,
    ensure_partitions,
    instants_ahead,
)
from pgadvisor.store.queries import load
from pgadvisor.store.targets import delete_target, lock_target

__all__ = ["Maintenance", "maintain"]

_LOCK = 7_316_402_053
#: rows that one transaction deletes at most
_BATCH = 10_000
#: statements that one transaction looks at; the target's collector waits meanwhile
_SWEPT = 500

#: table: the column that says how old a row is; kept for raw_retention
_RAW = {"activity_samples": "captured_at", "running_statements": "last_seen_at"}
#: kept for hourly_retention; null is current
_HOURLY = {
    "target_hours": "hour",
    "database_intervals": "until",
    "gaps": "until",
    "imported_spans": "until",
    "plan_hours": "hour",
    "plans": "last_seen_at",
    "logged_statements": "last_seen_at",
    "catalog_objects": "until",
    "column_statistics": "captured_at",
    "settings": "until",
    "unexplained": "tried_at",
    "advice_silences": "analyzed_at",
    "anomalies": "until",
}

#: files that delete what one column cannot tell, and what nothing names any more
_SPECIAL = {
    "snapshots": "delete_old_snapshots",
    "relation_statistics": "delete_old_relation_statistics",
}
_UNUSED = {"queries": "sweep_queries", "roles": "sweep_roles"}


@dataclass(slots=True, kw_only=True)
class Maintenance:
    """What one run did."""

    #: partitions made ahead
    made: list[str] = field(default_factory=list)
    #: partitions (chunks of TimescaleDB) whose time was over
    dropped: list[str] = field(default_factory=list)
    #: chunks that TimescaleDB compressed
    compressed: list[str] = field(default_factory=list)
    #: partitions and chunks that somebody held; the next run has another try
    put_off: list[str] = field(default_factory=list)
    #: rows by table; those of database_intervals that became hours are among them
    deleted: Counter[str] = field(default_factory=Counter)
    #: another maintainer was at work
    skipped: bool = False


class _Busy(Exception):
    """Another maintainer holds the lock of a step."""


class _PutOff(Exception):
    """Somebody holds what a step needs."""


def maintain(store: Store, settings: Settings, *, now: datetime) -> Maintenance:
    """Make the partitions of the next days, drop and delete what is past its time.

    Raises `StoreUnavailable`.
    """
    done = Maintenance()
    raw, hourly = now - settings.raw_retention, now - settings.hourly_retention
    try:
        for table, is_raw in PARTITIONED.items():
            with suppress(_PutOff):
                _make_ahead(store, table, now, done)
            _drop(store, table, raw if is_raw else hourly, done)
        _compress(store, now, done)
        # only with the hours does the last of a statement's history go
        has_hours_dropped = any(name.startswith("statement_hours") for name in done.dropped)
        _forget_removed_targets(store, hourly, done)
        for target_id in _target_ids(store):
            with suppress(_PutOff, NotFound):  # deleted meanwhile
                _delete_of_target(store, target_id, raw, hourly, done)
                if has_hours_dropped:
                    _sweep(store, target_id, hourly, done)
    except _Busy:
        done.skipped = True
    done.deleted = +done.deleted
    return done


@contextmanager
def _step(store: Store) -> Iterator[Connection]:
    with store.transaction() as conn:
        row = conn.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK]).fetchone()
        if row is None or not row[0]:
            raise _Busy
        # a lock that we wait for is one that collectors wait behind
        conn.execute("set local lock_timeout = '1s'")
        try:
            yield conn
        except errors.LockNotAvailable as exc:
            raise _PutOff from exc


def _target_ids(store: Store) -> list[int]:
    with store.transaction() as conn:
        return [row[0] for row in conn.execute("select id from targets order by id").fetchall()]


def _forget_removed_targets(store: Store, hourly: datetime, done: Maintenance) -> None:
    """Delete what is left of targets that were removed before the oldest hour that is kept."""
    with _step(store) as conn:
        query = "select id from targets where removed_at < %s"
        removed = [row[0] for row in conn.execute(query, [hourly]).fetchall()]
    for target_id in removed:
        with suppress(_PutOff), _step(store) as conn:
            delete_target(conn, target_id)
            done.deleted["targets"] += 1


def _make_ahead(store: Store, table: str, now: datetime, done: Maintenance) -> None:
    with _step(store) as conn:
        done.made += ensure_partitions(conn, table, instants_ahead(table, now))


def _drop(store: Store, table: str, before: datetime, done: Maintenance) -> None:
    with _step(store) as conn:
        ended = ended_partitions(conn, table, before)
    for name in ended:
        with _noting(done, name), _step(store) as conn:
            drop_partition(conn, name)
            done.dropped.append(name)
    with _noting(done, table), _step(store) as conn:
        done.dropped += timescale.drop_chunks(conn, table, before)


@contextmanager
def _noting(done: Maintenance, name: str) -> Iterator[None]:
    try:
        yield
    except _PutOff:
        done.put_off.append(name)


def _compress(store: Store, now: datetime, done: Maintenance) -> None:
    with _step(store) as conn:
        chunks = timescale.ended_chunks(conn, now=now)
    for schema, name in chunks:
        with _noting(done, name), _step(store) as conn:
            timescale.compress_chunk(conn, schema, name)
            done.compressed.append(name)


def _delete_of_target(
    store: Store, target_id: int, raw: datetime, hourly: datetime, done: Maintenance
) -> None:
    _merge_database_intervals(store, target_id, raw, done)
    place = {"target_id": target_id, "most": _BATCH, "raw": raw, "hourly": hourly}
    for table, column in (_RAW | _HOURLY).items():
        query = sql.SQL(load("delete_old_rows")).format(
            table=sql.Identifier(table), column=sql.Identifier(column)
        )
        before = raw if table in _RAW else hourly
        _delete(store, table, query, {**place, "before": before}, done)
    for table, name in _SPECIAL.items():
        _delete(store, table, sql.SQL(load(name)).format(), place, done)


def _delete(
    store: Store, table: str, query: sql.Composed, place: dict[str, Any], done: Maintenance
) -> None:
    rows = _BATCH
    while rows >= _BATCH:
        with _step(store) as conn:
            rows = conn.execute(query, place).rowcount
        done.deleted[table] += rows


def _merge_database_intervals(
    store: Store, target_id: int, raw: datetime, done: Maintenance
) -> None:
    """Make one row an hour of the intervals that are past their time, a day at a time."""
    end = raw.replace(minute=0, second=0, microsecond=0)
    place: dict[str, Any] = {"target_id": target_id, "end": end}
    rows: int | None = 0
    while rows is not None:
        with _step(store) as conn:
            row = conn.execute(load("merge_database_intervals"), place).fetchone()
        rows = row[0] if row else None
        done.deleted["database_intervals"] += rows or 0


def _sweep(store: Store, target_id: int, hourly: datetime, done: Maintenance) -> None:
    """Delete statements without history, then texts and roles that nothing names."""
    last: int | None = 0
    while last is not None:
        looked = {"target_id": target_id, "after": last, "most": _SWEPT}
        with _step(store) as conn:
            lock_target(conn, target_id)  # a statement that comes back now would lose its id
            row = conn.execute(load("sweep_statements"), looked).fetchone()
        last, count = row if row else (None, 0)
        done.deleted["statements"] += count
    place = {"target_id": target_id, "hourly": hourly, "most": _BATCH}
    for table, name in _UNUSED.items():
        _delete(store, table, sql.SQL(load(name)).format(), place, done)
