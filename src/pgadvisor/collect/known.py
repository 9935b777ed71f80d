"""What the last reading of a connection left, so that the server need not send it again.

Most entries of pg_stat_statements rest between two readings, and to send one costs the server
more than to find it. So each row comes with its `state`, a 64-bit hash of its key, its calls and
plans and its total_exec_time: whatever else is counted changes together with those (pgss_store in
pg_stat_statements.c). The next reading hands the known states back, and the server leaves out the
entries that still have theirs.

The snapshot is complete all the same, because this module can tell that nothing is missing:

- `ordinality` numbers the entries, and every row from the known total on is sent. So the largest
  number is the count of all entries; without a row that high there are fewer than before.
- What was not sent still has its state. If that is as many as the known entries that were not
  sent, those are the ones. If it is fewer, entries are gone, and only a reading of all tells which.
- After a reset or an eviction (pg_stat_statements_info) everything is read. An entry that began
  anew may have come to the same state only before PostgreSQL 17, by a reset of that entry alone
  (in 13: of all, too) and the same calls again in the same nanoseconds; then those are not counted.

What changes without a call, a reset of minimum and maximum alone (17), shows with the next call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pgadvisor.records.statement import StatementCounters, StatementKey

__all__ = ["EVERYTHING", "Entries", "KnownStatements", "Moment", "complete", "usable"]

#: where more than this part changed, all are read: at half, both cost the server about the same
_MOST_CHANGED = 0.5
#: a known state in the server's hash table: 32 bytes as it estimates them
#: (subplan_is_hashable in subselect.c), and room to spare. With too little work_mem it would
#: compare each entry with each known state.
_STATE_BYTES = 64


class Moment(NamedTuple):
    """The server's clock and the state of the statistics as a whole."""

    captured_at: datetime
    postmaster_start_at: datetime
    stats_reset: datetime | None
    dealloc: int | None
    #: bytes, of our session
    work_mem: int

    @property
    def statistics(self) -> tuple[datetime, datetime | None, int | None]:
        """What changes where statistics are reset or entries evicted."""
        return self.postmaster_start_at, self.stats_reset, self.dealloc


class Entries(NamedTuple):
    """All entries that our role sees with their queryid, and their states."""

    statements: Mapping[StatementKey, StatementCounters]
    states: Mapping[StatementKey, int]
    #: entries of the server, those without a queryid too
    total: int
    #: entries whose state was not known before
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStatements:
    """The entries as they were read at a moment."""

    #: before the entries were read
    moment: Moment
    extension_version: str
    entries: Entries

    def parameters(self) -> dict[str, Any]:
        """What ``sql/statements.sql`` takes, so that it leaves out what is known."""
        return {
            "known": list(self.entries.states.values()),
            "total": self.entries.total,
            "since": self.moment.captured_at,
        }


#: what ``sql/statements.sql`` takes to send all entries
EVERYTHING: Mapping[str, Any] = {"known": [], "total": 0, "since": None}


def usable(
    known: KnownStatements | None, moment: Moment, extension_version: str
) -> KnownStatements | None:
    """The known entries where it is right, and less work for the server, to build on them."""
    if known is None or known.extension_version != extension_version:
        return None
    if known.moment.statistics != moment.statistics:
        return None
    entries = known.entries
    if entries.changed > _MOST_CHANGED * entries.total:
        return None
    return known if len(entries.states) * _STATE_BYTES <= moment.work_mem else None


def complete(known: KnownStatements, sent: Entries, rows: int) -> Entries | None:
    """All entries, from those sent and those known; None where known ones are gone.

    ``rows`` is how many rows came, those without a queryid too.
    """
    rest = known.entries.states.keys() - sent.states.keys()
    if sent.total - rows != len(rest):
        return None
    before = known.entries
    return Entries(
        {**before.statements, **sent.statements},
        {**before.states, **sent.states},
        sent.total,
        sent.changed,
    )
