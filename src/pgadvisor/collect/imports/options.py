"""What the user says about a source, where it cannot be seen in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum

__all__ = ["Counting", "ImportOptions", "Missing", "Side"]


class Counting(StrEnum):
    """What the counters of a row are."""

    #: what happened in the row's span
    DELTAS = "deltas"
    #: as in pg_stat_statements: everything since the entry was made
    CUMULATIVE = "cumulative"
    #: a row is one execution
    EVENTS = "events"


class Side(StrEnum):
    """Where in the span of a row its time stands."""

    START = "start"
    END = "end"


class Missing(StrEnum):
    """What it means that a source has no row at a time."""

    #: nothing ran
    ZERO = "zero"
    #: nobody looked
    UNOBSERVED = "unobserved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Each None is found out from the data, and the report says what was taken and why."""

    #: our names to the columns of the file
    mapping: Mapping[str, str] = field(default_factory=dict)
    #: names of the columns of a file without a header
    columns: Sequence[str] | None = None
    encoding: str | None = None
    #: of rows that name no database
    database: str | None = None
    #: of times without an offset
    local: tzinfo = UTC
    #: strptime pattern
    time_format: str | None = None
    interval: timedelta | None = None
    side: Side | None = None
    counting: Counting | None = None
    #: cumulative: whether a reading has all entries of pg_stat_statements
    complete: bool | None = None
    missing: Missing | None = None
    #: of a series: what its value is (calls, rows or total_exec_time)
    metric: str | None = None
    #: every column but time and database is a series
    wide: bool = False
    #: added to every time
    shift: timedelta = timedelta(0)
