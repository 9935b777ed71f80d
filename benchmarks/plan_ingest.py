"""How fast plans of auto_explain come out of a jsonlog file.

A private server explains a set of statements as auto_explain does (analyze, buffers, verbose) and
writes them to its own log. Those lines are repeated with other times, pids and constants, so that
no two are alike. Then the readers take the same file in turn:

- floor      json.loads of each line and json.loads of the plan in it, nothing else
- read_log   what pgadvisor does to read: positions, filters, captures, 4 MiB a call
- stored     the same, and every batch saved to an embedded store: shapes, fingerprints, executions

Usage: python benchmarks/plan_ingest.py [--plans 20000] [--repeat 5]
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries
from pgadvisor.collect.logs import read_log
from pgadvisor.config import load_settings
from pgadvisor.records.log import LogFormat, LogPosition, LogSource
from pgadvisor.records.workload import PlanCapture
from pgadvisor.store import Store, open_store
from pgadvisor.store.plans import save_plans
from pgadvisor.store.targets import register_target

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "compute_query_id": "on",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_timezone": "UTC",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_settings": "on",
}

SCHEMA = """
create table customers (id int primary key, email text, city text);
create table products (id int primary key, name text, price numeric);
create table orders (id int primary key, customer_id int, created_at timestamptz, status text);
create table items (order_id int, product_id int, quantity int, primary key (order_id, product_id));
insert into customers select g, 'c' || g || '@example.org', 'city ' || g % 50
  from generate_series(1, 5000) g;
insert into products select g, 'product ' || g, g % 97 from generate_series(1, 1000) g;
insert into orders select g, 1 + g % 5000, now() - g * interval '1 minute',
  (array['new', 'paid', 'sent'])[1 + g % 3] from generate_series(1, 20000) g;
insert into items select g, 1 + (g * 7) % 1000, 1 + g % 5 from generate_series(1, 20000) g;
analyze;
"""

STATEMENTS = (
    "select * from customers where id = 42",
    "select * from customers where email = 'c42@example.org'",
    "select * from orders where customer_id = 17 order by created_at desc limit 10",
    "select status, count(*) from orders group by status",
    "select c.city, sum(i.quantity * p.price) from customers c "
    "join orders o on o.customer_id = c.id "
    "join items i on i.order_id = o.id join products p on p.id = i.product_id "
    "where o.created_at > now() - interval '7 days' group by c.city order by 2 desc limit 5",
    "select o.id, (select count(*) from items i where i.order_id = o.id) from orders o "
    "where o.status = 'new' and o.id < 200",
    "update orders set status = 'sent' where id between 100 and 110",
    "with t as materialized (select customer_id, max(created_at) m from orders group by 1) "
    "select c.email, t.m from t join customers c on c.id = t.customer_id where c.city = 'city 7'",
)


def real_lines() -> list[str]:
    """What a real server writes for the statements."""
    with Cluster.temporary(find_binaries(), settings=SETTINGS) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute(SCHEMA)
            conn.execute("set auto_explain.log_min_duration = 0")
            for statement in STATEMENTS:
                conn.execute(statement)
        # the server's own end makes sure that its logger has written everything
        cluster.stop()
        logs = sorted(cluster.log_dir.glob("*.json"))
        lines = [line for log in logs for line in log.read_text().splitlines()]
    return [line for line in lines if " ms  plan:" in line]


def write_log(path: Path, lines: list[str], plans: int) -> None:
    """The lines again and again, each time with another pid, time, duration and constant."""
    with path.open("w") as file:
        for number in range(plans):
            entry = json.loads(lines[number % len(lines)])
            at = 1795332632 + number / 50
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
            entry["timestamp"] = f"{moment}.{number % 1000:03} UTC"
            entry["pid"] = 1000 + number % 100
            plan = entry["message"].partition(" ms  plan:")[2].replace("42", str(number))
            entry["message"] = f"duration: {number % 500}.123 ms  plan:{plan}"
            file.write(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n")


def floor(path: Path) -> int:
    """Both parses and nothing else."""
    plans = 0
    with path.open() as file:
        for line in file:
            message = json.loads(line)["message"]
            json.loads(message[message.index("{") :])
            plans += 1
    return plans


def batches(path: Path) -> Iterator[tuple[PlanCapture, ...]]:
    """Batch after batch, as the worker reads them."""
    source = LogSource(path=str(path), format=LogFormat.JSONLOG)
    position: LogPosition | None = None
    while True:
        batch = read_log(source, position)
        yield batch.captures
        position = batch.position
        if batch.at_end:
            return


def ingest(path: Path, save: Callable[[tuple[PlanCapture, ...]], None]) -> int:
    """Read all and give each batch to `save`."""
    plans = 0
    for captures in batches(path):
        save(captures)
        plans += len(captures)
    return plans


def read_only(path: Path) -> int:
    return ingest(path, lambda _: None)


def saver(store: Store) -> Callable[[tuple[PlanCapture, ...]], None]:
    """Saves a batch as the worker does, in one transaction."""
    now = datetime.now(UTC)
    with store.transaction() as conn:
        target_id = register_target(conn, "benchmark", "host=benchmark", now=now)

    def save(captures: tuple[PlanCapture, ...]) -> None:
        with store.transaction() as conn:
            assert save_plans(conn, target_id, captures) == 0

    return save


def measure(readers: dict[str, Callable[[Path], int]], path: Path, repeat: int) -> None:
    """Alternate the readers, so that a busy machine hits all of them."""
    rates: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(repeat):
        for name, reader in readers.items():
            started = time.perf_counter()
            plans = reader(path)
            rates[name].append(plans / (time.perf_counter() - started))
    base = statistics.median(rates["floor"])
    for name, found in rates.items():
        median = statistics.median(found)
        print(
            f"{name:10} {median:10,.0f} plans/s  (from {min(found):,.0f} to {max(found):,.0f}, "
            f"{repeat} runs)  {base / median:.2f} x the floor's time"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    lines = real_lines()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "postgresql.json"
        write_log(path, lines, arguments.plans)
        size = path.stat().st_size
        print(
            f"{arguments.plans:,} plans of {len(lines)} statements, {size / 2**20:.1f} MiB, "
            f"{size / arguments.plans:,.0f} bytes a line"
        )
        with (
            Cluster.temporary(embedded_binaries()) as cluster,
            open_store(
                load_settings(database_url=cluster.dsn()), now=datetime.now(UTC), upgrade=True
            ) as store,
        ):
            save = saver(store)
            readers = {
                "floor": floor,
                "read_log": read_only,
                "stored": lambda path: ingest(path, save),
            }
            measure(readers, path, arguments.repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
