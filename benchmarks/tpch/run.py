"""Times the queries one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import LiteralString

import psycopg

__all__ = ["QueryTime", "apply", "run_queries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTime:
    """One query's runs."""

    name: str
    times_ms: tuple[float, ...]
    #: rows returned; None where no run ended
    rows: int | None
    timed_out: bool

    @property
    def median_ms(self) -> float:
        """The median; for a query that was cut off, the limit, so a lower bound."""
        return median(self.times_ms)


def run_queries(
    dsn: str,
    queries: Mapping[str, LiteralString],
    *,
    runs: int = 3,
    timeout_seconds: float = 300,
    note: Callable[[str], None],
) -> dict[str, QueryTime]:
    """Each query `runs` times in a row on one new connection; one that is cut off, only once."""
    with psycopg.connect(dsn, autocommit=True, application_name="tpch") as conn:
        conn.execute("select set_config('statement_timeout', %s, false)", [f"{timeout_seconds:g}s"])
        found = {}
        for name, text in queries.items():
            found[name] = _run_query(conn, name, text, runs, timeout_seconds)
            sign = ">" if found[name].timed_out else ""
            note(f"{name}: {sign}{found[name].median_ms / 1000:.2f} s")
        return found


def _run_query(
    conn: psycopg.Connection[tuple[object, ...]],
    name: str,
    text: LiteralString,
    runs: int,
    timeout_seconds: float,
) -> QueryTime:
    times: list[float] = []
    rows: int | None = None
    for _ in range(runs):
        began = perf_counter()
        try:
            # no parameters: with some, the % of LIKE patterns would need doubling
            rows = len(conn.execute(text).fetchall())
        except psycopg.errors.QueryCanceled:
            limit = timeout_seconds * 1000
            return QueryTime(name=name, times_ms=(limit,), rows=rows, timed_out=True)
        times.append((perf_counter() - began) * 1000)
    return QueryTime(name=name, times_ms=tuple(times), rows=rows, timed_out=False)


def apply(dsn: str, statements: list[LiteralString]) -> float:
    """Run the statements outside a transaction, then ANALYZE; returns the seconds it took.

    A recommendation may be several statements, one a line.
    """
    began = perf_counter()
    with psycopg.connect(dsn, autocommit=True, application_name="tpch apply") as conn:
        for text in statements:
            for line in filter(None, (part.strip() for part in text.splitlines())):
                if not line.startswith("--"):
                    conn.execute(line)
        conn.execute("vacuum (analyze)")
    return perf_counter() - began
