"""One thing that makes the history less than whole, and the list of what is looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

__all__ = ["LOOKED_AT", "Looked", "QualityItem", "Scope", "Severity", "worst_first"]


class Severity(StrEnum):
    """How bad a thing is."""

    #: a part of the history is missing, now
    ERROR = "error"
    #: a part is missing or less exact than it could be
    WARNING = "warning"
    #: to know when reading the numbers
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is looked at. `since` and `until` are whole hours, `until` the end of the last one."""

    since: datetime
    until: datetime
    now: datetime
    #: how often counters are read where a target says nothing else
    interval: timedelta
    target: str | None = None
    database: str | None = None

    @property
    def days(self) -> float:
        """Length up to now, for counts per day."""
        return max((min(self.now, self.until) - self.since) / timedelta(days=1), 1 / 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One thing that is looked for, whether or not it is found."""

    #: what is looked at, in a few words
    at: str
    #: why it matters where it is found
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityItem:
    """One thing found on one target, with what mends it."""

    #: a key of `LOOKED_AT`
    name: str
    severity: Severity
    target: str
    #: None: the whole target
    database_name: str | None = None
    message: str
    count: int = 1
    per_day: float | None = None
    since: datetime | None = None
    last_at: datetime | None = None
    #: of what `share_of` says, 0 to 1; None where a share has no meaning
    share_ratio: float | None = None
    share_of: str | None = None
    #: exact SQL or shell commands; empty where there is nothing to run
    remedy: str = ""
    is_sql: bool = True
    undo: str = ""
    #: the busiest queries concerned
    query_hashes: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why it matters."""
        return LOOKED_AT[self.name].why


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def worst_first(items: list[QualityItem]) -> list[QualityItem]:
    """By severity, then by share of time, then by count."""
    return sorted(
        items,
        key=lambda one: (
            *(_RANK[one.severity], -(one.share_ratio or 0.0), -one.count),
            *(one.name, one.target, one.database_name or "", one.message),
        ),
    )


_GAP = (
    "calls between the last reading and this moment may be missing: totals are too low, never "
    "too high"
)

#: everything that is looked for, by name
LOOKED_AT: Mapping[str, Looked] = {
    "target-failing": Looked(
        at="targets that cannot be read",
        why="Nothing is known of it until it answers. What it counts meanwhile is read then, "
        "unless it restarts or evicts entries before.",
    ),
    "target-never-read": Looked(
        at="targets that were never read",
        why="It is listed, and there is no history of it.",
    ),
    "target-paused": Looked(
        at="paused targets", why="Nothing is collected from it; evictions and resets go unseen."
    ),
    "reading-overdue": Looked(
        at="whether each target is read when it is due",
        why="Charts end there, and advice rests on older numbers.",
    ),
    "reading-late": Looked(
        at="readings that came later than twice their interval",
        why="The time between them is one interval: what ran when within it cannot be told.",
    ),
    "not-collected": Looked(
        at="time that no reading covers",
        why="What ran then is in no rate and no chart; rates are per hour that was observed.",
    ),
    "clock-skew": Looked(
        at="clocks of targets against ours",
        why="Intervals are on the target's clock: beside ours, and beside other targets, they "
        "stand at the wrong time.",
    ),
    "gap-reset": Looked(
        at="resets of the counters",
        why="Somebody calls pg_stat_statements_reset(): " + _GAP + ".",
    ),
    "gap-eviction": Looked(
        at="evicted entries",
        why="PostgreSQL drops the least used entries when pg_stat_statements is full; rare "
        "statements lose calls.",
    ),
    "gap-restart": Looked(
        at="restarts that lost the counters",
        why="The server crashed, or it is a version that does not say whether they survived: "
        + _GAP
        + ".",
    ),
    "gap-other_cluster": Looked(
        at="other servers under the same name",
        why="After a failover or restore the counters are another server's: " + _GAP + ".",
    ),
    "gap-first_sight": Looked(
        at="entries that became visible",
        why="What they had counted before we saw them is not known to be of this window.",
    ),
    "gap-clock": Looked(
        at="clocks that were set back",
        why="What ran is counted, but stands at one moment instead of a span.",
    ),
    "evictions": Looked(
        at="sweeps that evict entries, per day",
        why="Each drops 5 % of the entries, the least used ones: rare and slow statements may "
        "never be seen.",
    ),
    "hidden-statements": Looked(
        at="statements hidden from our role",
        why="Without pg_read_all_stats neither text nor queryid of other roles' statements can "
        "be read: their time is in no query.",
    ),
    "extension-outdated": Looked(
        at="the version of pg_stat_statements",
        why="An older version has fewer columns and tells less about resets and evictions.",
    ),
    "log-problem": Looked(
        at="whether the server log can be read",
        why="Plans and slow statements come from the log; without it plans are planned, not seen.",
    ),
    "log-skipped": Looked(
        at="log entries that were left out",
        why="Each of them is a plan or a slow statement that is missing.",
    ),
    "log-sampled": Looked(
        at="what the log leaves out",
        why="Executions in the log are the slow or sampled ones: their mean is not the mean of "
        "the query. Counters are of all executions.",
    ),
    "plan-unjoined": Looked(
        at="logged plans that belong to no query",
        why="Advice cannot use a plan without the query it is of.",
    ),
    "plan-missing": Looked(
        at="statements without a plan",
        why="Index advice needs a plan, logged or asked for.",
    ),
    "text-hidden": Looked(
        at="texts hidden from our role",
        why="Without its text a statement cannot be analyzed.",
    ),
    "text-missing": Looked(
        at="texts that were never read",
        why="The entry was gone before its text was asked for; without it there is no analysis.",
    ),
    "text-truncated": Looked(
        at="texts that were cut off",
        why="A text that lacks its end is never analyzed: what is missing may change it.",
    ),
    "text-unparsable": Looked(
        at="texts that are not SQL as PostgreSQL 18 has it",
        why="It has no fingerprint: it is not joined across servers and versions, and not "
        "analyzed.",
    ),
    "text-not-sql": Looked(
        at="imported series that are no statements",
        why="They count in the load of their database and cannot be analyzed.",
    ),
    "database-unnamed": Looked(
        at="statements of databases whose name is not known",
        why="The database was dropped before its name was read, or is filtered out: its "
        "statements are in no list.",
    ),
    "database-unreadable": Looked(
        at="databases that cannot be read",
        why="Its tables, indexes and statistics are not known: no advice, no plans asked for.",
    ),
    "check": Looked(
        at="rights, extensions and settings of each target (`pgadvisor doctor`)",
        why="It limits what can be collected or how good the advice is.",
    ),
    "imported": Looked(
        at="history that was imported",
        why="It is as exact as its source: gaps and resets that the source did not note are in it.",
    ),
    "no-advice": Looked(
        at="queries without advice, and why",
        why="Most of these reasons are good news; some name what is missing for advice.",
    ),
}
