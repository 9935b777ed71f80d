"""Columns of the store that may hold the user's values, for masking what is stored already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from pgadvisor.store.connection import Connection

__all__ = ["HELD", "Held", "rewrite"]

Row = dict[str, Any]
_BATCH_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Columns of one table, and what tells its rows apart."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


HELD = (
    Held(table="plans", key=("id",), columns=("example_query", "plan", "extra")),
    Held(table="queries", key=("target_id", "dbid", "queryid"), columns=("query", "fingerprint")),
    Held(table="running_statements", key=("target_id", "pid", "started_at"), columns=("query",)),
    Held(
        table="logged_statements", key=("target_id", "datname", "fingerprint"), columns=("query",)
    ),
    Held(table="executions", key=("tableoid", "ctid"), columns=("parameters",)),
    Held(table="unexplained", key=("target_id", "dbid", "queryid"), columns=("reason",)),
    Held(table="optimization_recommendations", key=("id",), columns=("evidence",)),
)


def rewrite(conn: Connection, held: Held, masked: Callable[[Row], Mapping[str, Any]]) -> int:
    """Put in each row what `masked` makes of its columns; returns how many rows changed.

    Rows are read as they stood at the beginning, so that a table of any size is read once.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, (*held.key, *held.columns)))
    table = sql.Identifier(held.table)
    some = sql.SQL(" or ").join(
        sql.SQL("{} is not null").format(sql.Identifier(c)) for c in held.columns
    )
    update = sql.SQL("update {} set {} where {}").format(
        table,
        sql.SQL(", ").join(_placed(column) for column in held.columns),
        sql.SQL(" and ").join(_placed(column) for column in held.key),
    )
    changed = 0
    with conn.cursor("held", row_factory=dict_row) as reader, conn.cursor() as writer:
        reader.execute(sql.SQL("select {} from {} where {}").format(names, table, some))
        while rows := reader.fetchmany(_BATCH_ROWS):
            new = [(row, {**row, **masked(row)}) for row in rows]
            different = [_stored(after) for before, after in new if before != after]
            if different:
                writer.executemany(update, different)
            changed += len(different)
    return changed


def _placed(column: str) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column))


def _stored(row: Row) -> Row:
    return {k: Jsonb(v) if isinstance(v, dict | list) else v for k, v in row.items()}
