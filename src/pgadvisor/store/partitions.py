"""Partitions, made before a row needs one and dropped when their time is over.

Where TimescaleDB has made a table a hypertable (store/timescale.py), its chunks make themselves,
and nothing here is done.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from psycopg import sql

from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = [
    "PARTITIONED",
    "drop_partition",
    "drop_partitions",
    "ended_partitions",
    "ensure_partitions",
    "instants_ahead",
]

#: partitioned table: whether a partition is a day, else a month
PARTITIONED = {"statement_deltas": True, "executions": True, "statement_hours": False}

#: a row of statement_hours is updated with every snapshot of its hour; the free half of a page
#: takes the new versions, so that they stay in the page and touch no index (HOT)
_FILLFACTOR = {"statement_hours": 50}
#: how many partitions are made beyond the one that is in use
_AHEAD = {"statement_deltas": 3, "executions": 3, "statement_hours": 1}
_LOCK = 7_316_402_052


def ensure_partitions(conn: Connection, table: str, instants: Iterable[datetime]) -> list[str]:
    """Make the partitions that rows of these instants go to, where they are missing.

    Returns the names of those made. A partition is made by itself and then attached, which
    takes a weaker lock than CREATE TABLE ... PARTITION OF: nobody who reads has to end first.
    """
    starts = {_start(instant, is_day=PARTITIONED[table]) for instant in instants}
    names = {_name(table, start): start for start in starts}
    place = {"table": table, "names": list(names)}
    if not conn.execute(load("missing_partitions"), place).fetchall():
        return []
    conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])  # two workers, one partition
    missing = sorted(name for (name,) in conn.execute(load("missing_partitions"), place))
    for name in missing:
        _make(conn, table, name, names[name])
    return missing


def _make(conn: Connection, table: str, name: str, start: datetime) -> None:
    conn.execute(
        sql.SQL("create table {} (like {} including all) with (fillfactor = {})").format(
            sql.Identifier(name), sql.Identifier(table), sql.Literal(_FILLFACTOR.get(table, 100))
        )
    )
    conn.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            sql.Identifier(table),
            sql.Identifier(name),
            sql.Literal(start),
            sql.Literal(_next(start, is_day=PARTITIONED[table])),
        )
    )


def instants_ahead(table: str, now: datetime) -> list[datetime]:
    """An instant in each partition that should be there by now: the current one and the next."""
    found = [now]
    for _ in range(_AHEAD[table]):
        found.append(_next(_start(found[-1], is_day=PARTITIONED[table]), is_day=PARTITIONED[table]))
    return found


def ended_partitions(conn: Connection, table: str, before: datetime) -> list[str]:
    """The partitions that end at or before the instant, oldest first."""
    rows = conn.execute(
        """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = to_regclass(%s) and c.relispartition order by 1""",
        [table],
    ).fetchall()
    starts = {
        name: datetime.strptime(name.rsplit("_", 1)[1], "%Y%m%d").replace(tzinfo=UTC)
        for (name,) in rows
    }
    is_day = PARTITIONED[table]
    return [name for name, start in starts.items() if _next(start, is_day=is_day) <= before]


def drop_partitions(conn: Connection, table: str, before: datetime) -> list[str]:
    """Drop the partitions that end at or before the instant; returns their names."""
    ended = ended_partitions(conn, table, before)
    for name in ended:
        drop_partition(conn, name)
    return ended


def drop_partition(conn: Connection, name: str) -> None:
    """Drop one partition with its rows; waits for whoever reads its table."""
    conn.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))


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
