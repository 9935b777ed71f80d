"""Statement counters as pg_stat_statements keeps them, and what they did over an interval.

`StatementSnapshot` is cumulative, `Interval` is a difference; they are different types so that
nobody adds one to the other. Names and units are those of pg_stat_statements 1.12 (times in ms).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

__all__ = [
    "COUNTER_NAMES",
    "Counters",
    "Gap",
    "GapReason",
    "Interval",
    "QueryId",
    "StatementCounters",
    "StatementDelta",
    "StatementKey",
    "StatementSnapshot",
    "StatementText",
]

QueryId = NewType("QueryId", int)


class StatementKey(NamedTuple):
    """PostgreSQL's own hash key of an entry (pgssHashKey in pg_stat_statements.c).

    A tuple, as `Counters` is: thousands are made, hashed and compared with every reading, which
    tuples do several times faster than dataclasses.
    """

    dbid: int
    userid: int
    queryid: QueryId
    toplevel: bool


class Counters(NamedTuple):
    """What only ever grows while an entry lives. Columns a version lacks are zero."""

    calls: int = 0
    rows: int = 0
    total_exec_time: float = 0.0
    #: sum over calls of the squared execution time (ms squared), from calls, mean and stddev
    sum_squared_exec_time: float = 0.0
    plans: int = 0
    total_plan_time: float = 0.0
    shared_blks_hit: int = 0
    shared_blks_read: int = 0
    shared_blks_dirtied: int = 0
    shared_blks_written: int = 0
    local_blks_hit: int = 0
    local_blks_read: int = 0
    local_blks_dirtied: int = 0
    local_blks_written: int = 0
    temp_blks_read: int = 0
    temp_blks_written: int = 0
    shared_blk_read_time: float = 0.0
    shared_blk_write_time: float = 0.0
    local_blk_read_time: float = 0.0
    local_blk_write_time: float = 0.0
    temp_blk_read_time: float = 0.0
    temp_blk_write_time: float = 0.0
    wal_records: int = 0
    wal_fpi: int = 0
    wal_bytes: int = 0
    jit_functions: int = 0
    jit_generation_time: float = 0.0
    jit_inlining_time: float = 0.0
    jit_optimization_time: float = 0.0
    jit_emission_time: float = 0.0
    parallel_workers_to_launch: int = 0
    parallel_workers_launched: int = 0


COUNTER_NAMES: tuple[str, ...] = Counters._fields


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementCounters:
    """One entry of pg_stat_statements at one moment."""

    key: StatementKey
    counters: Counters
    min_exec_time: float
    max_exec_time: float
    #: when the entry was made; PostgreSQL 17 and newer, else None
    stats_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSnapshot:
    """All entries of a server at one moment, without texts."""

    captured_at: datetime
    #: changes when the data directory is another cluster
    system_identifier: str
    postmaster_start_at: datetime
    #: pg_stat_statements_info, extension 1.9 and newer, else None
    stats_reset: datetime | None
    #: evictions up to a moment before the entries were read
    dealloc: int | None
    statements: Mapping[StatementKey, StatementCounters]
    #: entries whose queryid is hidden from our role, and their total_exec_time
    hidden: int = 0
    hidden_exec_time: float = 0.0
    #: evictions up to a moment after the entries were read, None: none happened meanwhile
    dealloc_after: int | None = None
    #: version of pg_stat_statements that gave the columns
    extension_version: str | None = None
    #: dbids whose entries were left out because nobody wants them watched
    unwatched: frozenset[int] = frozenset()

    @property
    def last_dealloc(self) -> int | None:
        """All evictions that can show in the entries."""
        return self.dealloc if self.dealloc_after is None else self.dealloc_after


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementText:
    """The text that goes with a queryid, as pg_stat_statements normalized it."""

    dbid: int
    queryid: QueryId
    query: str


class GapReason(StrEnum):
    """Why a part of an interval is not in the history."""

    FIRST_SIGHT = "first_sight"
    RESET = "reset"
    EVICTION = "eviction"
    RESTART = "restart"
    OTHER_CLUSTER = "other_cluster"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span in which calls may have happened that no counter shows."""

    since: datetime
    until: datetime
    reason: GapReason
    #: entries concerned, where that is known
    statements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDelta:
    """What one entry did between two snapshots (or since it began, if later)."""

    key: StatementKey
    counters: Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What all entries did over [since, until), and what could not be known."""

    since: datetime
    until: datetime
    deltas: tuple[StatementDelta, ...]
    gaps: tuple[Gap, ...] = ()
    #: False where the two snapshots cannot be compared: that nothing is in it says nothing
    is_observed: bool = True


def by_key(statements: Iterable[StatementCounters]) -> dict[StatementKey, StatementCounters]:
    """Entries by their key."""
    return {statement.key: statement for statement in statements}
