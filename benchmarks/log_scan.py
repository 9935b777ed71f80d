"""How fast a server log is scanned, and how much memory that takes.

A private server writes one log in all formats: sessions that come and go, errors, checkpoints,
slow statements, plans of auto_explain. Its entries are repeated with other times in the shares
below, so that a log of any size is as a real one is: most of it says nothing of an execution.
Then the readers take the same file in turn:

- floor    the file read in pieces of 4 MiB and its newlines counted, nothing else
- scanned  what pgadvisor does: positions, entries, plans and statements, 4 MiB a call

The second log has a statement in each entry, as log_min_duration_statement = 0 makes it. The last
entry of stderr counts with the next reading. Memory is what a process of its own grows by from its
first piece on.

Usage: python benchmarks/log_scan.py [--megabytes 64] [--large 512] [--repeat 3]
"""

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.collect.logs import MAX_BYTES, read_log
from pgadvisor.records.log import LogFormat, LogPosition, LogSource

PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "
SETTINGS = {
    "shared_preload_libraries": "auto_explain",
    "compute_query_id": "on",
    "logging_collector": "on",
    "log_destination": "jsonlog,csvlog,stderr",
    "log_line_prefix": PREFIX,
    "log_timezone": "UTC",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_autovacuum_min_duration": "0",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
}
SCHEMA = """
create table customers (id int primary key, email text, city text);
create table orders (id int primary key, customer_id int, created_at timestamptz, status text);
insert into customers select g, 'c' || g || '@example.org', 'city ' || g % 50
  from generate_series(1, 2000) g;
insert into orders select g, 1 + g % 2000, now() - g * interval '1 minute',
  (array['new', 'paid', 'sent'])[1 + g % 3] from generate_series(1, 8000) g;
vacuum analyze
"""
STATEMENTS = (
    ("select * from customers where email = %s", ("c42@example.org",)),
    (
        "select c.city, count(*), max(o.created_at)\nfrom customers c\n"
        "\tjoin orders o on o.customer_id = c.id\nwhere o.status = %s\ngroup by c.city order by 2",
        ("paid",),
    ),
    ("update orders set status = 'sent' where id between %s and %s", (100, 110)),
    ("select * from orders where customer_id = 17 order by created_at desc limit 10", None),
    ("select status, count(*) from orders group by status", None),
)
ERRORS = (
    "select 1/0",
    "insert into customers values (1, 'a', 'b')",
    "select no_such_column from customers where email = 'somebody@example.org'",
    "select * from no_such_table join customers using (id) where city like 'city 4%'",
)
#: of the entries of a log; a plan is some 20 times as long as another entry
SHARES = {"other": 0.97, "statement": 0.025, "plan": 0.005}
_SUFFIXES = {LogFormat.STDERR: ".log", LogFormat.CSVLOG: ".csv", LogFormat.JSONLOG: ".json"}
#: the time that an entry begins with
_MOMENT = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
_MOMENT_BYTES = 23
_BEGIN = re.compile(rb'^(?:\{"timestamp":")?' + _MOMENT + b" UTC", re.MULTILINE)
_SECONDARY = re.compile(rb"^[^\n]{0,200}? (?:DETAIL|CONTEXT|STATEMENT|HINT|QUERY):  ")

Entries = dict[str, list[bytes]]


def real_entries() -> dict[LogFormat, Entries]:
    """What a real server writes, by format and by what it tells."""
    with Cluster.temporary(find_binaries(), settings=SETTINGS) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            for statement in SCHEMA.split(";\n"):
                conn.execute(statement.encode())
        for _ in range(20):
            with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
                for error in ERRORS:
                    try:
                        conn.execute(error.encode())
                    except psycopg.Error:
                        continue
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("checkpoint")
            for name in ("log_min_duration_statement", "auto_explain.log_min_duration"):
                conn.execute("select set_config(%s, '0', false)", (name,))
                for statement, values in STATEMENTS:
                    conn.execute(statement.encode(), values)
                conn.execute("select set_config(%s, '-1', false)", (name,))
        # the server's own end makes sure that its logger has written everything
        cluster.stop()
        return {
            format_: by_kind(written(cluster.log_dir, end)) for format_, end in _SUFFIXES.items()
        }


