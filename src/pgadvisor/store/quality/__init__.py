"""Data quality: what is missing in the history, its share of the time, and what mends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pgadvisor.store.connection import Connection
from pgadvisor.store.quality.checks import check_items
from pgadvisor.store.quality.item import (
    LOOKED_AT,
    Looked,
    QualityItem,
    Scope,
    Severity,
    worst_first,
)
from pgadvisor.store.quality.logs import log_items, sampling_words
from pgadvisor.store.quality.spans import span_items
from pgadvisor.store.quality.statements import statement_items
from pgadvisor.store.quality.targets import target_items, watched_targets
from pgadvisor.store.windows import whole_hours

__all__ = [
    "LOOKED_AT",
    "DataQuality",
    "Looked",
    "QualityItem",
    "Severity",
    "data_quality",
    "sampling_words",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """What was found in a window, worst first."""

    since: datetime
    until: datetime
    items: tuple[QualityItem, ...]

    @property
    def attention(self) -> int:
        """How many things a person can mend."""
        return sum(one.severity is not Severity.INFO for one in self.items)


def data_quality(
    conn: Connection,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    interval: timedelta = timedelta(seconds=60),
    target: str | None = None,
    database: str | None = None,
) -> DataQuality:
    """What makes the history of [since, until) less than whole; the window is read in whole hours.

    States (a target that fails, a right that is missing) are those of now. `interval` is how
    often counters are read where a target says nothing else. With `database`, what concerns its
    whole target stays in the list.
    """
    start, end = whole_hours(since, until)
    scope = Scope(
        since=start, until=end, now=now, interval=interval, target=target, database=database
    )
    targets = watched_targets(conn, scope)
    items = [
        *target_items(targets, scope),
        *span_items(conn, scope),
        *log_items(conn, scope),
        *statement_items(conn, scope, {one.target: one.role for one in targets}),
    ]
    items += check_items(conn, scope, found={(one.target, one.name) for one in items})
    return DataQuality(since=start, until=end, items=tuple(worst_first(items)))
