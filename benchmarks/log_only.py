"""A log alone against pg_stat_statements: the same calls, and how the times compare.

A private server logs every statement (log_min_duration_statement = 0) in all three formats while
it runs pgbench with scripts of our own in the simple, extended and prepared protocol, and a
handful of analytic queries as TPC-H has them. Then the server is stopped, and `pgadvisor
ingest-log` reads each log into a store of its own, without any server.

What is compared per queryid: calls and total_exec_time of pg_stat_statements, executions and
total duration in the store, and calls in the history (statement_hours) that is made of the log.
Durations in the log are longer: pg_stat_statements times the executor, the log the whole
message, with parsing, planning and sending.

    .venv/bin/python benchmarks/log_only.py [--transactions 500] [--clients 4]

Ends with exit code 1 where calls differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.records.log import LogFormat

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "compute_query_id": "on",
    "logging_collector": "on",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_filename": "server.log",
    "log_line_prefix": "%m [%p] %q%u@%d app=%a id=%Q ",
    "log_min_duration_statement": "0",
    "log_timezone": "Europe/Berlin",
    "shared_buffers": "256MB",
}
SUFFIXES = {LogFormat.STDERR: "log", LogFormat.CSVLOG: "csv", LogFormat.JSONLOG: "json"}
#: what no part of the workload is logged with
QUIET = "options='-c log_min_duration_statement=-1'"

SCHEMA = """
create table part (p_partkey int primary key, p_name text, p_brand text, p_size int);
create table customer (c_custkey int primary key, c_name text, c_mktsegment text,
    c_acctbal numeric);
create table orders (o_orderkey int primary key, o_custkey int, o_orderdate date,
    o_totalprice numeric, o_orderpriority text);
create table lineitem (l_orderkey int, l_partkey int, l_quantity numeric, l_extendedprice numeric,
    l_discount numeric, l_shipdate date, l_returnflag char, l_linestatus char);
insert into part select g, 'part ' || g, 'Brand#' || g % 25, g % 50 from generate_series(1, 2000) g;
insert into customer select g, 'Customer ' || g,
    (array['BUILDING', 'MACHINERY', 'AUTOMOBILE'])[1 + g % 3], g % 9999
    from generate_series(1, 3000) g;
insert into orders select g, 1 + g % 3000, date '1995-01-01' + g % 1000, g % 5000, '1-URGENT'
    from generate_series(1, 30000) g;
insert into lineitem select 1 + g % 30000, 1 + g % 2000, g % 50, g % 900, (g % 10) / 100.0,
    date '1995-01-01' + g % 1100, (array['A', 'N', 'R'])[1 + g % 3], (array['O', 'F'])[1 + g % 2]
    from generate_series(1, 120000) g;
create index on lineitem (l_orderkey);
create index on orders (o_custkey);
analyze;
"""

SCRIPTS = {
    "lookup": """\\set id random(1, 3000)
select c_name, c_acctbal from customer where c_custkey = :id;
select o_orderkey, o_totalprice from orders where o_custkey = :id order by o_orderdate desc limit 5;
""",
    "sell": """\\set id random(1, 30000)
\\set amount random(-50, 50)
begin;
update orders set o_totalprice = o_totalprice + :amount where o_orderkey = :id;
select l_partkey, l_quantity
  from lineitem
 where l_orderkey = :id; -- two lines
insert into lineitem values (:id, 1, 1, :amount, 0, '1998-01-01', 'N', 'O');
commit;
""",
}

#: TPC-H 1, 3, 6, 12's and 14's kind, with the parameters given
ANALYTIC = (
    (
        "select l_returnflag, l_linestatus, sum(l_quantity), avg(l_extendedprice), count(*)"
        " from lineitem where l_shipdate <= %s group by 1, 2 order by 1, 2",
        ["1997-09-01"],
    ),
    (
        "select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate"
        " from customer join orders on c_custkey = o_custkey"
        " join lineitem on l_orderkey = o_orderkey"
        " where c_mktsegment = %s and o_orderdate < %s and l_shipdate > %s"
        " group by l_orderkey, o_orderdate order by revenue desc limit 10",
        ["BUILDING", "1996-03-15", "1996-03-15"],
    ),
    (
        "select sum(l_extendedprice * l_discount) from lineitem"
        " where l_shipdate >= %s and l_discount between %s and %s and l_quantity < %s",
        ["1996-01-01", 0.05, 0.07, 24],
    ),
    (
        "select o_orderpriority, count(*) from orders where exists"
        " (select from lineitem where l_orderkey = o_orderkey and l_shipdate > o_orderdate + 30)"
        " and o_orderdate >= %s group by 1",
        ["1996-01-01"],
    ),
    (
        "select 100 * sum(case when p_brand like %s then l_extendedprice else 0 end)"
        " / sum(l_extendedprice) from lineitem join part on l_partkey = p_partkey"
        " where l_shipdate >= %s and l_shipdate < %s::date + 30",
        ["Brand#1%", "1996-09-01", "1996-09-01"],
    ),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one side says of one queryid."""

    calls: int
    total_ms: float
    query: str = ""


