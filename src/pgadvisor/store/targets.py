"""Targets, their databases and roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from pgadvisor.errors import NotFound
from pgadvisor.records.server import ServerInfo
from pgadvisor.store.connection import Connection

__all__ = [
    "StoredTarget",
    "list_targets",
    "lock_target",
    "register_target",
    "save_failure",
    "save_names",
    "save_server",
    "target_by_id",
    "target_named",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTarget:
    """A row of targets."""

    id: int
    name: str
    conninfo: str
    server_version_num: int | None
    in_recovery: bool | None
    first_seen_at: datetime
    last_seen_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


def register_target(conn: Connection, name: str, conninfo: str, *, now: datetime) -> int:
    """The id of the target of that name; made if new. `conninfo` carries no password."""
    row = conn.execute(
        """insert into targets (name, conninfo, first_seen_at) values (%s, %s, %s)
           on conflict (name) do update set conninfo = excluded.conninfo returning id""",
        [name, conninfo, now],
    ).fetchone()
    assert row is not None  # insert or update returns one row
    return int(row[0])


def save_server(conn: Connection, target_id: int, server: ServerInfo, *, now: datetime) -> None:
    """Note what the server is and that it answered."""
    conn.execute(
        """update targets set system_identifier = %s, server_version_num = %s, in_recovery = %s,
               last_seen_at = %s, last_error = null, last_error_at = null
           where id = %s""",
        [server.system_identifier, server.server_version_num, server.in_recovery, now, target_id],
    )


def save_failure(conn: Connection, target_id: int, error: str, *, now: datetime) -> None:
    """Note why the target could not be read."""
    conn.execute(
        "update targets set last_error = %s, last_error_at = %s where id = %s",
        [error, now, target_id],
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


def list_targets(conn: Connection) -> list[StoredTarget]:
    """All targets, by name."""
    with conn.cursor(row_factory=class_row(StoredTarget)) as cursor:
        return cursor.execute(
            """select id, name, conninfo, server_version_num, in_recovery, first_seen_at,
                   last_seen_at, last_error, last_error_at
               from targets order by name"""
        ).fetchall()


def target_named(conn: Connection, name: str | None) -> StoredTarget:
    """The target of that name, or the only one. Raises `NotFound` saying what there is."""
    targets = list_targets(conn)
    if name is None and len(targets) == 1:
        return targets[0]
    found = next((target for target in targets if target.name == name), None)
    if found is None:
        names = ", ".join(target.name for target in targets) or "none yet"
        raise NotFound(
            f"no target {name!r}" if name else "which target is not said",
            hint=f"Known targets: {names}. `pgadvisor observe DSN` adds one.",
        )
    return found


def target_by_id(conn: Connection, target_id: int) -> StoredTarget:
    """The target with that id. Raises `NotFound`."""
    found = next((target for target in list_targets(conn) if target.id == target_id), None)
    if found is None:
        raise NotFound(f"no target {target_id}", hint="It was removed meanwhile; observe it again.")
    return found


def lock_target(conn: Connection, target_id: int) -> None:
    """Hold the target to the end of the transaction: one collector at a time."""
    conn.execute("select 1 from targets where id = %s for no key update", [target_id])
