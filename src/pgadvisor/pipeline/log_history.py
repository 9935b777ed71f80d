"""Counters per minute out of a log that shows every execution: a history without a server."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from pgadvisor.errors import NotParsable
from pgadvisor.records.imported import ImportedRow, ImportedStatement, Span
from pgadvisor.records.log import Execution
from pgadvisor.records.statement import Counters, QueryId
from pgadvisor.sql import parse, tables_of
from pgadvisor.store import Connection
from pgadvisor.store.executions import logged_queryids
from pgadvisor.store.imported import record_history

__all__ = ["LogHistory"]

_SOURCE = "log"
_LONGEST_TEXT = 100_000
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Minute:
    """One statement of one user in one minute."""

    since: datetime
    example: Execution
    calls: int = 0
    total_ms: float = 0.0
    sum_squared_ms: float = 0.0

    def add(self, execution: Execution) -> None:
        self.calls += 1
        self.total_ms += execution.duration_ms
        self.sum_squared_ms += execution.duration_ms**2


@dataclass(slots=True, kw_only=True)
class LogHistory:
    """Adds what the pieces of one log show to the history, one piece after the other."""

    #: older rows become hours only
    raw_retention: timedelta
    #: by database: the time that the pieces have covered
    _covered: dict[str, Span] = field(default_factory=dict)

    def save(
        self, conn: Connection, target_id: int, executions: Sequence[Execution], *, now: datetime
    ) -> None:
        """Save counters per minute, and that the time from the first entry to the last is known."""
        if not executions:
            return
        minutes: dict[tuple[object, ...], _Minute] = {}
        for one in executions:
            since = one.logged_at.replace(second=0, microsecond=0)
            key = (since, one.database, one.user, one.queryid, one.fingerprint)
            minute = minutes.get(key)
            if minute is None:
                minute = minutes[key] = _Minute(since, one)
            minute.add(one)
        known = logged_queryids(conn, target_id, _without_queryid(minutes.values()))
        record_history(
            conn,
            target_id,
            [_row(one, known) for one in minutes.values()],
            # one for all files of a target: two of them may share a minute
            source=_SOURCE,
            now=now,
            raw_retention=self.raw_retention,
            covered=self._cover(minutes.values()),
            is_once=True,
        )

    def _cover(self, minutes: Collection[_Minute]) -> dict[str, Sequence[Span]]:
        """What was observed of each database by now: quiet time between two pieces, too."""
        since = min(minute.since for minute in minutes)
        until = max(minute.since for minute in minutes) + _MINUTE
        for database in {minute.example.database for minute in minutes} | self._covered.keys():
            before = self._covered.get(database, Span(since, until))
            span = Span(min(before.since, since), max(before.until, until))
            self._covered[database] = span
        return {database: [span] for database, span in self._covered.items()}


def _without_queryid(minutes: Collection[_Minute]) -> set[tuple[str, str]]:
    """PostgreSQL logs some executions of a query with its id, some without.

    A prepared utility statement loses it with its first execution (pgss_ProcessUtility).
    """
    examples = [minute.example for minute in minutes]
    return {(one.database, one.fingerprint) for one in examples if one.queryid is None}


def _row(minute: _Minute, known: Mapping[tuple[str, str], QueryId]) -> ImportedRow:
    one = minute.example
    query = one.query[:_LONGEST_TEXT]
    return ImportedRow(
        since=minute.since,
        until=minute.since + _MINUTE,
        statement=ImportedStatement(
            database=one.database,
            query=query,
            fingerprint=one.fingerprint,
            kind=one.kind,
            tables=_tables(query) if one.kind is not None else None,
            unreadable=None if one.kind is not None else "not parsable",
            queryid=one.queryid or known.get((one.database, one.fingerprint)),
            user=one.user,
        ),
        counters=Counters(
            calls=minute.calls,
            total_exec_time=minute.total_ms,
            sum_squared_exec_time=minute.sum_squared_ms,
        ),
    )


@lru_cache(maxsize=512)
def _tables(query: str) -> tuple[str, ...] | None:
    try:
        return tables_of(parse(query))
    except NotParsable:
        return None
