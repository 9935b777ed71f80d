"""The stored workload of one database: queries with weights over a window, and their plans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pgadvisor.records.statement import QueryId

__all__ = ["PlanCapture", "PlanSource", "Query", "StoredPlan", "Workload"]


class PlanSource(StrEnum):
    """Where a plan comes from, from strong to weak."""

    AUTO_EXPLAIN = "auto_explain"
    GENERIC_PLAN = "generic_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCapture:
    """One plan, seen once: a line of auto_explain or an EXPLAIN of ours."""

    captured_at: datetime
    database: str
    source: PlanSource
    #: the text as the log shows it (with constants, until it is masked) or the normalized one
    query: str
    #: the value of EXPLAIN's key "Plan"
    plan: Mapping[str, Any]
    queryid: QueryId | None = None
    duration_ms: float | None = None
    user: str | None = None
    application_name: str | None = None
    pid: int | None = None
    #: whole EXPLAIN object without "Plan": Triggers, JIT, Settings
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan shape of a query, with what its executions did."""

    id: int
    shape: str
    source: PlanSource
    plan: Mapping[str, Any]
    extra: Mapping[str, Any]
    #: a text that gave this plan, its values masked unless the settings keep them
    example_query: str
    first_seen_at: datetime
    last_seen_at: datetime
    executions: int
    mean_duration_ms: float | None
    max_duration_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query of one database over a window: users and top level added up."""

    queryid: QueryId
    fingerprint: str | None
    #: normalized text; None while hidden or not yet read
    query: str | None
    calls: int
    total_exec_time: float
    rows: int
    shared_blks_hit: int = 0
    shared_blks_read: int = 0
    temp_blks_read: int = 0
    temp_blks_written: int = 0
    temp_blk_read_time: float = 0.0
    temp_blk_write_time: float = 0.0
    sum_squared_exec_time: float = 0.0
    #: names of the roles that ran it, busiest first; one whose name is not known is left out
    users: tuple[str, ...] = ()
    #: False for a statement inside a function (pg_stat_statements.track = all)
    toplevel: bool = True
    plans: tuple[StoredPlan, ...] = ()
    #: seen running and never finished: calls and time are of samples of pg_stat_activity, and
    #: the text is masked, not normalized
    is_unfinished: bool = False
    #: why no plan could be had, when there is none
    no_plan_reason: str | None = None

    @property
    def mean_exec_time(self) -> float:
        """Milliseconds per call; 0 when it was not called."""
        return self.total_exec_time / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The queries of one database over [since, until), busiest first."""

    target_id: int
    target: str
    database: str
    since: datetime
    until: datetime
    #: hours that were really observed, at most until - since
    observed_hours: float
    queries: tuple[Query, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    server_version_num: int = 0
    #: most backends seen active at once, of the activity samples
    peak_active_backends: int | None = None
    #: rows changed per hour by table oid: (inserted, updated, deleted)
    write_rates: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def total_exec_time(self) -> float:
        """Milliseconds of execution over the window."""
        return sum(query.total_exec_time for query in self.queries)
