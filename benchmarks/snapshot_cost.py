"""What one interval costs a target with 5,000 statements, and us.

    .venv/bin/python benchmarks/snapshot_cost.py

Server time is what the target's own pg_stat_statements counts for our statements. The baseline
is what most collectors do each interval: the whole view with the texts, read by the same driver.
"""

import argparse
import statistics
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.config import load_settings
from pgadvisor.store import open_store

_COLUMNS = 50
_OWN_TIME = """
select coalesce(sum(total_exec_time), 0) from pg_stat_statements
where query like '%/* pgadvisor */%'
"""
_BASELINE = "select /* baseline */ * from pg_stat_statements"


def make_statements(conn: psycopg.Connection[Any], count: int) -> None:
    """Fill pg_stat_statements with `count` different statements of a usual length."""
    for table in range(count // _COLUMNS):
        columns = sql.SQL(", ").join(
            sql.SQL("column_{} int").format(sql.SQL(str(n))) for n in range(_COLUMNS)
        )
        name = sql.Identifier(f"some_table_of_the_application_{table}")
        conn.execute(sql.SQL("create table {} ({})").format(name, columns))
    conn.execute("select pg_stat_statements_reset()")
    touch(conn, count)


def touch(conn: psycopg.Connection[Any], count: int) -> None:
    """Run each of the statements once."""
    for number in range(count):
        table, column = divmod(number, _COLUMNS)
        conn.execute(
            sql.SQL(
                "select t.{0}, count(*) from {1} t where t.{0} between 1 and 10 and t.{0} <> 5 "
                "group by t.{0} having count(*) > 1 order by 2 desc limit 10"
            ).format(
                sql.Identifier(f"column_{column}"),
                sql.Identifier(f"some_table_of_the_application_{table}"),
            )
        )


def own_time(conn: psycopg.Connection[Any]) -> float:
    row = conn.execute(_OWN_TIME).fetchone()
    assert row is not None
    return float(row[0])


def measure(target: Cluster, store_cluster: Cluster, statements: int, rounds: int) -> None:
    settings = load_settings(database_url=store_cluster.dsn())
    with psycopg.connect(target.dsn(), autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        # not as superuser: there our statements are not even counted
        conn.execute("create role pgadvisor login")
        conn.execute("grant pg_monitor, pg_read_all_data to pgadvisor")
        make_statements(conn, statements)
        found = datetime.now(UTC)
        dsn = target.dsn(user="pgadvisor")
        with (
            open_store(settings, now=found, upgrade=True) as store,
            pipeline.connect_target(dsn, settings) as connection,
        ):
            target_id = pipeline.register_target(store, connection, dsn, now=found)
            started = time.perf_counter()
            pipeline.observe_statements(connection, store, target_id, now=found)
            print(f"first snapshot with all texts: {time.perf_counter() - started:.3f} s wall")
            server, wall, idle, baseline = [], [], [], []
            for _ in range(rounds):
                touch(conn, statements)
                before = own_time(conn)
                started = time.perf_counter()
                pipeline.observe_statements(connection, store, target_id, now=datetime.now(UTC))
                wall.append(1000 * (time.perf_counter() - started))
                server.append(own_time(conn) - before)
                started = time.perf_counter()
                pipeline.observe_statements(connection, store, target_id, now=datetime.now(UTC))
                idle.append(1000 * (time.perf_counter() - started))
                started = time.perf_counter()
                conn.execute(_BASELINE).fetchall()
                baseline.append(1000 * (time.perf_counter() - started))
            row = conn.execute(
                "select mean_exec_time from pg_stat_statements where query = %s", [_BASELINE]
            ).fetchone()
    assert row is not None
    print(f"server time per interval, median: {statistics.median(server):.1f} ms (goal 15)")
    print(f"  baseline, the view with texts: {row[0]:.1f} ms server time")
    print(f"  ratio to the baseline: {statistics.median(server) / row[0]:.2f}")
    print(f"wall per interval, all active, median: {statistics.median(wall):.0f} ms (goal 300)")
    print(f"wall per interval, none active, median: {statistics.median(idle):.0f} ms")
    print(f"  baseline, the view with texts: {statistics.median(baseline):.0f} ms wall")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.max": "10000",
    }
    with (
        Cluster.temporary(find_binaries(), settings=settings) as target,
        Cluster.temporary(embedded_binaries()) as store_cluster,
    ):
        measure(target, store_cluster, arguments.statements, arguments.rounds)


if __name__ == "__main__":
    main()
