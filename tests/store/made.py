"""Records made for the tests of the store."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from pgadvisor.records.statement import (
    Counters,
    Interval,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)
from pgadvisor.store import Store
from pgadvisor.store.snapshots import record_snapshot
from pgadvisor.store.targets import register_target, save_names

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHOP, OTHER = 16384, 16385
APP, BATCH = 10, 11


def entry(
    queryid: int,
    calls: int,
    *,
    dbid: int = SHOP,
    userid: int = APP,
    toplevel: bool = True,
    each_ms: float = 2.0,
    **counters: Any,
) -> StatementCounters:
    return StatementCounters(
        key=StatementKey(dbid, userid, QueryId(queryid), toplevel),
        counters=Counters(
            calls=calls, total_exec_time=calls * each_ms, **{"rows": calls * 3, **counters}
        ),
        min_exec_time=each_ms,
        max_exec_time=each_ms,
    )


def snapshot(
    at: datetime, entries: Iterable[StatementCounters], **differing: Any
) -> StatementSnapshot:
    whole: dict[str, Any] = {
        "captured_at": at,
        "system_identifier": "7",
        "postmaster_start_at": NOON - timedelta(days=9),
        "stats_reset": NOON - timedelta(days=5),
        "dealloc": 0,
        "extension_version": "1.10",
        "statements": {one.key: one for one in entries},
        **differing,
    }
    return StatementSnapshot(**whole)


def record(
    store: Store,
    target_id: int,
    at: datetime,
    entries: Iterable[StatementCounters],
    **differing: Any,
) -> Interval | None:
    made = snapshot(at, entries, **differing)
    return record_snapshot(store, target_id, reading(made))


def reading(made: StatementSnapshot) -> Callable[[], StatementSnapshot]:
    return lambda: made


def new_target(store: Store, name: str = "shop") -> int:
    """A target with two databases and two roles."""
    with store.transaction() as conn:
        target_id = register_target(conn, name, f"host={name}", now=NOON)
        save_names(
            conn,
            target_id,
            databases={SHOP: "shop", OTHER: "other"},
            roles={APP: "app", BATCH: "batch"},
            now=NOON,
        )
    return target_id


def rows(store: Store, query: str, parameters: Sequence[Any] = ()) -> list[TupleRow]:
    with store.transaction() as conn:
        return rows_of(conn, query, parameters)


def rows_of(
    conn: psycopg.Connection[TupleRow], query: str, parameters: Sequence[Any] = ()
) -> list[TupleRow]:
    return conn.execute(query.encode(), parameters or None).fetchall()


def value(store: Store, query: str, parameters: Sequence[Any] = ()) -> Any:
    return rows(store, query, parameters)[0][0]
