"""Logs of targets: how far each was read, why one cannot be, targets that are logs alone."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from pgadvisor.records.log import LogPosition
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = [
    "drop_log_positions",
    "load_log_position",
    "load_log_positions",
    "log_target",
    "save_log_position",
    "save_log_problem",
]


def log_target(conn: Connection, name: str, *, now: datetime) -> int:
    """The id of the target of that name, a watched server's too; made as one of kind log if new."""
    conn.execute(
        """insert into targets (name, conninfo, kind, first_seen_at) values (%s, '', 'log', %s)
           on conflict (name) do nothing""",
        [name, now],
    )
    row = conn.execute("select id from targets where name = %s", [name]).fetchone()
    assert row is not None  # it was just made if it was not there
    return int(row[0])


def load_log_position(conn: Connection, target_id: int, source: str) -> LogPosition | None:
    """How far a log was read, None when it never was."""
    row = conn.execute(
        "select position from log_positions where target_id = %s and source = %s",
        [target_id, source],
    ).fetchone()
    return None if row is None else LogPosition(**row[0])


def load_log_positions(conn: Connection, target_id: int, begin: str) -> dict[str, LogPosition]:
    """The positions of all logs of a target whose source begins so, newest first."""
    rows = conn.execute(
        """select source, position from log_positions
           where target_id = %s and starts_with(source, %s) order by updated_at desc""",
        [target_id, begin],
    )
    return {source: LogPosition(**position) for source, position in rows}


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


def drop_log_positions(conn: Connection, target_id: int, begin: str, *, before: datetime) -> None:
    """Forget logs whose source begins so and that were not read since."""
    conn.execute(
        """delete from log_positions
           where target_id = %s and starts_with(source, %s) and updated_at < %s""",
        [target_id, begin, before],
    )


def save_log_problem(conn: Connection, target_id: int, problem: str | None) -> None:
    """Note why a target's log cannot be read, or that it can."""
    conn.execute(
        "update targets set log_problem = %s where id = %s and log_problem is distinct from %s",
        [problem, target_id, problem],
    )
