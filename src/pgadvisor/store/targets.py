"""Targets, their databases and roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from pgadvisor.errors import NotFound
from pgadvisor.records.check import Check
from pgadvisor.records.database_filter import DatabaseFilter
from pgadvisor.records.server import ServerInfo, ServerState
from pgadvisor.store.connection import Connection
from pgadvisor.store.places import adopt_databases
from pgadvisor.store.queries import load

__all__ = [
    "DueDatabase",
    "StoredTarget",
    "TargetOptions",
    "claim_target",
    "cluster_members",
    "delete_target",
    "due_databases",
    "list_targets",
    "lock_target",
    "pause_target",
    "register_target",
    "remove_target",
    "resume_target",
    "save_checks",
    "save_database",
    "save_failure",
    "save_names",
    "save_options",
    "save_server",
    "save_state",
    "target_by_id",
    "target_named",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """How one target is watched where it differs from the settings of all."""

    interval: timedelta | None = None
    activity_interval: timedelta | None = None
    catalog_interval: timedelta | None = None
    #: names or LIKE patterns of the databases that are watched; None: all
    databases: tuple[str, ...] | None = None
    excluded_databases: tuple[str, ...] = ()


class DueDatabase(NamedTuple):
    """A database whose catalog is due to be read."""

    target_id: int
    dbid: int
    datname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTarget:
    """A row of targets."""

    id: int
    name: str
    conninfo: str
    kind: str
    system_identifier: str | None
    server_version_num: int | None
    in_recovery: bool | None
    first_seen_at: datetime
    last_seen_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    paused_at: datetime | None
    removed_at: datetime | None
    interval_seconds: float | None
    activity_interval_seconds: float | None
    catalog_interval_seconds: float | None
    databases: list[str] | None
    excluded_databases: list[str]
    #: failures in a row
    failures: int
    retry_at: datetime | None
    #: until retry_at, on the store's clock: the one clock that all workers share
    retry_in_seconds: float | None
    watcher: str | None
    clock_skew_ms: float | None
    replay_lag_ms: float | None
    log_problem: str | None
    #: of a replica: the target that is its primary, where that is watched too
    primary_name: str | None

    @property
    def is_watched(self) -> bool:
        """True where a worker should collect from it."""
        return self.kind == "server" and self.paused_at is None and self.removed_at is None

    @property
    def database_filter(self) -> DatabaseFilter:
        """Which of its databases are watched."""
        include = None if self.databases is None else tuple(self.databases)
        return DatabaseFilter(include=include, exclude=tuple(self.excluded_databases))

    @property
    def role(self) -> str | None:
        """primary or replica; None where it has not been seen yet."""
        if self.in_recovery is None:
            return None
        return "replica" if self.in_recovery else "primary"

    @property
    def state(self) -> str:
        """removed, paused, failing, waiting (not read yet) or watched."""
        if self.removed_at is not None:
            return "removed"
        if self.paused_at is not None:
            return "paused"
        if self.last_error is not None:
            return "failing"
        return "watched" if self.last_seen_at is not None else "waiting"

    @property
    def circuit(self) -> str:
        """open: it failed so often that nothing is tried before `retry_at`."""
        return "open" if (self.retry_in_seconds or 0) > 0 else "closed"


def register_target(conn: Connection, name: str, conninfo: str, *, now: datetime) -> int:
    """The id of the target of that name; made if new, watched again if it was removed.

    `conninfo` carries no password.
    """
    row = conn.execute(
        """insert into targets (name, conninfo, first_seen_at) values (%s, %s, %s)
           on conflict (name) do update
           set conninfo = excluded.conninfo, removed_at = null, kind = 'server' returning id""",
        [name, conninfo, now],
    ).fetchone()
    assert row is not None  # insert or update returns one row
    return int(row[0])


def save_options(conn: Connection, target_id: int, options: TargetOptions) -> None:
    """How the target is watched; a worker that watches it takes it up with its next round."""
    conn.execute(
        """update targets set interval_seconds = %s, activity_interval_seconds = %s,
               catalog_interval_seconds = %s, databases = %s, excluded_databases = %s
           where id = %s""",
        [
            *map(
                _seconds,
                (options.interval, options.activity_interval, options.catalog_interval),
            ),
            None if options.databases is None else list(options.databases),
            list(options.excluded_databases),
            target_id,
        ],
    )


def save_server(conn: Connection, target_id: int, server: ServerInfo, *, now: datetime) -> None:
    """Note what the server is and that it answered."""
    conn.execute(
        """update targets set system_identifier = %s, server_version_num = %s, in_recovery = %s,
               last_seen_at = %s
           where id = %s""",
        [server.system_identifier, server.server_version_num, server.in_recovery, now, target_id],
    )


def save_state(conn: Connection, target_id: int, state: ServerState, *, now: datetime) -> None:
    """Note a reading that went well: what the server is at the moment, and no failure any more."""
    conn.execute(
        """update targets set in_recovery = %s, replay_lag_ms = %s, clock_skew_ms = %s,
               last_seen_at = %s, last_error = null, last_error_at = null, failures = 0,
               retry_at = null
           where id = %s""",
        [state.in_recovery, state.replay_lag_ms, state.clock_skew_ms, now, target_id],
    )


def save_failure(
    conn: Connection,
    target_id: int,
    error: str,
    *,
    now: datetime,
    failures: int = 1,
    retry_in: timedelta | None = None,
) -> None:
    """Note why the target could not be read; with `retry_in` the circuit is open for so long."""
    conn.execute(
        """update targets set last_error = %s, last_error_at = %s, failures = %s,
               retry_at = now() + %s
           where id = %s""",
        [error, now, failures, retry_in, target_id],
    )


def save_names(
    conn: Connection,
    target_id: int,
    *,
    databases: Mapping[int, str],
    roles: Mapping[int, str],
    now: datetime,
) -> None:
    """Names that go with dbid and userid."""
    conn.execute(
        """insert into databases (target_id, dbid, datname, last_seen_at)
           select %s, unnest(%s::bigint[]), unnest(%s::text[]), %s
           on conflict (target_id, dbid) do update
           set datname = excluded.datname, last_seen_at = excluded.last_seen_at""",
        [target_id, list(databases), list(databases.values()), now],
    )
    conn.execute(
        """insert into roles (target_id, userid, rolname)
           select %s, unnest(%s::bigint[]), unnest(%s::text[])
           on conflict (target_id, userid) do update set rolname = excluded.rolname""",
        [target_id, list(roles), list(roles.values())],
    )
    adopt_databases(conn, target_id)


def save_database(
    conn: Connection, target_id: int, dbid: int, *, problem: str | None, now: datetime
) -> None:
    """Note that the catalog of a database was read, or why it could not be."""
    conn.execute(
        """update databases set tried_at = %(now)s, problem = %(problem)s,
               catalog_read_at = case when %(problem)s::text is null then %(now)s
                                 else catalog_read_at end
           where target_id = %(target_id)s and dbid = %(dbid)s""",
        {"target_id": target_id, "dbid": dbid, "problem": problem, "now": now},
    )


def due_databases(
    conn: Connection, *, catalog_interval: timedelta, now: datetime
) -> list[DueDatabase]:
    """The watched databases whose catalog is due, those longest waiting first."""
    rows = conn.execute(
        load("due_databases"), {"now": now, "catalog_interval": catalog_interval}
    ).fetchall()
    return [
        DueDatabase(target_id, dbid, datname)
        for target_id, dbid, datname, include, exclude in rows
        if DatabaseFilter(
            include=None if include is None else tuple(include), exclude=tuple(exclude)
        ).watches(datname)
    ]


def save_checks(
    conn: Connection, target_id: int, database: str, checks: Sequence[Check], *, now: datetime
) -> None:
    """What `doctor` found in one database of the target, in place of what it found before."""
    conn.execute(
        "delete from target_checks where target_id = %s and database_name = %s",
        [target_id, database],
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into target_checks
                   (target_id, database_name, name, status, message, remedy, checked_at)
               values (%s, %s, %s, %s, %s, %s, %s)
               on conflict on constraint target_checks_pkey do nothing""",
            [
                (target_id, database, one.name, one.status, one.message, one.remedy, now)
                for one in checks
            ],
        )


