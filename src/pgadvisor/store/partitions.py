"""Partitions, made before a row needs one and dropped when their time is over."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from psycopg import sql

from pgadvisor.store.connection import Connection

__all__ = ["PARTITIONED", "drop_partitions", "ensure_partitions"]

#: partitioned table: whether a partition is a day, else a month
PARTITIONED = {"statement_deltas": True, "executions": True, "statement_hours": False}

_LOCK = 7_316_402_052


def ensure_partitions(conn: Connection, table: str, instants: Iterable[datetime]) -> None:
    """Make the partitions that rows of these instants go to, where they are missing."""
    starts = {_start(instant, is_day=PARTITIONED[table]) for instant in instants}
    names = {_name(table, start): start for start in starts}
    found = conn.execute(
        "select name from unnest(%s::text[]) name where to_regclass(name) is null", [list(names)]
    ).fetchall()
    if not found:
        return
    conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])  # two workers, one partition
    for (name,) in found:
        start = names[name]
        conn.execute(
            sql.SQL(
                "create table if not exists {} partition of {} for values from ({}) to ({}) with (fillfactor = 50)"
            ).format(
                sql.Identifier(name),
                sql.Identifier(table),
                sql.Literal(start),
                sql.Literal(_next(start, is_day=PARTITIONED[table])),
            )
        )


def drop_partitions(conn: Connection, table: str, before: datetime) -> list[str]:
    """Drop the partitions that end at or before the instant; returns their names."""
    rows = conn.execute(
        """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = to_regclass(%s) order by 1""",
        [table],
    ).fetchall()
    dropped = []
    for (name,) in rows:
        start = datetime.strptime(name.rsplit("_", 1)[1], "%Y%m%d").replace(tzinfo=UTC)
        if _next(start, is_day=PARTITIONED[table]) <= before:
            conn.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
            dropped.append(name)
    return dropped


def _start(instant: datetime, *, is_day: bool) -> datetime:
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if is_day else day.replace(day=1)


def _next(start: datetime, *, is_day: bool) -> datetime:
    if is_day:
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def _name(table: str, start: datetime) -> str:
    """The name of the partition that begins then; months end in 01."""
    return f"{table}_{start:%Y%m%d}"
