"""Counters per minute out of a log that shows every execution: a history without a server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pgadvisor.errors import NotParsable
from pgadvisor.records.imported import ImportedRow, ImportedStatement, Span
from pgadvisor.records.log import Execution
from pgadvisor.records.statement import Counters
from pgadvisor.sql import references
from pgadvisor.store import Connection
from pgadvisor.store.imported import record_history

__all__ = ["LogHistory"]

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Minute:
    """One statement of one user in one minute."""

    example: Execution
    calls: int = 0
    total_ms: float = 0.0
    sum_squared_ms: float = 0.0

    def add(self, execution: Execution) -> None:
        self.calls += 1
        self.total_ms += execution.duration_ms
        # as pg_stat_statements: the sum of squared deviations is made of this by the readers
        self.sum_squared_ms += execution.duration_ms**2


@dataclass(slots=True, kw_only=True)
class LogHistory:
    """Adds what the pieces of one log show to the history, one piece after the other."""

    raw_retention: timedelta
    #: by database: how far it is covered already
    _covered: dict[str, datetime] = field(default_factory=dict)
    _since: datetime | None = None
    _until: datetime | None = None

    def save(
        self,
        conn: Connection,
        target_id: int,
        executions: Sequence[Execution],
        *,
        source: str,
        now: datetime,
    ) -> None:
        """Save counters per minute, and that the time from the first entry to the last is known."""
        if not executions:
            return
        minutes: dict[tuple[object, ...], _Minute] = {}
        for execution in executions:
            minute = execution.logged_at.replace(second=0, microsecond=0)
            key = (minute, execution.database, execution.user, execution.queryid,
                   execution.fingerprint)  # fmt: skip
            if (one := minutes.get(key)) is None:
                one = minutes[key] = _Minute(execution)
            one.add(execution)
        record_history(
            conn,
            target_id,
            [_row(one) for one in minutes.values()],
            source=source,
            now=now,
            raw_retention=self.raw_retention,
            covered=self._cover([one.example for one in minutes.values()]),
            is_once=True,
        )

    def _cover(self, examples: Sequence[Execution]) -> dict[str, Sequence[Span]]:
        """What this piece observed of each database: on from where the piece before ended."""
