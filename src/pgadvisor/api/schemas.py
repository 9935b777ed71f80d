"""The JSON of the API. Names are PostgreSQL's; times in ms, instants in UTC, a queryid a string."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pgadvisor.records.advice import EvidenceLevel, RecommendationState
from pgadvisor.records.log import LogFormat
from pgadvisor.records.workload import PlanSource
from pgadvisor.store.quality import Severity

__all__ = [
    "DataQuality",
    "Database",
    "DatabaseList",
    "Effect",
    "Factor",
    "Health",
    "History",
    "HistoryPoint",
    "IngestedLogs",
    "LoggedExecutions",
    "Member",
    "Plan",
    "Problem",
    "QualityItem",
    "QualityLook",
    "Query",
    "QueryDetail",
    "QueryList",
    "Recommendation",
    "RecommendationList",
    "Risk",
    "Silence",
]

QueryId = Annotated[
    str,
    BeforeValidator(str),
    Field(
        pattern=r"^-?[0-9]+$",
        description="PostgreSQL's signed 64-bit id; a string, for JavaScript has no such number.",
        examples=["-4402183927123213"],
    ),
]


class _Schema(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Problem(_Schema):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:pgadvisor:problem:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no recommendation 7"])
    instance: str = Field(description="The path that was asked for.")
    hint: str = Field(description="What to do, a sentence; may be empty.")
    errors: list[dict[str, str]] | None = Field(
        default=None, description="Parameters that cannot be used: in, name, message."
    )


class Health(_Schema):
    """The process answers, and for /readyz the store too."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])


class Database(_Schema):
    """A database of a target with its load over the window."""

    target: str
    database_name: str
    server_version_num: int | None = Field(description="As the server has it: 150018 is 15.18.")
    role: str | None = Field(description="primary or replica; null while not known.")
    calls: int
    total_exec_time: float = Field(description="ms")
    queries: int = Field(description="Queries known, in all of the history.")
    last_interval_at: datetime | None
    last_error: str | None = Field(description="Why the last attempt to read the target failed.")
    problem: str | None = Field(description="Why its tables and indexes cannot be read.")


class DatabaseList(_Schema):
    """All databases, busiest first."""

    since: datetime
    until: datetime
    items: list[Database]


class Query(_Schema):
    """A query with its counters over the window: all queryids with one fingerprint."""

    target: str = Field(description="Of several the primary.")
    targets: list[str] = Field(description="What was added up: one, or those of a cluster.")
    database_name: str
    query_hash: str = Field(description="For links: the fingerprint, else the queryid.")
    queryid: QueryId = Field(description="The busiest one.")
    queryids: list[QueryId] = Field(description="All that ran in the window, busiest first.")
    fingerprint: str | None = Field(description="The same for every constant, on every server.")
    query: str | None = Field(description="Normalized text; null while hidden.")
    kind: str | None = Field(examples=["select"])
    tables: list[str] | None = Field(description="Tables it names, as written.")
    unreadable: str | None = Field(description="Why the text cannot be used, null when it can.")
    calls: int
    total_exec_time: float = Field(description="ms")
    mean_exec_time: float = Field(description="ms")
    rows: int
    shared_blks_hit: int
    shared_blks_read: int
    temp_blks_written: int
    share_ratio: float = Field(
        description="Of the time of all top-level statements of its database."
    )


class QueryList(_Schema):
    """A page of queries by falling total_exec_time."""

    since: datetime = Field(description="Of the window as it was read.")
    until: datetime
    of_hours: bool = Field(description="Read from hourly roll-ups: the window is whole hours.")
    items: list[Query]
    next_cursor: str | None = Field(description="For the next page; null on the last.")


class Member(_Schema):
    """What one queryid of a query did on one target of its cluster."""

    target: str
    in_recovery: bool | None = Field(description="True on a replica.")
    queryid: QueryId
    calls: int
    total_exec_time: float = Field(description="ms")
    mean_exec_time: float = Field(description="ms")


class LoggedExecutions(_Schema):
    """Executions of a query in the server log that were logged in one way."""

    source: str = Field(examples=["log_min_duration"])
    is_whole: bool = Field(description="Every execution was logged.")
    threshold_ms: float | None = Field(description="Shorter ones were not logged; null: not known.")
    sample_rate: float | None = Field(description="Share that was logged; null: not known.")
    executions: int
    mean_duration_ms: float = Field(description="Of what was logged.")
    p95_duration_ms: float
    max_duration_ms: float
    last_logged_at: datetime


class HistoryPoint(_Schema):
    """What a query did in one bucket of time, which begins at `at`."""

    at: datetime
    calls: int
    total_exec_time: float = Field(description="ms")
    mean_exec_time: float = Field(description="ms")
    rows: int


class History(_Schema):
    """What a query did over the window; no point where it did not run."""

    bucket_seconds: float
    points: list[HistoryPoint]