def pgbench(cluster: Cluster, protocol: str, script: Path, clients: int, transactions: int) -> None:
    subprocess.run(
        [
            str(cluster.binaries.bin_dir / "pgbench"),
            *("-h", str(cluster.socket_dir), "-U", "postgres", "-n", "-M", protocol),
            *("-c", str(clients), "-j", "2", "-t", str(transactions), "-f", str(script), "shop"),
        ],
        check=True,
        capture_output=True,
    )


def analytic(cluster: Cluster, rounds: int) -> None:
    """Simple protocol, extended without and with a named prepared statement."""
    for cursor_factory, prepare in (
        (psycopg.ClientCursor, None),
        (psycopg.Cursor, False),
        (psycopg.Cursor, True),
    ):
        with psycopg.connect(
            cluster.dsn("shop"), autocommit=True, cursor_factory=cursor_factory
        ) as conn:
            for _ in range(rounds):
                for text, parameters in ANALYTIC:
                    conn.execute(text.encode(), parameters, prepare=prepare)


def workload(cluster: Cluster, clients: int, transactions: int) -> dict[int, Counted]:
    """Run it all; what pg_stat_statements counted."""
    with psycopg.connect(f"{cluster.dsn()} {QUIET}", autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        conn.execute("create database shop")
        with psycopg.connect(f"{cluster.dsn('shop')} {QUIET}", autocommit=True) as shop:
            shop.execute(SCHEMA.encode())
        conn.execute("select pg_stat_statements_reset()")
        with tempfile.TemporaryDirectory() as directory:
            for name, content in SCRIPTS.items():
                script = Path(directory) / f"{name}.sql"
                script.write_text(content)
                for protocol in ("simple", "extended", "prepared"):
                    pgbench(cluster, protocol, script, clients, transactions)
        analytic(cluster, rounds=20)
        rows = conn.execute(
            """select queryid, sum(calls)::bigint, sum(total_exec_time), min(query)
               from pg_stat_statements
               where dbid = (select oid from pg_database where datname = 'shop')
               group by queryid"""
        ).fetchall()
    return {queryid: Counted(calls, total, query) for queryid, calls, total, query in rows}


@contextmanager
def new_store(cluster: Cluster, name: str) -> Iterator[str]:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
    environment = {**os.environ, "DATABASE_URL": cluster.dsn(name)}
    subprocess.run(
        [sys.executable, "-m", "pgadvisor", "migrate"],
        env=environment,
        check=True,
        capture_output=True,
    )
    yield cluster.dsn(name)


def ingested(path: Path, store_dsn: str) -> tuple[dict[str, Any], float]:
    """What the command says, and the seconds it took."""
    started = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pgadvisor", "ingest-log", str(path), "--target", "shop"),
            *("--threshold", "0", "--timezone", "Europe/Berlin", "--json"),
        ],
        env={**os.environ, "DATABASE_URL": store_dsn},
        check=True,
        capture_output=True,
        text=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document, time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store has of one log, by queryid."""

    executions: dict[int, Counted]
    #: executions without a queryid, with that of others of the same fingerprint
    adopted: dict[int, Counted]
    history: dict[int, Counted]


def of_store(dsn: str) -> Stored:
    with psycopg.connect(dsn) as conn:
        logged = conn.execute(
            """select queryid, count(*), sum(duration_ms) from executions
               where datname = 'shop' and source = 'log_min_duration' and queryid is not null
               group by queryid"""
        ).fetchall()
        adopted = conn.execute(
            """select l.queryid, count(*), sum(e.duration_ms), min(l.query) from executions e
               join logged_statements l using (target_id, datname, fingerprint)
               where e.datname = 'shop' and e.queryid is null group by l.queryid"""
        ).fetchall()
        history = conn.execute(
            """select s.queryid, sum(h.calls)::bigint, sum(h.total_exec_time)
               from statement_hours h join statements s on s.id = h.statement_id
               join databases d on (d.target_id, d.dbid) = (s.target_id, s.dbid)
               where d.datname = 'shop' group by s.queryid"""
        ).fetchall()
    return Stored(
        {queryid: Counted(calls, total) for queryid, calls, total in logged},
        {queryid: Counted(calls, total, query) for queryid, calls, total, query in adopted},
        {queryid: Counted(calls, total) for queryid, calls, total in history},
    )


_NONE = Counted(0, 0.0)


def compare(counted: dict[int, Counted], stores: dict[LogFormat, Stored]) -> int:
    """Print a row a query; returns how many calls differ."""
    print(f"\n{'pgss calls':>10} {'pgss ms':>10}", end="")
    for format_ in stores:
        print(f" | {format_:>8} {'ms':>10} {'ratio':>6}", end="")
    print(" | query")
    wrong = 0
    everything = set(counted).union(*(stored.executions for stored in stores.values()))
    for queryid in sorted(everything, key=lambda one: -counted.get(one, _NONE).total_ms):
        truth = counted.get(queryid, _NONE)
        print(f"{truth.calls:10,} {truth.total_ms:10,.1f}", end="")
        for stored in stores.values():
            one = stored.executions.get(queryid, _NONE)
            wrong += one.calls != truth.calls
            ratio = one.total_ms / truth.total_ms if truth.total_ms else float("nan")
            print(f" | {one.calls:8,} {one.total_ms:10,.1f} {ratio:6.2f}", end="")
        print(f" | {' '.join(truth.query.split())[:60]}")
    total = sum(one.total_ms for one in counted.values())
    for format_, stored in stores.items():
        found = stored.executions.values()
        print(
            f"{format_}: {sum(one.calls for one in found):,} calls of "
            f"{sum(one.calls for one in counted.values()):,}, "
            f"time ratio {sum(one.total_ms for one in found) / total:.3f}"
        )
        wrong += compare_history(stored)
    return wrong


def compare_history(stored: Stored) -> int:
    """The history is that of all executions, also of those that pg_stat_statements left out.

    pgss_ProcessUtility sets the queryId of a utility statement to 0, in the cached plan, too: from
    its second execution on a prepared one is neither counted nor logged with an id.
    """
    for one in stored.adopted.values():
        print(f"  {one.calls:,} executions without queryid, not counted by the server: {one.query}")
    wrong = 0
    for queryid in stored.executions.keys() | stored.history.keys():
        parts = (stored.executions.get(queryid, _NONE), stored.adopted.get(queryid, _NONE))
        history = stored.history.get(queryid, _NONE)
        wrong += history.calls != sum(part.calls for part in parts)
        wrong += abs(history.total_ms - sum(part.total_ms for part in parts)) > 0.01
    print(f"  history: {sum(one.calls for one in stored.history.values()):,} calls")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transactions", type=int, default=500, help="of each client and script")
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    found: dict[LogFormat, Stored] = {}
    with (
        Cluster.temporary(find_binaries(), settings=SETTINGS) as cluster,
        Cluster.temporary(embedded_binaries()) as stores,
    ):
        counted = workload(cluster, arguments.clients, arguments.transactions)
        cluster.stop()  # its logger ends last: the files are whole
        for format_, suffix in SUFFIXES.items():
            path = cluster.log_dir / f"server.{suffix}"
            with new_store(stores, f"of_{format_}") as dsn:
                document, seconds = ingested(path, dsn)
                (file,) = document["files"]
                print(
                    f"{format_}: {path.stat().st_size / 2**20:.1f} MiB, {file['statements']:,} "
                    f"statements in {seconds:.1f} s, left out: {file['skipped']}, "
                    f"prefix: {file['line_prefix']!r}"
                )
                again, _ = ingested(path, dsn)
                assert again["files"][0]["statements"] == 0, "read twice"
                found[format_] = of_store(dsn)
    wrong = compare(counted, found)
    print(f"\n{wrong} numbers of calls differ" if wrong else "\nall calls are equal")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
