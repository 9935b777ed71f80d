"""A server log: where it is, how far it was read, what was in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgadvisor.records.parameter import MaskedValue
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture

__all__ = [
    "Execution",
    "LogBatch",
    "LogFormat",
    "LogGap",
    "LogGapReason",
    "LogPosition",
    "LogSampling",
    "LogSkip",
    "LogSource",
    "LoggedStatement",
]


class LogFormat(StrEnum):
    """The formats of log_destination that are files, best first."""

    JSONLOG = "jsonlog"
    CSVLOG = "csvlog"
    STDERR = "stderr"


class LogSkip(StrEnum):
    """Why an entry of the log that tells of an execution gave no record."""

    OWN_STATEMENT = "own statement"
    #: auto_explain.log_format = json (or text) is what to set
    XML_PLAN = "plan in XML, auto_explain.log_format is to be json"
    YAML_PLAN = "plan in YAML, auto_explain.log_format is to be json"
    #: of log_duration, or of a statement that began before the reading did
    NO_STATEMENT = "duration without its statement, log_min_duration_statement shows both"
    TRUNCATED = "truncated plan"
    INVALID = "invalid plan"
    TOO_DEEP = "plan nested too deep"
    TOO_LARGE = "entry over the size limit"
    MALFORMED = "malformed entry"
    NO_PREFIX = "line does not fit log_line_prefix"
    NO_TIME = "no time in log_line_prefix"
    NO_DATABASE = "no database in log_line_prefix"
    UNKNOWN_TIME = "time not in log_timezone"
    OUT_OF_RANGE = "time before the history that is kept, or in the future"


class LogGapReason(StrEnum):
    """Why a part of the log may never have been read."""

    #: emptied or replaced since the last call, read again from its start
    TRUNCATED = "truncated"
    #: removed since the last call, perhaps before its end was read
    DELETED = "deleted"
    #: compressed since the last call, and the rest of the compressed file cannot be read
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGap:
    """A log file whose end may have been missed."""

    path: str
    reason: LogGapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A log and what it takes to understand it."""

    #: a file, or the directory that the files of the format stand in
    path: str
    format: LogFormat
    #: log_filename: picks the server's own files out of a directory; None takes all of the format
    filename: str | None = None
    #: log_line_prefix, of the format stderr only
    line_prefix: str = "%m [%p] "
    #: log_timezone, for zone abbreviations that say no offset
    timezone: str = "UTC"
    #: the database of lines that name none; None leaves them out
    database: str | None = None
    #: what the log cannot tell, each a sentence
    notes: tuple[str, ...] = ()
    #: log_directory where the server itself must read it for us, being on another machine
    over_sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSampling:
    """Which executions the log shows: a slow-only sample is never taken for the whole.

    Durations in ms; None: not known. A negative threshold in PostgreSQL (off) is infinity here.
    Sources: auto_explain.c, check_log_duration in postgres.c.
    """

    #: auto_explain.log_min_duration and .sample_rate
    plan_threshold_ms: float | None = None
    plan_sample_rate: float | None = None
    #: log_min_duration_statement: all that took longer are logged
    statement_threshold_ms: float | None = None
    #: log_min_duration_sample and log_statement_sample_rate: some of the shorter ones are
    sample_threshold_ms: float | None = None
    sample_rate: float | None = None
    #: log_transaction_sample_rate: all statements of some transactions are
    transaction_sample_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedStatement:
    """An execution that log_min_duration_statement or a sample of it logged, as the log shows it.

    With its values: it stays in memory, what is stored is an `Execution`.
    """

    logged_at: datetime
    database: str
    query: str
    duration_ms: float
    user: str | None = None
    application_name: str | None = None
    pid: int | None = None
    queryid: QueryId | None = None
    #: values of $1, $2, ... of a prepared statement, as text; None is null
    parameters: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A logged execution as it is stored: values masked, its sampling noted."""

    logged_at: datetime
    database: str
    #: the masked text
    query: str
    #: libpg_query's, or x and 15 digits over the masked text when that cannot be parsed
    fingerprint: str
    duration_ms: float
    #: select, insert, ...; None when the text cannot be parsed
    kind: str | None = None
    user: str | None = None
    application_name: str | None = None
    pid: int | None = None
    queryid: QueryId | None = None
    #: shorter executions were not logged at this rate; None: not known
    threshold_ms: float | None = None
    #: the probability that an execution as long as this was logged; None: not known
    sample_rate: float | None = None
    parameters: tuple[MaskedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far a log was read. Only `collect.logs` makes one; whoever stores it keeps all fields."""

    path: str
    #: both 0 where only the name tells the file: over SQL, and in a stream
    device: int
    inode: int
    #: first byte not read yet, the start of an entry
    offset: int
    #: size of the file when its end was reached, -1 before that, and mtime when it was read last
    size: int
    modified_at_ns: int
    #: hash of the first bytes, and how many: tells a reused or regrown file
    signature: str
    signature_bytes: int
    #: the offset is inside an entry that is being left out
    dropping: bool = False
    #: of a log that was brought to us: how it was read so far, and its next piece will be
    format: str | None = None
    line_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """What one call of `read_log` found."""

    captures: tuple[PlanCapture, ...]
    #: slow statements, with their values
    statements: tuple[LoggedStatement, ...] = ()
    #: where the next call goes on; None while there is no log file
    position: LogPosition | None = None
    lines: int = 0
    bytes_read: int = 0
    #: entries that gave no record, by `LogSkip`
    skipped: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[LogGap, ...] = ()
    #: the end of the newest file is reached; False means: call again
    at_end: bool = True
