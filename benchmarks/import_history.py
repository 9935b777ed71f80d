"""How many rows an hour's or a month's history brings in per second, against two floors.

    python -m benchmarks.import_history [--days 30] [--queries 1000]

Makes a CSV of hourly rows, imports it into an empty store of a cluster of its own with the command
line, and measures beside it what nobody can be faster than: Python's csv module reading the file
and doing nothing, and COPY of the same file into a plain table. Prints the ratios and the peak
memory of the import, and checks that the sums in the store are those of the file.
"""

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from pgadvisor.cluster import Cluster, embedded_binaries

NAMES = ("captured_at", "database", "queryid", "query", "calls", "total_exec_time", "rows",
         "shared_blks_hit", "shared_blks_read")  # fmt: skip
HOUR = timedelta(hours=1)

_IMPORT = """
import sys
from pathlib import Path
from pgadvisor.cli import main
try:
    main()
finally:
    print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


def made(path: Path, days: int, queries: int) -> int:
    """Write the file; returns the sum of its calls."""
    rng = random.Random(7)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    texts = [
        f"select t.a, t.b, count(*) from table_{n} t join other_{n} o on o.id = t.other_id "
        f"where t.c = $1 and o.d between $2 and $3\n  and t.e in ($4, $5) group by 1, 2 limit ${n}"
        for n in range(queries)
    ]
    queryids = [rng.randrange(-(2**63), 2**63) for _ in range(queries)]
    total = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for hour in range(days * 24):
            at = (now - timedelta(days=days) + hour * HOUR).strftime("%Y-%m-%d %H:%M:%S+00")
            for query in range(queries):
                calls = rng.randrange(1, 5000)
                total += calls
                each = rng.random() * 3
                writer.writerow(
                    (at, "shop", queryids[query], texts[query], calls, round(calls * each, 3),
                     calls * 2, calls * 10, calls // 3)
                )  # fmt: skip
    return total


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read_only(path: Path) -> None:
    with path.open(newline="") as file:
        for _ in csv.reader(file):
            pass


def copied(dsn: str, path: Path) -> None:
    with psycopg.connect(dsn) as conn, path.open("rb") as file:
        conn.execute(
            """create table plain (captured_at timestamptz, database text, queryid bigint,
                   query text, calls bigint, total_exec_time float8, rows bigint,
                   shared_blks_hit bigint, shared_blks_read bigint)"""
        )
        with conn.cursor().copy("copy plain from stdin (format csv, header)") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)


def imported(dsn: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, "import-history", str(path)],
        env={"DATABASE_URL": dsn, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.split()[-1]


def migrated(cluster: Cluster) -> str:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database store")
    subprocess.run(
        [sys.executable, "-m", "pgadvisor", "migrate"],
        env={"DATABASE_URL": cluster.dsn("store"), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )
    return cluster.dsn("store")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--queries", type=int, default=1000)
    given = parser.parse_args()
    rows = given.days * 24 * given.queries
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster.temporary(embedded_binaries()) as cluster,
    ):
        path = Path(folder) / "history.csv"
        total = made(path, given.days, given.queries)
        size = path.stat().st_size
        dsn = migrated(cluster)
        floor_csv = seconds(lambda: read_only(path))
        floor_copy = seconds(lambda: copied(dsn, path))
        started = time.perf_counter()
        kilobytes = imported(dsn, path)
        taken = time.perf_counter() - started
        again = seconds(lambda: imported(dsn, path))
        with psycopg.connect(dsn) as conn:
            found = conn.execute("select sum(calls)::bigint from statement_hours").fetchone()
    print(
        f"{rows:,} rows of {given.queries:,} queries over {given.days} days, {size / 1e6:,.0f} MB"
    )
    for name, spent in (
        ("csv module, reading only", floor_csv),
        ("COPY into a plain table", floor_copy),
        ("import-history", taken),
        ("import-history again (all there)", again),
    ):
        print(f"{name:34} {spent:8.1f} s {rows / spent:12,.0f} rows/s")
    print(f"import / csv reading: {taken / floor_csv:.1f}, import / COPY: {taken / floor_copy:.1f}")
    print(f"peak memory of the import: {int(kilobytes) / 1024:,.0f} MB")
    sums_are_right = found is not None and found[0] == total
    print("sums:", "exact" if sums_are_right else f"WRONG: {found} instead of {total}")
    sys.exit(not sums_are_right)


if __name__ == "__main__":
    main()
