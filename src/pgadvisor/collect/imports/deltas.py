"""Rows that say what happened in a span: their spans, what was observed, duplicates left out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import add

from pgadvisor.collect.imports.options import Counting, Missing, Side
from pgadvisor.collect.imports.plan import Plan
from pgadvisor.records.imported import (
    ImportNotes,
    Piece,
    Reading,
    SourceRow,
    SourceStatement,
    Span,
)
from pgadvisor.records.statement import Counters

__all__ = ["delta_pieces"]

_ROWS = 10_000
#: a source without rows for longer than this was away, however sparse it is
_LONGEST_SILENCE = timedelta(days=8)

#: said where one statement has several rows at one time
PARTS = "different rows of one statement and time were added up (of users not told apart?)"

_Key = tuple[SourceStatement, Span]


class _Deltas:
    def __init__(self, plan: Plan, notes: ImportNotes, now: datetime) -> None:
        self._plan = plan
        self._notes = notes
        self._now = now
        #: by database: the time before the current one, and where observed time ends
        self._previous: dict[str, datetime] = {}
        self._current: dict[str, datetime] = {}
        self._observed: dict[str, Span] = {}
        self.covered: dict[str, list[Span]] = {}

    def span(self, reading: Reading) -> Span | None:
        """The span of a row, None where it has not begun yet."""
        database, at = reading.statement.database, reading.at
        if reading.until is not None:
            since, until = at, reading.until
        else:
            step = self._plan.steps[database]
            assert step is not None  # plan_of found one for each database
            if self._plan.counting is Counting.EVENTS:
                at = datetime.fromtimestamp(
                    at.timestamp() // step.total_seconds() * step.total_seconds(), at.tzinfo
                )
            since, until = self._sided(database, at, step)
        if since >= self._now:
            return None
        return Span(since, min(until, self._now))

    def _sided(self, database: str, at: datetime, step: timedelta) -> tuple[datetime, datetime]:
        if self._plan.side is Side.START:
            return at, at + step
        if at != self._current.get(database):
            if database in self._current:
                self._previous[database] = self._current[database]
            self._current[database] = at
        before = self._previous.get(database)
        # a clock that ran late: the row counts since the last one, not since a step ago
        if before is not None and at - before < step * 1.5:
            return before, at
        return at - step, at

    def observe(self, database: str, span: Span) -> None:
        """Note observed time; a hole in it is no time in which nothing ran, unless said."""
        last = self._observed.get(database)
        covered = self.covered.setdefault(database, [])
        if last is None:
            self._observed[database] = span
            covered.append(span)
            return
        silence = span.since - last.until
        limit = _LONGEST_SILENCE
        if self._plan.missing[database] is Missing.UNOBSERVED:
            limit = (self._plan.steps[database] or timedelta(0)) / 2
        if silence <= limit:
            if span.since < last.since:
                covered.append(Span(span.since, last.since))
                last = self._observed[database] = Span(span.since, last.until)
            if span.until > last.until:
                covered.append(Span(last.until, span.until))
                self._observed[database] = Span(last.since, span.until)
        else:
            covered.append(span)
            self._observed[database] = span


def delta_pieces(
    batches: Iterable[list[Reading]], plan: Plan, notes: ImportNotes, *, now: datetime
) -> Iterator[Piece]:
    """Pieces of rows that are ordered by time; rows of one time stay together.

    So that the next piece has no row that ends within what this one covers.

    A row that is alike in everything to another of its time came twice and is left out. Rows of
    one statement and time that differ are parts of it (of users the source does not tell apart)
    and are added up. Executions are always added up.
    """
    state = _Deltas(plan, notes, now)
    rows: dict[_Key, Counters] = {}
    lines: dict[tuple[_Key, Counters], int] = {}
    last: datetime | None = None
    for batch in batches:
        for reading in batch:
            span = state.span(reading)
            if span is None:
                notes.refuse("in the future", f"line {reading.line}: {reading.at.isoformat()}")
                continue
            moment = span.since if plan.counting is Counting.EVENTS else reading.instant
            if moment != last:
                lines.clear()
                if len(rows) >= _ROWS:
                    yield _piece(rows, state)
                    rows = {}
                last = moment
            key = (reading.statement, span)
            if plan.counting is not Counting.EVENTS and _is_twice(key, reading, lines, notes):
                continue
            state.observe(reading.statement.database, span)
            if key in rows:
                _warn_of_parts(plan, notes)
                rows[key] = _plus(rows[key], reading.counters)
            else:
                rows[key] = reading.counters
    if rows:
        yield _piece(rows, state)


def _is_twice(
    key: _Key, reading: Reading, lines: dict[tuple[_Key, Counters], int], notes: ImportNotes
) -> bool:
    first = lines.setdefault((key, reading.counters), reading.line)
    if first == reading.line:
        return False
    notes.refuse("duplicate of another row", f"line {reading.line}: of line {first}")
    return True


def _warn_of_parts(plan: Plan, notes: ImportNotes) -> None:
    if plan.counting is not Counting.EVENTS:
        notes.warn(PARTS)


def _plus(one: Counters, other: Counters) -> Counters:
    return Counters._make(map(add, one, other))


def _piece(rows: Mapping[_Key, Counters], state: _Deltas) -> Piece:
    covered, state.covered = state.covered, {}
    found = [
        SourceRow(span.since, span.until, statement, counters)
        for (statement, span), counters in rows.items()
    ]
    return Piece(found, covered)
