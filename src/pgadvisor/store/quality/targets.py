"""Targets that are not read as they should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import class_row

from pgadvisor.store.connection import Connection
from pgadvisor.store.quality.item import QualityItem, Scope, Severity
from pgadvisor.store.queries import load

__all__ = ["WatchedTarget", "command", "target_items", "watched_targets"]

#: by so much a clock may differ; below it is the time of the reading itself
_SKEW_MS, _BAD_SKEW_MS = 1_000.0, 60_000.0
#: of hidden time from which totals are not those of the server
_MUCH = 0.1
#: version of pg_stat_statements that a major version brings
_EXTENSIONS = {13: (1, 8), 14: (1, 9), 15: (1, 10), 16: (1, 10), 17: (1, 11), 18: (1, 12)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTarget:
    """A target with what may be wrong with reading it."""

    target_id: int
    target: str
    kind: str
    server_version_num: int | None
    extension_version: str | None
    first_seen_at: datetime
    last_snapshot_at: datetime | None
    paused_at: datetime | None
    circuit: str
    failures: int
    retry_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    clock_skew_ms: float | None
    log_problem: str | None
    interval_seconds: float | None
    statements: int
    hidden: int
    hidden_exec_time: float
    visible_exec_time: float
    conninfo: str

    @property
    def role(self) -> str:
        """The role we are there, quoted for SQL."""
        try:
            name = conninfo_to_dict(self.conninfo).get("user")
        except psycopg.ProgrammingError:
            name = None  # of a target that nobody can connect to
        return sql.Identifier(str(name or "pgadvisor")).as_string(None)


def watched_targets(conn: Connection, scope: Scope) -> list[WatchedTarget]:
    """The targets that are looked at, by name."""
    with conn.cursor(row_factory=class_row(WatchedTarget)) as cursor:
        return cursor.execute(load("quality_targets"), {"target": scope.target}).fetchall()


def target_items(targets: list[WatchedTarget], scope: Scope) -> Iterator[QualityItem]:
    """What is wrong now with reading each target."""
    for target in targets:
        if target.kind == "server":
            yield from _reading(target, scope)
        yield from _log(target)
        yield from _hidden(target)
        yield from _extension(target)
        yield from _clock(target)


def command(verb: str, name: str) -> str:
    """A shell command of ours about a target; the name is quoted for the shell.

    >>> command("targets pause", "it's")
    "pgadvisor targets pause 'it'\\\\''s'"
    """
    return f"pgadvisor {verb} " + "'" + name.replace("'", "'\\''") + "'"


def _reading(target: WatchedTarget, scope: Scope) -> Iterator[QualityItem]:
    if target.paused_at is not None:
        yield QualityItem(
            name="target-paused",
            severity=Severity.INFO,
            target=target.target,
            message="nothing is collected: it was paused",
            since=target.paused_at,
            remedy=command("targets resume", target.target),
            is_sql=False,
            undo=command("targets pause", target.target),
        )
    elif target.last_error is not None:
        yield _failing(target)
    elif target.last_snapshot_at is None:
        yield QualityItem(
            name="target-never-read",
            severity=Severity.WARNING,
            target=target.target,
            message="its counters were never read: no worker runs, or it has had no time yet",
            since=target.first_seen_at,
            remedy="pgadvisor worker",
            is_sql=False,
        )
    else:
        yield from _overdue(target, scope, target.last_snapshot_at)


def _failing(target: WatchedTarget) -> QualityItem:
    open_until = f"; the next try is at {target.retry_at:%H:%M:%S} UTC" if target.retry_at else ""
    times = f", {target.failures} times in a row" if target.failures > 1 else ""
    return QualityItem(
        name="target-failing",
        severity=Severity.ERROR,
        target=target.target,
        message=f"it cannot be read{times}: {target.last_error}{open_until}",
        count=max(target.failures, 1),
        since=target.last_snapshot_at or target.last_error_at,
        last_at=target.last_error_at,
        remedy="pgadvisor doctor " + "'" + target.conninfo.replace("'", "'\\''") + "'",
        is_sql=False,
    )


def _overdue(target: WatchedTarget, scope: Scope, last: datetime) -> Iterator[QualityItem]:
    every = target.interval_seconds or scope.interval.total_seconds()
    age = (scope.now - last).total_seconds()
    if age > 3 * every:
        yield QualityItem(
            name="reading-overdue",
            severity=Severity.ERROR,
            target=target.target,
            message=f"its counters were read {_span(age)} ago and are due every {_span(every)}",
            since=last,
            remedy="pgadvisor worker",
            is_sql=False,
        )


def _log(target: WatchedTarget) -> Iterator[QualityItem]:
    if target.log_problem is not None:
        yield QualityItem(
            name="log-problem",
            severity=Severity.WARNING,
            target=target.target,
            message=target.log_problem,
            remedy="pgadvisor doctor " + "'" + target.conninfo.replace("'", "'\\''") + "'",
            is_sql=False,
        )


def _hidden(target: WatchedTarget) -> Iterator[QualityItem]:
    if not target.hidden:
        return
    whole = target.hidden_exec_time + target.visible_exec_time
    share = target.hidden_exec_time / whole if whole else 0.0
    yield QualityItem(
        name="hidden-statements",
        severity=Severity.ERROR if share > _MUCH else Severity.WARNING,
        target=target.target,
        message=f"{target.hidden} of {target.hidden + target.statements} entries show neither "
        "text nor queryid to our role",
        count=target.hidden,
        last_at=target.last_snapshot_at,
        share_ratio=share,
        share_of="time since the counters were reset",
        remedy=f"GRANT pg_read_all_stats TO {target.role};",
        undo=f"REVOKE pg_read_all_stats FROM {target.role};",
    )


def _extension(target: WatchedTarget) -> Iterator[QualityItem]:
    found, number = target.extension_version, target.server_version_num
    newest = _EXTENSIONS.get((number or 0) // 10000)
    if found is None or newest is None:
        return
    if tuple(int(part) for part in found.split(".") if part.isdigit()) < newest:
        wanted = ".".join(map(str, newest))
        yield QualityItem(
            name="extension-outdated",
            severity=Severity.WARNING,
            target=target.target,
            message=f"pg_stat_statements {found} is installed, the server brings {wanted}",
            last_at=target.last_snapshot_at,
            remedy="ALTER EXTENSION pg_stat_statements UPDATE;",
        )


def _clock(target: WatchedTarget) -> Iterator[QualityItem]:
    skew = target.clock_skew_ms
    if skew is not None and abs(skew) > _SKEW_MS:
        way = "ahead of" if skew > 0 else "behind"
        yield QualityItem(
            name="clock-skew",
            severity=Severity.ERROR if abs(skew) > _BAD_SKEW_MS else Severity.WARNING,
            target=target.target,
            message=f"its clock is {_span(abs(skew) / 1000)} {way} ours",
            last_at=target.last_snapshot_at,
            remedy="timedatectl set-ntp true   # on the server, and here",
            is_sql=False,
            undo="timedatectl set-ntp false",
        )


def _span(seconds: float) -> str:
    """A time in words.

    >>> _span(1.25), _span(60), _span(300), _span(7200)
    ('1.2 s', '60 s', '5 min', '2.0 h')
    """
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
