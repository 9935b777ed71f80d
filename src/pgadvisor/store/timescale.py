"""TimescaleDB, where the extension is in the store's database: hypertables, compression, chunks.

Plain PostgreSQL is complete without it. `pgadvisor migrate` converts the partitioned tables once
the extension is there; `maintain` compresses chunks that ended and drops those past their time.
Compression is of TimescaleDB's Community edition; under the Apache license chunks stay as they are.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import errors, sql
from psycopg.rows import TupleRow

from pgadvisor.errors import SchemaOutdated
from pgadvisor.store.queries import load

__all__ = ["compress_chunk", "drop_chunks", "ended_chunks", "make_hypertables"]

Connection = psycopg.Connection[TupleRow]

#: a chunk is compressed when it ended so long ago: late rows of an outage still find it as it was
_COMPRESS_AFTER = timedelta(days=1)
_TABLES = ("statement_deltas", "executions", "statement_hours")


def make_hypertables(conn: Connection, views: Sequence[LiteralString]) -> bool:
    """Turn the partitioned tables into hypertables; False without the extension or when they are.

    `views` are the scripts that make the views on them, which have to go and come back. All rows
    are copied in the connection's transaction. Raises `SchemaOutdated` when somebody else's view
    stands on a table.
    """
    if _schema(conn) is None or not _has_partitioned(conn):
        return False
    found = conn.execute(load("own_views")).fetchall()
    try:
        if found:
            names = sorted({(schema, view) for schema, view, _ in found})
            listed = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
            conn.execute(sql.SQL("drop view {}").format(listed))
        conn.execute(_script())
    except errors.DependentObjectsStillExist as exc:
        raise SchemaOutdated(
            f"something of yours stands in the way of hypertables: {exc.diag.message_detail}",
            hint="Drop it, run `pgadvisor migrate`, and make it again.",
        ) from exc
    for text in views:
        conn.execute(text)
    for _, _, grant in found:
        if grant is not None:
            conn.execute(grant.encode())  # as the server wrote it
    return True


def drop_chunks(conn: Connection, table: str, before: datetime) -> list[str]:
    """Drop the chunks of a hypertable that end at or before the instant; returns their names."""
    schema = _schema(conn)
    if schema is None or not _is_hypertable(conn, table):
        return []
    query = sql.SQL("select {}.drop_chunks(%s::regclass, older_than => %s::timestamptz)::text")
    rows = conn.execute(query.format(sql.Identifier(schema)), [table, before]).fetchall()
    return [f"{table} {name}" for (name,) in rows]


def ended_chunks(conn: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Schema and name of the chunks that ended a while ago and are not compressed yet."""
    if _schema(conn) is None:
        return []
    return conn.execute(
        """select c.chunk_schema, c.chunk_name
           from timescaledb_information.chunks c
           join timescaledb_information.hypertables h using (hypertable_schema, hypertable_name)
           where h.compression_enabled and not c.is_compressed and c.hypertable_name = any(%s)
             and c.hypertable_schema = current_schema() and c.range_end <= %s
           order by c.range_end""",
        [list(_TABLES), now - _COMPRESS_AFTER],
    ).fetchall()


def compress_chunk(conn: Connection, schema: str, name: str) -> None:
    """Compress one chunk; whoever reads it goes on, whoever writes to it waits."""
    extension = _schema(conn)
    assert extension is not None  # there is a chunk
    chunk = sql.Identifier(schema, name).as_string(conn)
    query = sql.SQL("select {}.compress_chunk(%s::regclass, if_not_compressed => true)")
    conn.execute(query.format(sql.Identifier(extension)), [chunk])


def _schema(conn: Connection) -> str | None:
    row = conn.execute(
        """select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
           where e.extname = 'timescaledb'"""
    ).fetchone()
    return row[0] if row else None


def _has_partitioned(conn: Connection) -> bool:
    query = """select 1 from unnest(%s::text[]) name
               join pg_partitioned_table p on p.partrelid = to_regclass(name)"""
    return conn.execute(query, [list(_TABLES)]).fetchone() is not None


def _is_hypertable(conn: Connection, table: str) -> bool:
    query = """select 1 from timescaledb_information.hypertables
               where hypertable_schema = current_schema() and hypertable_name = %s"""
    return conn.execute(query, [table]).fetchone() is not None


def _script() -> LiteralString:
    # a file of this package, nothing a user wrote
    return (files("pgadvisor.store") / "timescale.sql").read_text(encoding="utf-8")