def written(directory: Path, suffix: str) -> bytes:
    """All that a server wrote in a format."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob(f"*{suffix}")))


def by_kind(data: bytes) -> Entries:
    """The entries of a log, each with the lines behind it."""
    found: Entries = {"other": [], "statement": [], "plan": []}
    starts = [match.start() for match in _BEGIN.finditer(data)]
    parts = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    whole: list[bytes] = []
    for part in parts:
        if whole and _SECONDARY.match(part) and not part.startswith(b"{"):
            whole[-1] += part
        else:
            whole.append(part)
    for entry in whole:
        is_execution = b" ms  statement: " in entry or b" ms  execute " in entry
        kind = "plan" if b" ms  plan:" in entry else "statement" if is_execution else "other"
        found[kind].append(entry)
    return found


def write_log(path: Path, entries: Entries, shares: dict[str, float], size: int) -> int:
    """Entries in their shares up to a size, each with a time of its own; the number of them."""
    draw = random.Random(7)
    kinds, weights = list(shares), list(shares.values())
    at = datetime(2026, 11, 22, tzinfo=UTC)
    written = count = 0
    with path.open("wb") as file:
        while written < size:
            for kind in draw.choices(kinds, weights, k=1000):
                at += timedelta(milliseconds=7)
                entry = draw.choice(entries[kind])
                moment = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:_MOMENT_BYTES].encode()
                begin = entry.index(b"20", 0, 20)
                written += file.write(entry[:begin] + moment + entry[begin + len(moment) :])
                count += 1
    return count


def floor(path: Path, format_: LogFormat) -> tuple[int, int]:
    """Bytes and lines, nothing else."""
    lines = 0
    with path.open("rb", buffering=0) as file:
        while piece := file.read(MAX_BYTES):
            lines += piece.count(b"\n")
    return 0, lines


def scanned(path: Path, format_: LogFormat) -> tuple[int, int]:
    """Statements and plans, batch after batch, as the worker reads them."""
    source = LogSource(path=str(path), format=format_, line_prefix=PREFIX)
    position: LogPosition | None = None
    statements = plans = 0
    while True:
        batch = read_log(source, position)
        statements, plans = statements + len(batch.statements), plans + len(batch.captures)
        assert not batch.skipped, batch.skipped
        position = batch.position
        if batch.at_end:
            return statements, plans


Reader = Callable[[Path, LogFormat], tuple[int, int]]


def measure(path: Path, format_: LogFormat, repeat: int) -> None:
    """Alternate the readers, so that a busy machine hits both; CPU time is hit less."""
    readers: dict[str, Reader] = {"floor": floor, "scanned": scanned}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    cpu: dict[str, list[float]] = {name: [] for name in readers}
    found = (0, 0)
    for _ in range(repeat):
        for name, reader in readers.items():
            started, started_cpu = time.perf_counter(), time.process_time()
            found = reader(path, format_)
            seconds[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - started_cpu)
    size = path.stat().st_size / 1e6
    base = statistics.median(seconds["floor"])
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(
            f"  {name:8} {size / median:8,.0f} MB/s  (from {size / max(taken):,.0f} to "
            f"{size / min(taken):,.0f}, {repeat} runs)  {median / base:.1f} x the floor's time  "
            f"{size / statistics.median(cpu[name]):,.0f} MB a second of CPU time"
        )
    records, median = sum(found), statistics.median(seconds["scanned"])
    print(
        f"  {found[0]:,} statements, {found[1]:,} plans: {records / median:,.0f} records/s, "
        f"{records / statistics.median(cpu['scanned']):,.0f} a second of CPU time"
    )


def peak_mib() -> float:
    """The most memory of this process: getrusage would count its parent's, too (exec in Linux)."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def grown(path: Path, format_: LogFormat) -> None:
    """What this process grew by, in MiB: printed for `memory`."""
    read_log(LogSource(path=str(path), format=format_, line_prefix=PREFIX))
    before = peak_mib()
    scanned(path, format_)
    print(peak_mib() - before, peak_mib())


def memory(path: Path, format_: LogFormat) -> str:
    """Growth and peak of a process that scans a log."""
    command = [sys.executable, __file__, "--grown", str(path), "--format", format_.value]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    growth, peak = map(float, printed.split())
    return f"{growth:.0f} MiB more than after the first piece, peak {peak:.0f} MiB"


def run(sizes: Sequence[int], repeat: int) -> None:
    entries = real_entries()
    with tempfile.TemporaryDirectory() as directory:
        for format_ in (LogFormat.STDERR, LogFormat.CSVLOG, LogFormat.JSONLOG):
            path = Path(directory) / f"log{_SUFFIXES[format_]}"
            for size in sizes:
                count = write_log(path, entries[format_], SHARES, size * 10**6)
                print(f"{format_.value}, {size} MB, {count:,} entries")
                if size == sizes[0]:
                    measure(path, format_, repeat)
                print(f"  memory: {memory(path, format_)}")
            count = write_log(path, entries[format_], {"statement": 1.0}, sizes[0] * 10**6)
            print(f"{format_.value}, {sizes[0]} MB, a statement in each of {count:,} entries")
            measure(path, format_, repeat)
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--large", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--grown", type=Path, help=argparse.SUPPRESS)
    parser.add_argument(
        "--format", type=LogFormat, default=LogFormat.STDERR, help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.grown is not None:
        grown(arguments.grown, LogFormat(arguments.format))
    else:
        run((arguments.megabytes, arguments.large), arguments.repeat)


if __name__ == "__main__":
    main()
