"""Executions that logs show, and the statements they are of."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg.rows import class_row

from pgadvisor.records.log import Execution
from pgadvisor.records.parameter import MaskedValue
from pgadvisor.records.statement import QueryId
from pgadvisor.store.connection import Connection
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.queries import load

__all__ = [
    "LoggedLoad",
    "copy_executions",
    "logged_load",
    "logged_queryids",
    "save_executions",
]

_LONGEST_TEXT = 100_000
_FIELDS = tuple(field.name for field in fields(MaskedValue))

#: a row of executions without target_id
Row = tuple[Any, ...]

#: the columns of a row that is copied
COLUMNS = (
    *("logged_at", "plan_id", "duration_ms", "username", "application_name", "pid", "source"),
    *("datname", "queryid", "fingerprint", "threshold_ms", "sample_rate", "parameters"),
)


@dataclass(slots=True)
class _Statement:
    """What a batch shows of one statement."""

    last: Execution
    first_at: datetime
    queryid: int | None


def save_executions(conn: Connection, target_id: int, executions: Sequence[Execution]) -> None:
    """Save executions of log_min_duration_statement, and the statements they are of.

    Their times must be ones that partitions may be made for.
    """
    if not executions:
        return
    _save_statements(conn, target_id, executions)
    copy_executions(conn, target_id, [_row(execution) for execution in executions])


def _row(execution: Execution) -> Row:
    parameters = execution.parameters
    return (
        *(execution.logged_at, None, execution.duration_ms, execution.user),
        *(execution.application_name, execution.pid, "log_min_duration", execution.database),
        *(execution.queryid, execution.fingerprint, execution.threshold_ms, execution.sample_rate),
        f"[{','.join(map(_as_json, parameters))}]" if parameters else None,
    )


def _as_json(value: MaskedValue) -> str:
    # a value that is kept may be of any length, hashes of it are short and come again and again
    return _known(value) if value.value is not None else _cached(value)


@lru_cache(maxsize=4096)
def _cached(value: MaskedValue) -> str:
    return _known(value)


def _known(value: MaskedValue) -> str:
    # not asdict: it copies deeply, and this is done for every value of every execution
    parts = [
        f'"{name}":{json.dumps(kept, ensure_ascii=False)}'
        for name in _FIELDS
        if (kept := getattr(value, name)) is not None
    ]
    return f"{{{','.join(parts)}}}"


def copy_executions(conn: Connection, target_id: int, rows: Sequence[Row]) -> None:
    """Copy rows of `COLUMNS` into executions; missing partitions are made."""
    if not rows:
        return
    ensure_partitions(conn, "executions", {row[0] for row in rows})
    with (
        conn.cursor() as cursor,
        cursor.copy(
            """copy executions (target_id, logged_at, plan_id, duration_ms, username,
                   application_name, pid, source, datname, queryid, fingerprint, threshold_ms,
                   sample_rate, parameters) from stdin"""
        ) as copy,
    ):
        for row in rows:
            copy.write_row((target_id, *row))


def _save_statements(conn: Connection, target_id: int, executions: Iterable[Execution]) -> None:
    found: dict[tuple[str, str], _Statement] = {}
    for execution in executions:
        key = (execution.database, execution.fingerprint)
        statement = found.get(key)
        if statement is None:
            found[key] = _Statement(execution, execution.logged_at, execution.queryid)
            continue
        if execution.logged_at >= statement.last.logged_at:
            statement.last = execution
        statement.first_at = min(statement.first_at, execution.logged_at)
        statement.queryid = execution.queryid or statement.queryid
    # in one order everywhere, so that two writers never wait for each other in a ring
    ordered = [found[key] for key in sorted(found)]
    conn.execute(
        load("save_logged_statements"),
        {
            "target_id": target_id,
            "datnames": [one.last.database for one in ordered],
            "fingerprints": [one.last.fingerprint for one in ordered],
            "queries": [one.last.query[:_LONGEST_TEXT] for one in ordered],
            "kinds": [one.last.kind for one in ordered],
            "queryids": [one.queryid for one in ordered],
            "firsts": [one.first_at for one in ordered],
            "lasts": [one.last.logged_at for one in ordered],
        },
    )


def logged_queryids(
    conn: Connection, target_id: int, statements: Collection[tuple[str, str]]
) -> dict[tuple[str, str], QueryId]:
    """The queryids that the log has shown with a database and fingerprint, where it did."""
    if not statements:
        return {}
    rows = conn.execute(
        """select datname, fingerprint, queryid
           from logged_statements
           join unnest(%s::text[], %s::text[]) as s (datname, fingerprint)
               using (datname, fingerprint)
           where target_id = %s and queryid is not null""",
        [*map(list, zip(*statements, strict=True)), target_id],
    )
    return {(datname, fingerprint): QueryId(queryid) for datname, fingerprint, queryid in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLoad:
    """What a log shows of one statement, or of one plan's query where only plans were logged."""

    source: str
    datname: str
    fingerprint: str | None
    #: as a string, for JSON
    queryid: str | None
    query: str
    executions: int
    total_duration_ms: float
    mean_duration_ms: float
    max_duration_ms: float
    #: the least and the most that was known; None: not known of all of them
    threshold_ms: float | None
    sample_rate: float | None


def logged_load(conn: Connection, target_id: int, *, most: int) -> list[LoggedLoad]:
    """The statements that the log of a target shows most time of, busiest first.

    Those of log_min_duration_statement, and of auto_explain only where there are none: an
    execution that both logged would count twice.
    """
    with conn.cursor(row_factory=class_row(LoggedLoad)) as cursor:
        return cursor.execute(
            load("logged_load"), {"target_id": target_id, "most": most}
        ).fetchall()