class Plan(_Schema):
    """A plan shape of a query with its newest example."""

    id: int
    shape: str = Field(description="16 hex digits over the tree without costs, rows, constants.")
    source: PlanSource
    plan: dict[str, Any] = Field(description="EXPLAIN (FORMAT JSON), the value of its key Plan.")
    extra: dict[str, Any] = Field(description="The rest of EXPLAIN: Triggers, JIT, Settings.")
    example_query: str = Field(description="A text that gave the plan, its values masked.")
    first_seen_at: datetime
    last_seen_at: datetime
    executions: int = Field(description="Executions seen in logs; 0 for a plan we asked for.")
    mean_duration_ms: float | None
    max_duration_ms: float | None


class QualityItem(_Schema):
    """One thing that makes the history less than whole, and what mends it."""

    name: str = Field(examples=["hidden-statements"])
    severity: Severity
    target: str
    database_name: str | None = Field(description="Null: the whole target.")
    message: str = Field(description="What.")
    why: str = Field(description="Why it matters.")
    count: int
    per_day: float | None
    since: datetime | None
    last_at: datetime | None
    share_ratio: float | None = Field(description="0 to 1, of what `share_of` says.")
    share_of: str | None
    remedy: str = Field(description="SQL or shell commands; may be empty.")
    is_sql: bool = Field(description="The remedy is SQL, else it is for the shell.")
    undo: str = Field(description="What takes the remedy back; may be empty.")
    query_hashes: list[str] = Field(description="The busiest queries concerned.")


class QualityLook(_Schema):
    """One thing that was looked for."""

    name: str
    at: str


class DataQuality(_Schema):
    """What is missing in the history of a window, worst first."""

    since: datetime = Field(description="Of the window, whole hours.")
    until: datetime
    attention: int = Field(description="Items that a person can mend: errors and warnings.")
    items: list[QualityItem]
    looked_at: list[QualityLook] = Field(description="All that was looked for, found or not.")


class Silence(_Schema):
    """Why a rule has no advice for a query."""

    rule: str
    reason: str


class Effect(_Schema):
    """What a change would do to one query."""

    queryid: QueryId
    improvement_ratio: float = Field(description="Share of its time that goes away, 0 to 1.")
    improvement_low: float
    improvement_high: float
    cost_before: float | None = None
    cost_after: float | None = None


class Factor(_Schema):
    """One number of the ROI arithmetic and where it came from."""

    name: str
    value: float
    unit: str
    source: str


class Risk(_Schema):
    """What a change costs and can break."""

    size_bytes: int = 0
    writes_per_hour: float = 0.0
    lock: str = ""
    notes: list[str] = []


class Recommendation(_Schema):
    """One change, with its evidence, its risk and every factor of its score."""

    id: int
    target: str
    database_name: str
    rule: str
    title: str
    statement: str = Field(description="SQL to run.")
    undo: str = Field(description="SQL that undoes it.")
    reasoning: str
    queryids: list[QueryId]
    effects: list[Effect]
    evidence_level: EvidenceLevel
    evidence: dict[str, Any]
    risk: Risk
    factors: list[Factor]
    confidence_score: float
    estimated_improvement_percent: float
    improvement_low_percent: float
    improvement_high_percent: float
    frequency: float = Field(description="Calls per hour of the queries concerned.")
    current_impact: float = Field(description="Seconds per call.")
    urgency_score: float = Field(description="frequency x current_impact: seconds an hour.")
    roi_score: float = Field(
        description="confidence_score x estimated_improvement_percent x urgency_score; a "
        "hundredth of it is the expected seconds of database time saved an hour."
    )
    state: RecommendationState
    state_reason: str | None
    created_at: datetime
    updated_at: datetime


class RecommendationList(_Schema):
    """A page of recommendations, highest roi_score first."""

    items: list[Recommendation]
    next_cursor: str | None = Field(description="For the next page; null on the last.")


class QueryDetail(Query):
    """A query with its history, plans and advice, or the reasons why there is none."""

    since: datetime = Field(description="Of the window as it was read.")
    until: datetime
    of_hours: bool = Field(description="Read from hourly roll-ups: the window is whole hours.")
    formatted_query: str | None = Field(description="The text laid out for reading.")
    history: History
    members: list[Member] = Field(description="Each queryid on each target of the cluster.")
    logged: list[LoggedExecutions] = Field(description="What the server log shows of it.")
    plans: list[Plan]
    no_plan_reason: str | None
    recommendations: list[Recommendation]
    silences: list[Silence] = Field(description="Filled where there is no recommendation.")


class IngestedLogs(_Schema):
    """What a log that was sent brought."""

    target: str
    format: LogFormat
    line_prefix: str | None = Field(description="log_line_prefix it was read with; stderr only.")
    plans: int = Field(description="Plans of auto_explain that were stored.")
    statements: int = Field(description="Executions with a duration that were stored.")
    lines: int
    bytes_read: int = Field(description="Bytes of the unpacked log that were new and read.")
    known_bytes: int = Field(description="Bytes that were read before, and are not counted again.")
    next_offset: int = Field(description="Where the next piece of the log begins.")
    skipped: dict[str, int] = Field(description="Entries left out, by reason.")
    is_whole: bool = Field(description="The log shows every execution.")
    shows: str = Field(description="The same as a sentence.")