def list_targets(conn: Connection, *, removed: bool = False) -> list[StoredTarget]:
    """All targets, by name; with `removed` also those whose history alone is kept."""
    found = _targets(conn, None)
    return found if removed else [target for target in found if target.removed_at is None]


def target_named(conn: Connection, name: str | None) -> StoredTarget:
    """The target of that name, or the only one. Raises `NotFound` saying what there is."""
    targets = list_targets(conn)
    if name is None and len(targets) == 1:
        return targets[0]
    found = next((one for one in _targets(conn, None) if one.name == name), None)
    if found is None:
        names = ", ".join(target.name for target in targets) or "none yet"
        raise NotFound(
            f"no target {name!r}" if name else "which target is not said",
            hint=f"Known targets: {names}. `pgadvisor targets add DSN` adds one.",
        )
    return found


def target_by_id(conn: Connection, target_id: int) -> StoredTarget:
    """The target with that id. Raises `NotFound`."""
    found = _targets(conn, target_id)
    if not found:
        raise _gone(target_id)
    return found[0]


def cluster_members(conn: Connection, target_id: int) -> list[int]:
    """Ids of the target and of all of its cluster, primary and replicas, each server once."""
    rows = conn.execute(load("cluster_members"), {"target_id": target_id})
    return sorted(member for (member,) in rows)


