"""What collecting costs the watched server: pgbench with and without it, in turn.

    .venv/bin/python benchmarks/pgbench_overhead.py --scale 50 --clients 8 --seconds 60 --pairs 5

Both sides have pg_stat_statements and auto_explain (10 ms) loaded and log what that says. The
baseline is the same server without pgadvisor. With it everything is on: statements every 10 s,
activity every 60 s, the catalog, and the log, which is read as it grows.
"""

import argparse
import re
import statistics
import subprocess
import threading
from datetime import UTC, datetime

import psycopg

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.config import load_settings
from pgadvisor.jobs import Observer
from pgadvisor.store import Store, open_store

_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "auto_explain.log_min_duration": "10ms",
    "auto_explain.log_format": "json",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
}


def pgbench(cluster: Cluster, *arguments: str) -> str:
    command = [
        str(cluster.binaries.bin_dir / "pgbench"),
        *("-h", str(cluster.socket_dir), "-p", "5432", "-U", "postgres", *arguments, "postgres"),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def transactions_per_second(cluster: Cluster, clients: int, seconds: int, mode: str) -> float:
    output = pgbench(
        cluster, "-n", "-M", "prepared", *(("-S",) if mode == "select" else ()),
        *("-c", str(clients), "-j", "2", "-T", str(seconds)),
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", output)
    assert found, output
    return float(found[1])


def observed(
    cluster: Cluster, store: Store, dsn: str, clients: int, seconds: int, mode: str
) -> float:
    stop = threading.Event()
    settings = load_settings(interval="10s", activity_interval="60s")
    observer = Observer(dsn, store, settings, clock=lambda: datetime.now(UTC), stop=stop)
    observer.connect()
    thread = threading.Thread(target=observer.run)
    thread.start()
    try:
        return transactions_per_second(cluster, clients, seconds, mode)
    finally:
        stop.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=50)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--mode", choices=["tpcb", "select"], default="tpcb")
    arguments = parser.parse_args()
    now = datetime.now(UTC)
    with (
        Cluster.temporary(find_binaries(), settings=_SETTINGS) as cluster,
        Cluster.temporary(embedded_binaries()) as store_cluster,
        open_store(load_settings(database_url=store_cluster.dsn()), now=now, upgrade=True) as store,
    ):
        pgbench(cluster, "-i", "-q", "-s", str(arguments.scale))
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
            conn.execute("create role pgadvisor login")
            conn.execute("grant pg_monitor, pg_read_all_data to pgadvisor")
        dsn = cluster.dsn(user="pgadvisor")
        load = (arguments.clients, arguments.seconds, arguments.mode)
        transactions_per_second(cluster, arguments.clients, 10, arguments.mode)  # warm up
        ratios = []
        for pair in range(arguments.pairs):
            # the order changes, so that a drift of the machine favours neither
            if pair % 2:
                with_it = observed(cluster, store, dsn, *load)
                without = transactions_per_second(cluster, *load)
            else:
                without = transactions_per_second(cluster, *load)
                with_it = observed(cluster, store, dsn, *load)
            ratios.append(with_it / without)
            print(f"without {without:,.0f} tps, with {with_it:,.0f} tps, ratio {ratios[-1]:.4f}")
        print(
            f"median ratio {statistics.median(ratios):.4f} "
            f"(goal at least 0.99), {min(ratios):.4f} to {max(ratios):.4f}"
        )


if __name__ == "__main__":
    main()
