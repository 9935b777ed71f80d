"""Spans of the window that the history does not know, or knows less well."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pgadvisor.store.connection import Connection
from pgadvisor.store.quality.item import QualityItem, Scope, Severity
from pgadvisor.store.quality.targets import command
from pgadvisor.store.queries import load

__all__ = ["span_items"]

#: of the window that may be uncovered before it is worth a line
_LITTLE = 0.01
#: sweeps a day from which rare statements are lost for good
_MANY_SWEEPS = 2.0
_DEFAULT_MAX = 5000

_RESTART = "-- then restart the server"
#: reason of a gap to what mends it, and what takes that back
_REMEDIES: dict[str, tuple[str, str]] = {
    "reset": (
        "-- who may reset them; look for a job that does\n"
        "SELECT p.oid::regprocedure, p.proacl FROM pg_proc p "
        "WHERE p.proname = 'pg_stat_statements_reset';",
        "",
    ),
    "restart": (
        f"ALTER SYSTEM SET pg_stat_statements.save = on; {_RESTART}",
        "ALTER SYSTEM RESET pg_stat_statements.save;",
    ),
}
_GAP_WORDS = {
    "reset": "the counters of entries were reset",
    "eviction": "entries were evicted",
    "restart": "the server lost its entries in a restart",
    "other_cluster": "another server answered under the name, with other entries",
    "first_sight": "entries became visible, or the extension was updated",
    "clock": "the clock was set back",
}
_HARMLESS = {"clock", "first_sight"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gaps:
    target: str
    reason: str
    count: int
    statements: int
    first_at: datetime
    last_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Readings:
    target: str
    late: int
    longest_seconds: float | None
    first_late_at: datetime | None
    last_late_at: datetime | None
    evictions: int
    first_evicted_at: datetime | None
    last_evicted_at: datetime | None
    pgss_max: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    target: str
    paused_at: datetime | None
    since: datetime
    expected_seconds: float
    covered_seconds: float
    last_hour: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    target: str
    database_name: str
    source: str
    count: int
    rows_read: int
    first_at: datetime
    last_at: datetime


def span_items(conn: Connection, scope: Scope) -> Iterator[QualityItem]:
    """Gaps, evictions, late readings, time that nobody observed, and what was imported."""
    place: dict[str, Any] = {
        "since": scope.since,
        "until": scope.until,
        "now": scope.now,
        "target": scope.target,
        "database": scope.database,
        "interval": scope.interval.total_seconds(),
    }
    with conn.cursor(row_factory=class_row(_Readings)) as readings_cursor:
        readings = readings_cursor.execute(load("quality_readings"), place).fetchall()
    limits = {one.target: one.pgss_max for one in readings}
    with conn.cursor(row_factory=class_row(_Gaps)) as gaps_cursor:
        for gaps in gaps_cursor.execute(load("quality_gaps"), place):
            yield _gap_item(gaps, scope, limits.get(gaps.target))
    for reading in readings:
        yield from _reading_items(reading, scope)
    with conn.cursor(row_factory=class_row(_Coverage)) as coverage_cursor:
        for coverage in coverage_cursor.execute(load("quality_coverage"), place):
            yield from _coverage_items(coverage, scope)
    with conn.cursor(row_factory=class_row(_Import)) as import_cursor:
        for one in import_cursor.execute(load("quality_imports"), place):
            yield _import_item(one)


def _gap_item(gaps: _Gaps, scope: Scope, pgss_max: int | None) -> QualityItem:
    remedy, undo = _REMEDIES.get(gaps.reason, ("", ""))
    if gaps.reason == "eviction":
        remedy, undo = _larger(pgss_max)
    entries = f" ({gaps.statements:,} in all)" if gaps.statements else ""
    span = (min(scope.now, scope.until) - scope.since).total_seconds()
    return QualityItem(
        name=f"gap-{gaps.reason}",
        severity=Severity.INFO if gaps.reason in _HARMLESS else Severity.WARNING,
        target=gaps.target,
        message=f"{_GAP_WORDS.get(gaps.reason, gaps.reason)}{entries}",
        count=gaps.count,
        per_day=gaps.count / scope.days,
        since=gaps.first_at,
        last_at=gaps.last_at,
        share_ratio=min(gaps.seconds / span, 1.0),
        share_of="the window lies in such intervals",
        remedy=remedy,
        undo=undo,
    )


def _larger(pgss_max: int | None) -> tuple[str, str]:
    wanted = max(10_000, 2 * (pgss_max or _DEFAULT_MAX))
    return (
        f"ALTER SYSTEM SET pg_stat_statements.max = {wanted}; {_RESTART}",
        f"ALTER SYSTEM SET pg_stat_statements.max = {pgss_max}; {_RESTART}"
        if pgss_max
        else f"ALTER SYSTEM RESET pg_stat_statements.max; {_RESTART}",
    )


def _reading_items(reading: _Readings, scope: Scope) -> Iterator[QualityItem]:
    if reading.evictions:
        per_day = reading.evictions / scope.days
        remedy, undo = _larger(reading.pgss_max)
        limit = f" (pg_stat_statements.max = {reading.pgss_max:,})" if reading.pgss_max else ""
        yield QualityItem(
            name="evictions",
            severity=Severity.WARNING if per_day > _MANY_SWEEPS else Severity.INFO,
            target=reading.target,
            message=f"pg_stat_statements is too small{limit}: {per_day:,.1f} sweeps a day",
            count=reading.evictions,
            per_day=per_day,
            since=reading.first_evicted_at,
            last_at=reading.last_evicted_at,
            remedy=remedy,
            undo=undo,
        )
    if reading.late and reading.longest_seconds:
        yield QualityItem(
            name="reading-late",
            severity=Severity.INFO,
            target=reading.target,
            message=f"readings came later than twice their interval, once after "
            f"{reading.longest_seconds / 60:,.1f} min",
            count=reading.late,
            per_day=reading.late / scope.days,
            since=reading.first_late_at,
            last_at=reading.last_late_at,
            remedy="pgadvisor worker   # one more, on any machine",
            is_sql=False,
        )


def _coverage_items(coverage: _Coverage, scope: Scope) -> Iterator[QualityItem]:
    expected = coverage.expected_seconds
    missing = expected - coverage.covered_seconds
    if expected <= 0 or missing <= max(3 * scope.interval.total_seconds(), _LITTLE * expected):
        return
    is_paused = coverage.paused_at is not None
    yield QualityItem(
        name="not-collected",
        severity=Severity.INFO if is_paused else Severity.WARNING,
        target=coverage.target,
        message=f"{missing / 3600:,.1f} of {expected / 3600:,.1f} hours were not observed"
        + (" (it is paused)" if is_paused else ""),
        since=coverage.since,
        last_at=coverage.last_hour,
        share_ratio=min(missing / expected, 1.0),
        share_of="the window",
        remedy=command("targets resume", coverage.target) if is_paused else "pgadvisor worker",
        is_sql=False,
    )


def _import_item(one: _Import) -> QualityItem:
    return QualityItem(
        name="imported",
        severity=Severity.INFO,
        target=one.target,
        database_name=one.database_name,
        message=f"{one.rows_read:,} rows were imported from {one.source}",
        count=one.count,
        since=one.first_at,
        last_at=one.last_at,
    )
