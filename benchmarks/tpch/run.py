"""Times the queries under several configurations, in turn.

All indexes of all configurations exist at once; before each run those of the other configurations
are hidden from the planner by marking them invalid in pg_index. So the configurations share one
set of statistics and one cache, and a disturbance of the machine hits them alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, LiteralString

import psycopg

__all__ = ["Configuration", "QueryTime", "create", "run_queries", "run_query"]

Note = Callable[[str], None]
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A set of indexes that exist, and of settings with the statements that undo them."""

    name: str
    indexes: tuple[str, ...] = ()
    settings: tuple[tuple[LiteralString, LiteralString], ...] = ()
    create_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTime:
    """One query's runs under one configuration."""

    times_ms: tuple[float, ...]
    #: rows returned; None where the run was cut off
    rows: int | None
    timed_out: bool = False

    @property
    def median_ms(self) -> float:
        """The median; for a query that was cut off, the limit, so a lower bound."""
        return median(self.times_ms)


def create(
    dsn: str, name: str, statements: Sequence[tuple[LiteralString, LiteralString]]
) -> Configuration:
    """Build what the statements (each with its undo) ask for; settings are only noted.

    A statement may be several, one a line.
    """
    settings = []
    began = perf_counter()
    with psycopg.connect(dsn, autocommit=True, application_name="tpch apply") as conn:
        before = _added_indexes(conn)
        for text, undo in statements:
            if text.lstrip().lower().startswith("create "):
                _run_lines(conn, text)
            else:
                settings.append((text, undo))
        added = _added_indexes(conn) - before
    return Configuration(
        name=name,
        indexes=tuple(sorted(added)),
        settings=tuple(settings),
        create_seconds=perf_counter() - began,
    )


def run_queries(
    dsn: str,
    queries: Mapping[str, LiteralString],
    configurations: Sequence[Configuration],
    *,
    runs: int,
    timeout_seconds: float,
    note: Note,
) -> dict[str, dict[str, QueryTime]]:
    """By configuration and query: `runs` runs, the configurations taking turns."""
    found: dict[str, dict[str, QueryTime]] = {one.name: {} for one in configurations}
    for name, text in queries.items():
        times: dict[str, QueryTime] = {}
        for _ in range(runs):
            for one in configurations:
                earlier = times.get(one.name)
                if earlier and earlier.timed_out:
                    continue
                latest = _run_under(dsn, one, text, timeout_seconds)
                times[one.name] = _joined(earlier, latest)
        for configuration, time in times.items():
            found[configuration][name] = time
        note(f"{name}: " + ", ".join(f"{c} {_words(t)}" for c, t in times.items()))
    return found


def run_query(
    conn: psycopg.Connection[Any], text: LiteralString, timeout_seconds: float
) -> QueryTime:
    """One run, to the last row."""
    timeout = f"{timeout_seconds:g}s"
    conn.execute("select set_config('statement_timeout', %s, false)", [timeout])
    began = perf_counter()
    try:
        # no parameters: with some, the % of LIKE patterns would need doubling
        rows = len(conn.execute(text).fetchall())
    except psycopg.errors.QueryCanceled:
        return QueryTime(times_ms=(timeout_seconds * 1000,), rows=None, timed_out=True)
    return QueryTime(times_ms=((perf_counter() - began) * 1000,), rows=rows)


def _run_under(
    dsn: str, configuration: Configuration, text: LiteralString, timeout_seconds: float
) -> QueryTime:
    """Show the configuration's indexes alone, apply its settings, run, undo the settings."""
    with psycopg.connect(dsn, autocommit=True, application_name="tpch apply") as admin:
        admin.execute(_read("show_indexes.sql"), {"names": list(configuration.indexes)})
        for statement, _ in configuration.settings:
            _run_lines(admin, statement)
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="tpch") as conn:
                return run_query(conn, text, timeout_seconds)
        finally:
            for _, undo in configuration.settings:
                _run_lines(admin, undo)


def _joined(earlier: QueryTime | None, latest: QueryTime) -> QueryTime:
    if earlier is None or latest.timed_out:
        return latest
    if earlier.rows != latest.rows:
        raise SystemExit(f"the number of rows changed from {earlier.rows} to {latest.rows}")
    return QueryTime(times_ms=(*earlier.times_ms, *latest.times_ms), rows=latest.rows)


def _added_indexes(conn: psycopg.Connection[Any]) -> set[str]:
    return {name for name, _ in conn.execute(_read("added_indexes.sql"))}


def _run_lines(conn: psycopg.Connection[Any], text: str) -> None:
    for line in filter(None, (part.strip() for part in text.splitlines())):
        if not line.startswith("--"):
            conn.execute(line)


def _words(time: QueryTime) -> str:
    return ("over " if time.timed_out else "") + f"{time.median_ms / 1000:.2f} s"


def _read(name: str) -> LiteralString:
    return (_HERE / name).read_text()
