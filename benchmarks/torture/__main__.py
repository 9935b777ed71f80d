"""Two targets under load, everything goes wrong, and then the history is held against the truth.

    .venv/bin/python -m benchmarks.torture --for 30m --seed 1

Resets, evictions, restarts and crashes of the targets, cuts of every wire, restarts and crashes
of the store, workers killed, frozen and stopped, the clock of one target set (with libfaketime,
`apt-get install faketime`). The clients keep the truth. Exits with 1 when the history is wrong
anywhere that no gap marks.
"""

import argparse
import sys
import threading
import time
from datetime import UTC, datetime
from statistics import median

import psycopg
from benchmarks.torture.chaos import Chaos
from benchmarks.torture.check import Verdict, check_history
from benchmarks.torture.watch import Watcher
from benchmarks.torture.world import FAKETIME, World

from pgadvisor.config import duration

_STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _STARTED:7.1f} s  {text}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.torture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--for", dest="length", type=duration, default=duration("30m"))
    parser.add_argument("--interval", default="10s")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=2, help="a database; there are two a target")
    parser.add_argument("--pause", type=float, default=0.03, help="seconds between two rounds")
    parser.add_argument("--events-every", type=float, default=12.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="events whose name holds this text")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    world = World(
        seed=options.seed, interval=options.interval, clients=options.clients, pause=options.pause
    )
    try:
        return run(world, options)
    finally:
        world.close()


def run(world: World, options: argparse.Namespace) -> int:
    say("starting servers" + ("" if FAKETIME.exists() else "; no libfaketime, so no clock jumps"))
    world.start()
    for number in range(options.workers):
        world.start_worker(f"worker-{number}")
    wait_for_first_readings(world)
    say("first readings are there; load begins")
    stop = threading.Event()
    chaos = Chaos(
        world,
        seed=options.seed,
        pause=options.events_every,
        stop=stop,
        say=say,
        only=options.only,
    )
    watcher = Watcher(world, stop)
    for target in world.targets:
        target.load.start()
    watcher.start()
    deadline = time.monotonic() + options.length.total_seconds()
    timer = threading.Timer(options.length.total_seconds(), stop.set)
    timer.daemon = True
    timer.start()
    chaos.run()
    say(f"{sum(chaos.happened.values())} events in {time.monotonic() - deadline:+.0f} s of the end")
    for target in world.targets:
        target.load.stop()
    ended = datetime.now(UTC)
    wait_for_last_readings(world, ended)
    return report(world, chaos, watcher)


def connected(world: World) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(world.store.dsn(), autocommit=True)


def wait_for_first_readings(world: World) -> None:
    """Both targets have a baseline, and their log a position."""
    query = """
        select count(*) from targets t
        where exists (select from snapshots s where s.target_id = t.id)
          and exists (select from log_positions p where p.target_id = t.id)
    """
    wait_until(world, query, [], len(world.targets), 120)


def wait_for_last_readings(world: World, ended: datetime) -> None:
    """Both targets were read twice after the load ended; the log goes before the counters."""
    with connected(world) as conn:
        rows = conn.execute("select target_id, max(id) from snapshots group by 1").fetchall()
    for target_id, last in rows:
        query = "select least(count(*), 3) from snapshots where target_id = %s and id > %s"
        wait_until(world, query, [target_id, last], 3, 240)
    say(f"last readings, {(datetime.now(UTC) - ended).total_seconds():.0f} s after the load")


def wait_until(world: World, query: str, parameters: list[object], goal: int, most: float) -> None:
    deadline = time.monotonic() + most
    with connected(world) as conn:
        while True:
            row = conn.execute(query, parameters).fetchone()
            if row is not None and row[0] == goal:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{query.strip()}: {row} after {most} s, expected {goal}")
            time.sleep(0.25)


def report(world: World, chaos: Chaos, watcher: Watcher) -> int:
    print("\nevents: " + ", ".join(f"{n} x {name}" for name, n in chaos.happened.most_common()))
    with connected(world) as conn:
        verdicts = [check_history(conn, target) for target in world.targets]
    for verdict in verdicts:
        print_verdict(verdict)
    problems = [line for verdict in verdicts for line in verdict.wrong]
    print_watched(watcher)
    for target_name, counts in watcher.connections.items():
        if target_name != "store" and max(counts) > 3:
            problems.append(f"{max(counts)} connections on target {target_name}, allowed are 3")
    print("\nright" if not problems else f"\nWRONG: {len(problems)} findings")
    return 1 if problems else 0


def print_verdict(verdict: Verdict) -> None:
    print(
        f"\ntarget {verdict.target}: {verdict.intervals} intervals, {verdict.clean} without a gap;"
        f" gaps: {', '.join(f'{n} {reason}' for reason, n in sorted(verdict.gaps.items()))}"
        f"\n  calls in intervals without a gap: {verdict.stored:,} stored,"
        f" truth {verdict.fewest:,} to {verdict.most:,}"
        f"\n  calls in all: {verdict.stored_in_all:,} stored of {verdict.most_in_all:,}"
        f"\n  executions from the log: {verdict.logged:,},"
        f" truth {verdict.logged_fewest:,} to {verdict.logged_most:,}"
    )
    for line in verdict.wrong:
        print(f"  WRONG {line}")


def print_watched(watcher: Watcher) -> None:
    print("\nmemory of the workers that lived longest, MiB (median of each third, maximum):")
    for pid, sizes in sorted(watcher.memory.items(), key=lambda item: -len(item[1]))[:4]:
        third = max(len(sizes) // 3, 1)
        parts = [sizes[:third], sizes[third : 2 * third], sizes[2 * third :]]
        middles = ", ".join(f"{median(part):.0f}" for part in parts if part)
        print(f"  process {pid}: {middles}; {max(sizes):.0f} over {len(sizes) * 3} s")
    print("connections of ours (median, maximum):")
    for name, counts in sorted(watcher.connections.items()):
        print(f"  {name}: {median(counts):.0f}, {max(counts)}")


if __name__ == "__main__":
    sys.exit(main())