def claim_target(conn: Connection, target_id: int, watcher: str) -> bool:
    """Make that worker the one who collects; False where nobody should."""
    row = conn.execute(
        """update targets set watcher = %s
           where id = %s and kind = 'server' and paused_at is null and removed_at is null
           returning id""",
        [watcher, target_id],
    ).fetchone()
    return row is not None


def pause_target(conn: Connection, target_id: int, *, now: datetime) -> None:
    """Collect nothing from it until it is resumed; its worker ends within an interval."""
    conn.execute(
        "update targets set paused_at = coalesce(paused_at, %s), watcher = null where id = %s",
        [now, target_id],
    )


def resume_target(conn: Connection, target_id: int) -> None:
    """Collect from it again, at once; what its counters gained meanwhile is one interval."""
    conn.execute(
        "update targets set paused_at = null, retry_at = null, failures = 0 where id = %s",
        [target_id],
    )


def remove_target(conn: Connection, target_id: int, *, now: datetime) -> None:
    """Watch it no more; its history stays."""
    conn.execute(
        "update targets set removed_at = coalesce(removed_at, %s), watcher = null where id = %s",
        [now, target_id],
    )


def delete_target(conn: Connection, target_id: int) -> None:
    """Delete it with all its history."""
    # held first, so that a reading under way is saved before or fails, and leaves nothing behind
    conn.execute("select 1 from targets where id = %s for update", [target_id])
    for (table,) in conn.execute(load("tables_of_targets")).fetchall():
        statement = sql.SQL("delete from {} where target_id = %s").format(sql.Identifier(table))
        conn.execute(statement, [target_id])
    conn.execute("delete from targets where id = %s", [target_id])


def lock_target(conn: Connection, target_id: int) -> None:
    """Hold the target to the end of the transaction: one collector at a time.

    Raises `NotFound` where it was deleted meanwhile.
    """
    row = conn.execute(
        "select 1 from targets where id = %s for no key update", [target_id]
    ).fetchone()
    if row is None:
        raise _gone(target_id)


def _targets(conn: Connection, target_id: int | None) -> list[StoredTarget]:
    with conn.cursor(row_factory=class_row(StoredTarget)) as cursor:
        return cursor.execute(load("targets"), {"target_id": target_id}).fetchall()


def _gone(target_id: int) -> NotFound:
    return NotFound(
        f"no target {target_id}", hint="It was deleted meanwhile; `pgadvisor targets add` it again."
    )


def _seconds(span: timedelta | None) -> Any:
    return None if span is None else span.total_seconds()
