"""Counters as columns of the store, and rows on their way there."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from psycopg import sql

from pgadvisor.records.statement import COUNTER_NAMES, Counters
from pgadvisor.store.connection import Connection

__all__ = ["COUNTER_COLUMNS", "copy_rows", "counter_values"]

_ALL = attrgetter(*COUNTER_NAMES)
COUNTER_COLUMNS = sql.SQL(", ").join(sql.Identifier(name) for name in COUNTER_NAMES)


def counter_values(counters: Counters) -> list[Any]:
    """The values in the order of `COUNTER_COLUMNS`; null means zero."""
    return [value or None for value in _ALL(counters)]


def copy_rows(conn: Connection, statement: sql.Composed, rows: Iterable[Sequence[Any]]) -> None:
    """Send rows to a COPY ... FROM STDIN."""
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
