"""What one reading costs a target with 5,000 statements, beside what other collectors ask it.

    .venv/bin/python benchmarks/snapshot_cost.py
    PGADVISOR_PG_BIN=.postgres/17/bin .venv/bin/python benchmarks/snapshot_cost.py

Server time is the processor time of the backend that answers (schedstat of its process, so Linux
only): it takes the parameters in, plans, executes and sends. What pg_stat_statements counts for
our statements is printed beside it; that leaves out parsing and planning, and takes in waiting
for us to read. Each round runs a part of the statements, then every collector once, in turn.
The others are PoWA's and pgwatch's queries (benchmarks/collectors) and the whole view.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.collect.target import Target
from pgadvisor.config import load_settings
from pgadvisor.store import Store, open_store

Conn = psycopg.Connection[Any]

SHARES = (0.0, 0.1, 1.0)
GOAL_MS = 10
_COLUMNS = 50
#: pgwatch leaves out what was called less often
_WARM_UP_CALLS = 6
_OWN_TIME = """
select coalesce(sum(total_exec_time), 0) from pg_stat_statements
where query like '%/* pgadvisor */%'
"""
_COLLECTORS = Path(__file__).parent / "collectors"


def make_statements(conn: Conn, count: int) -> None:
    """Fill pg_stat_statements with `count` different statements of a usual length."""
    for table in range(count // _COLUMNS):
        columns = sql.SQL(", ").join(
            sql.SQL("column_{} int").format(sql.SQL(str(n))) for n in range(_COLUMNS)
        )
        name = sql.Identifier(f"some_table_of_the_application_{table}")
        conn.execute(sql.SQL("create table {} ({})").format(name, columns))
    conn.execute("select pg_stat_statements_reset()")
    for _ in range(_WARM_UP_CALLS):
        touch(conn, range(count))


def touch(conn: Conn, numbers: range) -> None:
    """Run each of these statements once."""
    for number in numbers:
        table, column = divmod(number, _COLUMNS)
        # no alias: PostgreSQL 18 tells tables apart by the name they go under
        conn.execute(
            sql.SQL(
                "select {0}, count(*) from {1} where {0} between 1 and 10 and {0} <> 5 "
                "group by {0} having count(*) > 1 order by 2 desc limit 10"
            ).format(
                sql.Identifier(f"column_{column}"),
                sql.Identifier(f"some_table_of_the_application_{table}"),
            )
        )


def processor_ms(pid: int) -> float:
    """Processor time of a process so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def number(conn: Conn, query: str) -> float:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return float(row[0])


def collectors(conn: Conn) -> dict[str, Callable[[Conn], int]]:
    """The queries of others that this version of the extension can answer, by name."""
    row = conn.execute(
        "select extversion from pg_extension where extname = 'pg_stat_statements'"
    ).fetchone()
    assert row is not None
    version = tuple(map(int, row[0].split(".")))
    found: dict[str, Callable[[Conn], int]] = {
        "view": _selecting("select * from pg_stat_statements")
    }
    if version < (1, 10):
        return found
    suffix = ".since_1_11.sql" if version >= (1, 11) else ".sql"

    def text(name: str) -> str:
        return (_COLLECTORS / f"{name}{suffix}").read_text()

    return found | {
        "PoWA": _copying(text("powa")),
        "pgwatch": _selecting(text("pgwatch")),
        "pgwatch, no texts": _selecting(text("pgwatch_without_texts")),
    }


def _selecting(query: str) -> Callable[[Conn], int]:
    def run(conn: Conn) -> int:
        with conn.cursor(binary=True) as cursor:
            return len(cursor.execute(query.encode()).fetchall())

    return run


def _copying(query: str) -> Callable[[Conn], int]:
    def run(conn: Conn) -> int:
        with conn.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout".encode()) as copy:
            return sum(bytes(piece).count(b"\n") for piece in copy)

    return run


