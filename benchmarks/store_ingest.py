"""How many delta rows a second the store takes through `record_snapshot`.

Snapshots of statements that all ran are recorded into a new embedded store (fsync on, as a user
has it), one transaction each: deltas, hours, baseline and the load of databases. They are made
before the clock starts. Three numbers, each the best of the rounds:

- floor      a bare COPY of the same delta rows (as PostgreSQL's text, made before), into a table
             like statement_deltas with its index, one transaction a snapshot; nothing else
- one        one collector, one target after the other snapshot
- two        two collectors in threads of one process, a target each: while one computes, the
             server writes for the other

Usage: python -m benchmarks.store_ingest [--statements 5000] [--snapshots 12] [--rounds 3]
"""

import argparse
import gc
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.made_history import Made, snapshots

from pgadvisor.config import load_settings
from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import COUNTER_NAMES, StatementSnapshot
from pgadvisor.store import Store, open_store
from pgadvisor.store import snapshots as stored
from pgadvisor.store.snapshots import record_snapshot
from pgadvisor.store.targets import register_target

BEGIN = datetime(2026, 3, 2, 10, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
#: what record_snapshot is made of; interval_between is Python alone, the rest waits for the server
PARTS = ("_baseline", "interval_between", "_ids", "_save_counters", "_save_snapshot_row")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--statements", type=int, default=5000)
    parser.add_argument("--snapshots", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.statements} statements, {options.snapshots} snapshots a round")
    with tempfile.TemporaryDirectory(prefix="pgadvisor-ingest-") as directory:
        Path(directory).chmod(0o755)  # the server's account has to come through
        settings = load_settings(data_dir=Path(directory) / "store")
        with open_store(settings, now=BEGIN) as store:
            measure(store, options.statements, options.snapshots, options.rounds)


def measure(store: Store, statements: int, count: int, rounds: int) -> None:
    best: dict[str, float] = {}
    for number in range(rounds):
        made = [
            list(snapshots(Made(statements, seed=10 * number + n), BEGIN, MINUTE, count))
            for n in (0, 1)
        ]
        rows = statements * count
        gc.freeze()  # a collector has one snapshot in memory, not all of these
        times = {
            "floor": floor(store, made[0]),
            "one": one(store, made[0], f"one {number}"),
            "two": two(store, made, f"two {number}"),
        }
        rates = {name: rows * (2 if name == "two" else 1) / took for name, took in times.items()}
        best = {name: max(rate, best.get(name, 0.0)) for name, rate in rates.items()}
    for name, rate in best.items():
        print(f"{name:8} {rate:10,.0f} rows/s   {best['floor'] / rate:5.2f} x the floor's time")
    parts(store, made[1], f"parts {rounds}")


def floor(store: Store, made: list[StatementSnapshot]) -> float:
    texts = [as_copy_text(before, after) for before, after in pairwise(made)]
    with store.transaction() as conn:
        conn.execute("drop table if exists floor")
        conn.execute("create table floor (like statement_deltas)")
        conn.execute("create index on floor (target_id, statement_id, until)")
    began = time.perf_counter()
    for text in texts:
        with store.transaction() as conn, conn.cursor().copy("copy floor from stdin") as copy:
            copy.write(text)
    return time.perf_counter() - began


def as_copy_text(before: StatementSnapshot, after: StatementSnapshot) -> str:
    interval = interval_between(before, after)
    return "".join(
        "\t".join(
            (
                *("1", str(number), str(interval.since), str(interval.until)),
                *(str(getattr(delta.counters, name) or r"\N") for name in COUNTER_NAMES),
            )
        )
        + "\n"
        for number, delta in enumerate(interval.deltas)
    )


def one(store: Store, made: list[StatementSnapshot], name: str) -> float:
    target_id = new_target(store, name)
    record_snapshot(store, target_id, lambda: made[0])
    began = time.perf_counter()
    record_all(store, target_id, made[1:])
    return time.perf_counter() - began


def two(store: Store, made: list[list[StatementSnapshot]], name: str) -> float:
    ids = [new_target(store, f"{name} {number}") for number in range(2)]
    for target_id, own in zip(ids, made, strict=True):
        record_snapshot(store, target_id, lambda own=own: own[0])  # type: ignore[misc]
    threads = [
        threading.Thread(target=record_all, args=[store, target_id, own[1:]])
        for target_id, own in zip(ids, made, strict=True)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def record_all(store: Store, target_id: int, made: list[StatementSnapshot]) -> None:
    for snapshot in made:
        record_snapshot(store, target_id, lambda it=snapshot: it)  # type: ignore[misc]


def new_target(store: Store, name: str) -> int:
    with store.transaction() as conn:
        return register_target(conn, name, "host=made", now=BEGIN)


def parts(store: Store, made: list[StatementSnapshot], name: str) -> None:
    """The time of each part; parts within parts count in both."""
    spent: defaultdict[str, float] = defaultdict(float)

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **given)
            finally:
                spent[part] += time.perf_counter() - began

        return call

    kept = {part: getattr(stored, part) for part in (*PARTS, "save_roll_ups")}
    for part, function in kept.items():
        setattr(stored, part, timed(part, function))
    whole = one(store, made, name)
    for part, function in kept.items():
        setattr(stored, part, function)
    rows = sum(len(snapshot.statements) for snapshot in made[1:])
    print(f"parts of one, microseconds a row; the whole {whole / rows * 1e6:.1f}")
    for part, seconds in spent.items():
        print(f"  {part:24} {seconds / rows * 1e6:6.1f}")


if __name__ == "__main__":
    main()
