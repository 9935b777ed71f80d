"""What pieces of a log hold, gathered: the one place where bytes become records."""

from collections import Counter

from pgadvisor.collect.logs.entry import Split
from pgadvisor.collect.logs.formats import log_records
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.records.log import (
    LogBatch,
    LogGap,
    LoggedStatement,
    LogPosition,
    LogSkip,
    LogSource,
)
from pgadvisor.records.workload import PlanCapture

__all__ = ["Gathered"]


class Gathered:
    """Plans, statements and what was left out, of one piece after the other.

    `started` carries statements whose duration is yet to come from one piece to the next.
    """

    def __init__(self, source: LogSource, started: Started | None = None) -> None:
        self._source = source
        self._captures: list[PlanCapture] = []
        self._statements: list[LoggedStatement] = []
        self._skipped: Counter[str] = Counter()
        self._started = started or Started()
        self._lines = 0
        self._bytes = 0

    def add(self, data: bytes, split: Split) -> None:
        """Take the entries that `data` was split into.

        Raises `LogUnreadable` for a log_timezone that is needed and not known on this machine.
        """
        self._lines += data.count(b"\n", 0, split.consumed)
        self._bytes += split.consumed
        self._skipped.update(skip.value for skip in split.skipped)
        for found in log_records(self._source, split.entries, self._started):
            if isinstance(found, LogSkip):
                self._skipped[found.value] += 1
            elif isinstance(found, PlanCapture):
                self._captures.append(found)
            else:
                self._statements.append(found)

    def batch(
        self, *, position: LogPosition | None, gaps: tuple[LogGap, ...] = (), at_end: bool
    ) -> LogBatch:
        """All that was gathered."""
        return LogBatch(
            captures=tuple(self._captures),
            statements=tuple(self._statements),
            position=position,
            lines=self._lines,
            bytes_read=self._bytes,
            skipped=dict(self._skipped),
            gaps=gaps,
            at_end=at_end,
        )