class Bench:
    """Connections of all collectors to one server, and what each reading took."""

    def __init__(self, conn: Conn, store: Store, target: Target, target_id: int) -> None:
        self.conn = conn
        self.store = store
        self.target = target
        self.target_id = target_id
        self.server: dict[tuple[str, float], list[float]] = defaultdict(list)
        self.counted: dict[float, list[float]] = defaultdict(list)
        self.wall: dict[float, list[float]] = defaultdict(list)
        self.activity: list[float] = []
        #: rows of the last answer
        self.rows: dict[str, int] = {}

    def observe(self, share: float) -> None:
        """One reading of ours, stored."""
        counted = number(self.conn, _OWN_TIME)
        started = time.perf_counter()
        with self.timed("pgadvisor", share, self.target.conn):
            pipeline.observe_statements(
                self.target, self.store, self.target_id, now=datetime.now(UTC)
            )
        self.wall[share].append(1000 * (time.perf_counter() - started))
        self.counted[share].append(number(self.conn, _OWN_TIME) - counted)

    def observe_activity(self) -> None:
        before = processor_ms(self.target.conn.info.backend_pid)
        pipeline.observe_activity(self.target, self.store, self.target_id, now=datetime.now(UTC))
        self.activity.append(processor_ms(self.target.conn.info.backend_pid) - before)

    @contextmanager
    def timed(self, name: str, share: float, conn: Conn) -> Iterator[None]:
        before = processor_ms(conn.info.backend_pid)
        yield
        self.server[name, share].append(processor_ms(conn.info.backend_pid) - before)


def run_rounds(bench: Bench, dsn: str, statements: int, rounds: int) -> list[str]:
    """All collectors in turn; returns their names."""
    others = collectors(bench.conn)
    with ExitStack() as stack:
        conns = {
            name: stack.enter_context(psycopg.connect(dsn, autocommit=True)) for name in others
        }
        for share in SHARES:
            bench.observe(share)  # so that the reading before is of the same share
            touch(bench.conn, range(round(share * statements)))
            for place in range(rounds):
                touch(bench.conn, range(round(share * statements)))
                bench.observe(share)
                bench.observe_activity()
                names = list(others)
                for name in names[place % len(names) :] + names[: place % len(names)]:
                    with bench.timed(name, share, conns[name]):
                        bench.rows[name] = others[name](conns[name])
            bench.server["pgadvisor", share].pop(0)
            bench.counted[share].pop(0)
            bench.wall[share].pop(0)
    return ["pgadvisor", *others]


def report(bench: Bench, names: list[str]) -> None:
    print("server time of one reading, ms, median (ratio to pgadvisor)")
    print(f"{'statements active':20}" + "".join(f"{share:>18.0%}" for share in SHARES))
    for name in names:
        line = f"{name:20}"
        for share in SHARES:
            ours = statistics.median(bench.server["pgadvisor", share])
            theirs = statistics.median(bench.server[name, share])
            line += f"{theirs:>10.1f} ({theirs / ours:4.1f})"
        print(line + (f"{bench.rows[name]:>8} rows" if name in bench.rows else ""))
    for what, figures in (
        ("counted by itself", bench.counted),
        ("wall, read and stored", bench.wall),
    ):
        medians = (statistics.median(figures[share]) for share in SHARES)
        print(f"{what:22}" + "".join(f"{median:>10.1f}{'':8}" for median in medians)[2:])
    activity = statistics.median(bench.activity)
    print(f"a sample of activity, once a minute: {activity:.1f} ms, {activity / 6:.1f} ms in 10 s")
    worst = max(statistics.median(bench.server["pgadvisor", share]) for share in SHARES)
    print(f"the most of ours in 10 s: {worst + activity / 6:.1f} ms (goal {GOAL_MS})")


def measure(target: Cluster, store_cluster: Cluster, statements: int, rounds: int) -> None:
    settings = load_settings(database_url=store_cluster.dsn())
    with psycopg.connect(target.dsn(), autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        # not as superuser: there our statements are not even counted
        conn.execute("create role pgadvisor login")
        conn.execute("grant pg_monitor to pgadvisor")
        make_statements(conn, statements)
        found = datetime.now(UTC)
        dsn = target.dsn(user="pgadvisor")
        with (
            open_store(settings, now=found, upgrade=True) as store,
            pipeline.connect_target(dsn, settings) as connection,
        ):
            target_id = pipeline.register_target(store, connection, dsn, now=found)
            bench = Bench(conn, store, connection, target_id)
            started = time.perf_counter()
            pipeline.observe_statements(connection, store, target_id, now=found)
            print(f"PostgreSQL {target.binaries.major}, {statements} statements, {rounds} rounds")
            print(f"first reading with all texts: {time.perf_counter() - started:.3f} s wall")
            report(bench, run_rounds(bench, dsn, statements, rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.max": "10000",
        "track_io_timing": "on",
    }
    with (
        Cluster.temporary(find_binaries(), settings=settings) as target,
        Cluster.temporary(embedded_binaries()) as store_cluster,
    ):
        measure(target, store_cluster, arguments.statements, arguments.rounds)


if __name__ == "__main__":
    main()
