"""History that was not collected but brought along: as its source has it, and as it is stored.

Statements of a source carry texts as they stand there, constants included: they live in memory
only. `ImportedStatement` is what may be stored. What there is one of for each row is a tuple, as
`Counters` is: made and hashed several times faster than a dataclass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pgadvisor.records.statement import Counters, Gap

__all__ = [
    "ImportNotes",
    "ImportedRow",
    "ImportedStatement",
    "Piece",
    "Reading",
    "Refused",
    "SourceRow",
    "SourceStatement",
    "Span",
]


class Span(NamedTuple):
    """A half-open span of time [since, until)."""

    since: datetime
    until: datetime


class SourceStatement(NamedTuple):
    """A statement as the source names it; its text may hold constants, so it is never stored."""

    database: str
    query: str | None = None
    queryid: int | None = None
    user: str | None = None
    userid: int | None = None
    dbid: int | None = None
    toplevel: bool = True
    #: a series without any SQL; `query` is its name
    is_series: bool = False


class Reading(NamedTuple):
    """One row of a source: what it says of one statement at one time."""

    line: int
    #: the one instant of the row; with `until` the start of its span
    at: datetime
    until: datetime | None
    statement: SourceStatement
    counters: Counters
    min_exec_time: float = 0.0
    max_exec_time: float = 0.0
    stats_since: datetime | None = None

    @property
    def instant(self) -> datetime:
        """What readings are ordered by: the end of the span where the row has one."""
        return self.until or self.at


class SourceRow(NamedTuple):
    """What one statement of a source did over [since, until)."""

    since: datetime
    until: datetime
    statement: SourceStatement
    counters: Counters


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a source up to an instant; no later piece has a row that ends before it."""

    rows: Sequence[SourceRow]
    #: by database: what the source has observed, rows or not
    covered: Mapping[str, Sequence[Span]]
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportedStatement:
    """A statement as it is stored: its text masked, its identity known.

    Without `queryid` the fingerprint stands in, or else a hash of the text
    (queries.identity = 'fingerprint'). Compared by identity, which is fast: make one for all
    rows of a statement; two that are alike are one statement in the store.
    """

    database: str
    query: str | None = None
    fingerprint: str | None = None
    kind: str | None = None
    tables: tuple[str, ...] | None = None
    #: why the text cannot be analyzed
    unreadable: str | None = None
    queryid: int | None = None
    #: names of roles; where only a name is known the store makes a negative userid
    user: str | None = None
    userid: int | None = None
    #: the oid where the source knows it; else the store's, or a negative one
    dbid: int | None = None
    toplevel: bool = True


class ImportedRow(NamedTuple):
    """What one statement did over [since, until)."""

    since: datetime
    until: datetime
    statement: ImportedStatement
    counters: Counters


@dataclass(slots=True)
class Refused:
    """How many rows were left out for one reason, and where the first of them stand."""

    count: int = 0
    #: line of a CSV, row of a Parquet file, with the value where it helps
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImportNotes:
    """What a reader took, how it understood it, and what it left out. Filled while it reads."""

    rows_read: int = 0
    refused: dict[str, Refused] = field(default_factory=dict)
    #: decisions, each with its reason
    taken: list[str] = field(default_factory=list)
    #: things to know that cost no row
    warnings: list[str] = field(default_factory=list)

    def refuse(self, reason: str, example: str, *, most: int = 5) -> None:
        """Count a row left out."""
        one = self.refused.setdefault(reason, Refused())
        one.count += 1
        if len(one.examples) < most:
            one.examples.append(example)

    def warn(self, text: str) -> None:
        """Note something once."""
        if text not in self.warnings:
            self.warnings.append(text)
