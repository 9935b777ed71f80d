"""Columns on their way to the store in binary COPY: zero where the store has null."""

import struct
from collections.abc import Iterable, Sequence
from itertools import chain, repeat, starmap

from psycopg import sql

from pgadvisor.records.statement import COUNTER_NAMES
from pgadvisor.store.columns import Column
from pgadvisor.store.connection import Connection

__all__ = ["COUNTER_COLUMNS", "copy_columns", "names_of", "nulled"]

COUNTER_COLUMNS = sql.SQL(", ").join(sql.Identifier(name) for name in COUNTER_NAMES)

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


def names_of(columns: Iterable[Column]) -> sql.Composed:
    """The names of the columns as a list in SQL."""
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)


def nulled(columns: Iterable[Column]) -> sql.Composed:
    """The columns as expressions that are null where they are zero."""
    return sql.SQL(", ").join(
        sql.SQL("nullif({}, 0)").format(sql.Identifier(column.name)) for column in columns
    )


def copy_columns(conn: Connection, table: str, columns: Sequence[Column]) -> None:
    """COPY the columns into a table, in PostgreSQL's binary format.

    Written with one `struct` for all rows (COPY, "Binary Format"), because a value at a time
    takes longer than the server needs to store it.
    """
    packer = struct.Struct(">h" + "".join(f"i{column.kind}" for column in columns))
    fields = chain.from_iterable(
        (repeat(struct.calcsize(f">{column.kind}")), column.values) for column in columns
    )
    rows = starmap(packer.pack, zip(repeat(len(columns)), *fields, strict=False))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), names_of(columns)
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"".join((_SIGNATURE, *rows, _TRAILER)))
