"""Runs the demo's workload: several clients at once, each deterministic by its seed.

A client picks statements by weight and draws their parameters from its own generator, which no
answer of the server touches: the same seed gives the same sequence, on any machine.
"""

import random
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from statistics import fmean, median
from time import monotonic, perf_counter
from typing import Any

import psycopg

from pgadvisor.demo.connection import connect, execute
from pgadvisor.demo.shop import Progress, ShopSize
from pgadvisor.demo.statements import STATEMENTS, Parameters, Role, Statement, statements_of
from pgadvisor.demo.stopping import TICK, cancel
from pgadvisor.errors import AdvisorError, TargetUnreachable

__all__ = [
    "DEFAULT_CLIENTS",
    "Latency",
    "WorkloadFailed",
    "WorkloadResult",
    "picks",
    "run_workload",
]

#: Three clients for the pages and one for the reports.
DEFAULT_CLIENTS: tuple[Role, ...] = ("shop_web", "shop_web", "shop_web", "shop_report")


class WorkloadFailed(AdvisorError):
    """A statement of the workload was refused by the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What the clients measured for one statement, sending to last row, in milliseconds."""

    name: str
    calls: int
    mean_ms: float
    median_ms: float
    p95_ms: float
    max_ms: float

    @property
    def total_ms(self) -> float:
        """The time all calls took together."""
        return self.calls * self.mean_ms

    @classmethod
    def of(cls, name: str, times_ms: Sequence[float]) -> "Latency":
        """The summary of at least one time.

        >>> Latency.of("s", [1.0, 2.0, 6.0]).median_ms
        2.0
        """
        ordered = sorted(times_ms)
        # nearest rank: the smallest time that 95 of 100 calls did not exceed
        p95 = ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]
        return cls(
            name=name,
            calls=len(ordered),
            mean_ms=fmean(ordered),
            median_ms=median(ordered),
            p95_ms=p95,
            max_ms=ordered[-1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadResult:
    """What a run of the workload did."""

    seconds: float
    #: by name, the one that took most time first
    latencies: Mapping[str, Latency]
    #: True when it was stopped before its time or its number of statements
    stopped: bool

    @property
    def calls(self) -> int:
        """Statements that were answered, children included."""
        return sum(latency.calls for latency in self.latencies.values())


@dataclass(slots=True)
class _Run:
    """What the clients of one run share."""

    size: ShopSize
    deadline: float
    statements: int | None
    halt: threading.Event = field(default_factory=threading.Event)
    connections: list[psycopg.Connection[Any]] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)

    def goes_on(self, done: int) -> bool:
        if self.halt.is_set() or monotonic() >= self.deadline:
            return False
        return self.statements is None or done < self.statements


def picks(role: Role, size: ShopSize, seed: str) -> Iterator[tuple[Statement, Parameters]]:
    """The endless sequence of statements and parameters of one client."""
    rng = random.Random(seed)
    choices = statements_of(role)
    weights = [statement.weight for statement in choices]
    while True:
        statement = rng.choices(choices, weights)[0]
        yield statement, statement.draw(rng, size)


def run_workload(
    dsn: str,
    size: ShopSize,
    *,
    seconds: float | None = None,
    statements: int | None = None,
    clients: Sequence[Role] = DEFAULT_CLIENTS,
    seed: int = 1,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> WorkloadResult:
    """Run the clients for a time, or until each has sent a number of statements.

    `statements` counts what a client picks; the rows of an N+1 parent add their children. Ends
    within a second of `stop` being set, by cancelling what is under way. Raises
    `WorkloadFailed` with the statement's name, or `TargetUnreachable`, as soon as one client
    fails, after ending the others.
    """
    if seconds is None and statements is None:
        raise ValueError("give seconds, statements or both")
    started = monotonic()
    deadline = started + seconds if seconds is not None else float("inf")
    run = _Run(size, deadline, statements, finished=[0] * len(clients))
    with ThreadPoolExecutor(len(clients), thread_name_prefix="shop") as pool:
        futures = [
            pool.submit(_client, run, dsn, role, number, f"{seed}:{number}:{role}")
            for number, role in enumerate(clients)
        ]
        try:
            stopped = _watch(run, futures, started, stop, progress)
        finally:
            _end(run, futures)
    times: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for future in futures:
        for name, client_times in future.result().items():
            times[name].extend(client_times)
    latencies = sorted(
        (Latency.of(name, each) for name, each in times.items()), key=lambda one: -one.total_ms
    )
    return WorkloadResult(
        seconds=monotonic() - started,
        latencies={latency.name: latency for latency in latencies},
        stopped=stopped,
    )


_Times = dict[str, "array[float]"]


def _watch(
    run: _Run,
    futures: Sequence[Future[_Times]],
    started: float,
    stop: threading.Event | None,
    progress: Progress | None,
) -> bool:
    """Wait for the clients; True when the caller stopped them. A client's error is raised."""
    while True:
        done, pending = wait(futures, timeout=TICK, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        if not pending:
            return False
        if stop and stop.is_set():
            return True
        if progress:
            sent = sum(run.finished)
            progress(f"workload: {sent:,} statements", _done_ratio(run, sent, started))


def _done_ratio(run: _Run, sent: int, started: float) -> float:
    by_time = (monotonic() - started) / (run.deadline - started)
    by_count = sent / (run.statements * len(run.finished)) if run.statements else 0.0
    return min(1.0, max(by_time, by_count))


def _end(run: _Run, futures: Sequence[Future[_Times]]) -> None:
    """End every client, cancelling its statement; repeated, since one may just be sending."""
    run.halt.set()
    while wait(futures, timeout=TICK).not_done:
        for conn in run.connections:
            cancel(conn)


def _client(run: _Run, dsn: str, role: Role, number: int, seed: str) -> _Times:
    """One client's life; returns its times by statement."""
    times: _Times = defaultdict(lambda: array("d"))
    with connect(dsn, role, f"{role} {number}") as conn:
        run.connections.append(conn)
        for statement, parameters in picks(role, run.size, seed):
            if not run.goes_on(run.finished[number]):
                break
            try:
                _send(run, conn, statement, parameters, times)
            except psycopg.errors.QueryCanceled:
                if run.halt.is_set():
                    break
                raise
            run.finished[number] += 1
    return times


def _send(
    run: _Run,
    conn: psycopg.Connection[Any],
    statement: Statement,
    parameters: Parameters,
    times: _Times,
) -> None:
    """Run a statement, note its time, then run its child once a row."""
    began = perf_counter()
    try:
        rows = execute(conn, statement, parameters)
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error as exc:
        raise _failure(conn, statement, exc) from exc
    times[statement.name].append((perf_counter() - began) * 1000)
    if statement.each:
        for row in rows:
            if run.halt.is_set():
                return
            _send(run, conn, STATEMENTS[statement.each], row, times)


def _failure(
    conn: psycopg.Connection[Any], statement: Statement, exc: psycopg.Error
) -> AdvisorError:
    message = f"statement {statement.name} of the demo failed: {str(exc).splitlines()[0]}"
    if conn.broken:
        return TargetUnreachable(
            message, hint="The demo's server was stopped; start `pgadvisor demo` again."
        )
    return WorkloadFailed(
        message, hint="Build the demo's database anew: `pgadvisor demo` starts with a fresh one."
    )
