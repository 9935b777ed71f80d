"""A server log: where it is, how far it was read, what was in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pgadvisor.records.workload import PlanCapture

__all__ = [
    "LogBatch",
    "LogFormat",
    "LogGap",
    "LogGapReason",
    "LogPosition",
    "LogSkip",
    "LogSource",
]


class LogFormat(StrEnum):
    """The formats of log_destination that are files, best first."""

    JSONLOG = "jsonlog"
    CSVLOG = "csvlog"
    STDERR = "stderr"


class LogSkip(StrEnum):
    """Why a plan in the log gave no capture."""

    OWN_STATEMENT = "own statement"
    NOT_JSON = "plan not in JSON format"
    TRUNCATED = "truncated plan"
    INVALID = "invalid plan"
    TOO_DEEP = "plan nested too deep"
    TOO_LARGE = "entry over the size limit"
    MALFORMED = "malformed entry"
    NO_PREFIX = "line does not fit log_line_prefix"
    NO_TIME = "no time in log_line_prefix"
    NO_DATABASE = "no database in log_line_prefix"
    UNKNOWN_TIME = "time not in log_timezone"


class LogGapReason(StrEnum):
    """Why a part of the log may never have been read."""

    #: emptied or replaced since the last call, read again from its start
    TRUNCATED = "truncated"
    #: removed since the last call, perhaps before its end was read
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGap:
    """A log file whose end may have been missed."""

    path: str
    reason: LogGapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A log on this machine and what it takes to understand it."""

    #: a file, or the directory that the files of the format stand in
    path: str
    format: LogFormat
    #: log_filename: picks the server's own files out of a directory; None takes all of the format
    filename: str | None = None
    #: log_line_prefix, of the format stderr only
    line_prefix: str = "%m [%p] "
    #: log_timezone, for zone abbreviations that say no offset
    timezone: str = "UTC"
    #: what the log cannot tell, each a sentence
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """How far a log was read. Only `read_log` makes one; whoever stores it keeps all fields."""

    path: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """What one call of `read_log` found."""

    captures: tuple[PlanCapture, ...]
    #: where the next call goes on; None while there is no log file
    position: LogPosition | None
    lines: int
    bytes_read: int
    #: plans that gave no capture, by `LogSkip`
    skipped: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[LogGap, ...] = ()
    #: the end of the newest file is reached; False means: call again
    at_end: bool = True
