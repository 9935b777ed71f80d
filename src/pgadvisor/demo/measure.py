"""Times statements of the workload one by one, to be done before and after a change.

The same seed gives the same parameters, so both measurements ask the server the same questions.
"""

import random
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import psycopg

from pgadvisor.demo.connection import connect, execute
from pgadvisor.demo.shop import Progress, ShopSize
from pgadvisor.demo.statements import STATEMENTS, Parameters, Role, Statement, bind
from pgadvisor.demo.stopping import Stopped, stoppable
from pgadvisor.records.statement import QueryId

__all__ = ["Comparison", "Timing", "compare", "measure", "statement_names"]

#: rounds in which the several texts and parameter lengths of a statement are looked for
_SAMPLES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One statement's warm times, in milliseconds, a round each."""

    name: str
    times_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The middle time."""
        return median(self.times_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One statement before and after a change, both measured."""

    name: str
    before: Timing
    after: Timing

    @property
    def improvement_ratio(self) -> float:
        """The share of the median time that went away; negative when it got slower."""
        return 1 - self.after.median_ms / self.before.median_ms


def measure(
    dsn: str,
    size: ShopSize,
    names: Sequence[str],
    *,
    rounds: int = 7,
    seed: int = 1,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Mapping[str, Timing]:
    """Time the statements in turn, `rounds` times each after one round that is not counted.

    They take turns, so that a disturbance of the machine hits all of them alike. Nothing that
    they write stays. Raises `Stopped` within a second of `stop` being set.
    """
    times: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        connections = _connections(stack, dsn, names)
        stack.enter_context(stoppable(stop, *connections.values()))
        turns = [(number, name) for number in range(-1, rounds) for name in times]
        for done, (number, name) in enumerate(turns):
            if stop and stop.is_set():
                raise Stopped("the measurement was stopped")
            if progress:
                progress(f"measure {name}", done / len(turns))
            statement = STATEMENTS[name]
            rng = random.Random(f"{seed}:{name}:{max(number, 0)}")
            elapsed = _time_once(connections[statement.role], statement, rng, size)
            if number >= 0:
                times[name].append(elapsed)
    return {name: Timing(name=name, times_ms=tuple(each)) for name, each in times.items()}


def compare(before: Mapping[str, Timing], after: Mapping[str, Timing]) -> tuple[Comparison, ...]:
    """The statements that were measured both times, the greatest gain in time first.

    >>> slow = {"s": Timing(name="s", times_ms=(8.0, 10.0, 12.0))}
    >>> fast = {"s": Timing(name="s", times_ms=(1.0, 1.0, 1.0))}
    >>> compare(slow, fast)[0].improvement_ratio
    0.9
    """
    both = (
        Comparison(name=name, before=timing, after=after[name])
        for name, timing in before.items()
        if name in after
    )
    return tuple(sorted(both, key=lambda c: c.after.median_ms - c.before.median_ms))


def statement_names(dsn: str, size: ShopSize, *, seed: int = 1) -> Mapping[QueryId, str]:
    """Which statement of the workload a queryid of the target belongs to.

    PostgreSQL itself is asked (EXPLAIN VERBOSE, 14 and newer), with the parameters sent as the
    clients send them: the id depends on that. IN lists of several lengths have several ids.
    `dsn` is a superuser's, so that the asking stays out of pg_stat_statements.
    """
    found: dict[QueryId, str] = {}
    with ExitStack() as stack:
        connections = _connections(stack, dsn, tuple(STATEMENTS), as_role=False)
        for conn in connections.values():
            conn.execute("set pg_stat_statements.track = 'none'")
        for statement in STATEMENTS.values():
            rng = random.Random(f"{seed}:{statement.name}")
            for _ in range(_SAMPLES):
                parameters = statement.draw(rng, size)
                queryid = _queryid(connections[statement.role], statement, parameters)
                if queryid is not None:
                    found[queryid] = statement.name
    return found


def _connections(
    stack: ExitStack, dsn: str, names: Sequence[str], *, as_role: bool = True
) -> dict[Role, psycopg.Connection[Any]]:
    roles = sorted({STATEMENTS[name].role for name in names})
    return {
        role: stack.enter_context(connect(dsn, role, "shop measure", as_role=as_role))
        for role in roles
    }


def _time_once(
    conn: psycopg.Connection[Any], statement: Statement, rng: random.Random, size: ShopSize
) -> float:
    """Milliseconds from sending to the last row, in a transaction that is rolled back."""
    with conn.transaction(force_rollback=True):
        parameters = _parameters(conn, statement, rng, size)
        began = perf_counter()
        execute(conn, statement, parameters)
        return (perf_counter() - began) * 1000


def _parameters(
    conn: psycopg.Connection[Any], statement: Statement, rng: random.Random, size: ShopSize
) -> Parameters:
    """Drawn ones; a child whose parent writes needs the row that the parent has just made."""
    parent = next((s for s in STATEMENTS.values() if s.each == statement.name), None)
    if parent and parent.sql.startswith("insert"):
        made: Parameters = execute(conn, parent, parent.draw(rng, size))[0]
        return made
    return statement.draw(rng, size)


def _queryid(
    conn: psycopg.Connection[Any], statement: Statement, parameters: Parameters
) -> QueryId | None:
    text, bound = bind(statement, parameters)
    row = conn.execute("explain (verbose, format json) " + text, bound or None).fetchone()
    identifier = row[0][0].get("Query Identifier") if row else None
    return QueryId(identifier) if identifier is not None else None
