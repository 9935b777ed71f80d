"""What the server log does not show, and plans that belong to no query."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pgadvisor.records.log import LogSkip
from pgadvisor.store.connection import Connection
from pgadvisor.store.quality.item import QualityItem, Scope, Severity
from pgadvisor.store.queries import load

__all__ = ["log_items", "sampling_words"]

_RELOAD = "SELECT pg_reload_conf();"
_PREFIX = (
    f"ALTER SYSTEM SET log_line_prefix = '%m [%p] %q%u@%d app=%a id=%Q '; {_RELOAD}",
    f"ALTER SYSTEM RESET log_line_prefix; {_RELOAD}",
)
_JSON = (
    f"ALTER SYSTEM SET auto_explain.log_format = 'json'; {_RELOAD}",
    f"ALTER SYSTEM RESET auto_explain.log_format; {_RELOAD}",
)
_JSONLOG = (
    f"ALTER SYSTEM SET log_destination = 'jsonlog'; {_RELOAD} -- csvlog before PostgreSQL 15",
    f"ALTER SYSTEM RESET log_destination; {_RELOAD}",
)
#: beginning of the name of a `LogSkip` to what mends it
_REMEDIES = {
    "NO_PREFIX": _PREFIX,
    "NO_TIME": _PREFIX,
    "NO_DATABASE": _PREFIX,
    "NOT_JSON": _JSON,
    "XML_PLAN": _JSON,
    "YAML_PLAN": _JSON,
    "TRUNCATED": _JSONLOG,
    "MALFORMED": _JSONLOG,
    "NO_STATEMENT": (
        f"ALTER SYSTEM SET log_duration = off; ALTER SYSTEM SET log_min_duration_statement = "
        f"'100ms'; {_RELOAD}",
        "ALTER SYSTEM RESET log_duration; ALTER SYSTEM RESET log_min_duration_statement; "
        f"{_RELOAD}",
    ),
}
#: what is left out on purpose
_WANTED = {str(LogSkip.OWN_STATEMENT)}
#: of the logged time from which unjoined plans are worth a warning
_MUCH = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Skipped:
    target: str
    reason: str
    count: int
    last_at: datetime
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plans:
    target: str
    database_name: str
    plans: int
    executions: int
    first_at: datetime | None
    last_at: datetime | None
    has_queryid: bool
    share_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sampled:
    target: str
    database_name: str
    source: str
    threshold_ms: float | None
    sample_rate: float | None
    executions: int
    first_at: datetime
    last_at: datetime


def log_items(conn: Connection, scope: Scope) -> Iterator[QualityItem]:
    """Entries left out, plans without a query, and how the log is sampled."""
    place: dict[str, Any] = {
        "since": scope.since,
        "until": scope.until,
        "target": scope.target,
        "database": scope.database,
    }
    with conn.cursor(row_factory=class_row(_Skipped)) as skipped_cursor:
        for skipped in skipped_cursor.execute(load("quality_skipped"), place):
            yield _skipped_item(skipped)
    with conn.cursor(row_factory=class_row(_Plans)) as plans_cursor:
        for plans in plans_cursor.execute(load("quality_plans"), place):
            yield _plans_item(plans, scope)
    with conn.cursor(row_factory=class_row(_Sampled)) as sampled_cursor:
        for sampled in sampled_cursor.execute(load("quality_sampling"), place):
            yield _sampled_item(sampled, scope)


def _skipped_item(skipped: _Skipped) -> QualityItem:
    names = {str(skip): skip.name for skip in LogSkip}
    remedy, undo = _REMEDIES.get(names.get(skipped.reason, ""), ("", ""))
    return QualityItem(
        name="log-skipped",
        severity=Severity.INFO if skipped.reason in _WANTED else Severity.WARNING,
        target=skipped.target,
        message=f"entries of the log were left out: {skipped.reason}",
        count=skipped.count,
        last_at=skipped.last_at,
        share_ratio=min(skipped.count / skipped.lines, 1.0) if skipped.lines else None,
        share_of="the lines read" if skipped.lines else None,
        remedy=remedy,
        undo=undo,
    )


def _plans_item(plans: _Plans, scope: Scope) -> QualityItem:
    remedy, undo = ("", "") if plans.has_queryid else _PREFIX
    return QualityItem(
        name="plan-unjoined",
        severity=Severity.WARNING if plans.share_ratio >= _MUCH else Severity.INFO,
        target=plans.target,
        database_name=plans.database_name,
        message=f"{plans.plans:,} logged plans ({plans.executions:,} executions) belong to no "
        "known query",
        count=plans.plans,
        per_day=plans.executions / scope.days,
        since=plans.first_at,
        last_at=plans.last_at,
        share_ratio=plans.share_ratio,
        share_of="the time that the log shows",
        remedy=remedy,
        undo=undo,
    )


def _sampled_item(sampled: _Sampled, scope: Scope) -> QualityItem:
    return QualityItem(
        name="log-sampled",
        severity=Severity.INFO,
        target=sampled.target,
        database_name=sampled.database_name,
        message=sampling_words(sampled.source, sampled.threshold_ms, sampled.sample_rate),
        count=sampled.executions,
        per_day=sampled.executions / scope.days,
        since=sampled.first_at,
        last_at=sampled.last_at,
    )


def sampling_words(source: str, threshold_ms: float | None, sample_rate: float | None) -> str:
    """What of all executions the log shows.

    >>> sampling_words("log_min_duration", 10.0, 1.0)
    'only executions over 10 ms are in the log (log_min_duration)'
    >>> sampling_words("auto_explain", 0.0, 0.1)
    'about 10 % of the executions are in the log (auto_explain)'
    """
    if threshold_ms is None or sample_rate is None:
        return f"it is not known which executions the log leaves out ({source})"
    over = f" over {threshold_ms:g} ms" if threshold_ms else ""
    if sample_rate < 1:
        return f"about {100 * sample_rate:g} % of the executions{over} are in the log ({source})"
    if over:
        return f"only executions{over} are in the log ({source})"
    return f"all executions are in the log ({source})"
