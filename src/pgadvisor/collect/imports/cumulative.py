"""Cumulative counters as differences, by the rules of live collecting (records/interval.py)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import add

from pgadvisor.collect.imports.deltas import PARTS
from pgadvisor.collect.imports.plan import Plan
from pgadvisor.records.imported import (
    ImportNotes,
    Piece,
    Reading,
    SourceRow,
    SourceStatement,
    Span,
)
from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import (
    Counters,
    Gap,
    GapReason,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)

__all__ = ["Cumulative", "cumulative_pieces"]

_ROWS = 10_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_Entries = dict[StatementKey, StatementCounters]


@dataclass(slots=True)
class _Database:
    """What is known of a database: its entries, each with the time it was seen last."""

    at: datetime
    entries: _Entries = field(default_factory=dict)
    seen: dict[StatementKey, datetime] = field(default_factory=dict)


class Cumulative:
    """Takes reading after reading of each database and tells what happened in between."""

    def __init__(self, plan: Plan, notes: ImportNotes) -> None:
        self._plan = plan
        self._notes = notes
        self._databases: dict[str, _Database] = {}
        self._keys: dict[SourceStatement, StatementKey] = {}
        self._statements: list[SourceStatement] = []
        self.rows: list[SourceRow] = []
        self.covered: dict[str, list[Span]] = {}
        self.gaps: list[Gap] = []

    def take(
        self, database: str, at: datetime, readings: Mapping[SourceStatement, Reading]
    ) -> None:
        """One reading of all or some statements of a database."""
        entries = {entry.key: entry for entry in (self._entry(one) for one in readings.values())}
        known = self._databases.get(database)
        if known is None:
            self._notes.warn(
                "the first reading of a database is where counting begins: what its counters had "
                "by then is of an unknown time and not imported"
            )
            self._databases[database] = _Database(at, entries, dict.fromkeys(entries, at))
            return
        if self._plan.is_complete:
            self._add(_snapshot(known.at, known.entries), _snapshot(at, entries))
            known.entries = entries
        else:
            self._add_partial(known, at, entries)
        self.covered.setdefault(database, []).append(Span(known.at, at))
        known.at = at

    def piece(self) -> Piece:
        """What happened since the last piece."""
        found = Piece(self.rows, self.covered, self.gaps)
        self.rows, self.covered, self.gaps = [], {}, []
        return found

    def _add_partial(self, known: _Database, at: datetime, entries: _Entries) -> None:
        """Each entry against what it was when it was shown last, however long ago."""
        groups: dict[datetime, _Entries] = {}
        unknown = 0
        for key, now in entries.items():
            then = known.entries.get(key)
            if then is None:
                began = now.stats_since is not None and known.at < now.stats_since <= at
                if began:
                    groups.setdefault(known.at, {})[key] = now
                else:
                    unknown += 1
            elif self._is_part_of_sum(then, now):
                unknown += 1
            else:
                groups.setdefault(known.seen[key], {})[key] = now
        for since, group in groups.items():
            before = {key: known.entries[key] for key in group if key in known.entries}
            self._add(_snapshot(since, before), _snapshot(at, group))
        if unknown:
            self.gaps.append(
                Gap(since=known.at, until=at, reason=GapReason.FIRST_SIGHT, statements=unknown)
            )
        known.entries.update(entries)
        known.seen.update(dict.fromkeys(entries, at))

    def _is_part_of_sum(self, then: StatementCounters, now: StatementCounters) -> bool:
        """A sum over users that fell a little lost one of them; it did not begin anew."""
        calls, before = now.counters.calls, then.counters.calls
        return not self._plan.has_users and before // 2 < calls < before

    def _add(self, before: StatementSnapshot, after: StatementSnapshot) -> None:
        interval = interval_between(before, after)
        self.gaps += interval.gaps
        self.rows += [
            SourceRow(
                interval.since, interval.until, self._statements[delta.key.queryid], delta.counters
            )
            for delta in interval.deltas
        ]

    def _entry(self, reading: Reading) -> StatementCounters:
        key = self._keys.get(reading.statement)
        if key is None:
            # a number of our own: the key only has to tell statements apart
            key = StatementKey(0, 0, QueryId(len(self._statements)), True)
            self._keys[reading.statement] = key
            self._statements.append(reading.statement)
        return StatementCounters(
            key=key,
            counters=reading.counters,
            min_exec_time=reading.min_exec_time,
            max_exec_time=reading.max_exec_time,
            stats_since=reading.stats_since,
        )


def cumulative_pieces(
    batches: Iterable[list[Reading]], plan: Plan, notes: ImportNotes, *, now: datetime
) -> Iterator[Piece]:
    """Pieces of differences between readings that are ordered by time.

    Of several rows of one statement and time, alike ones came twice; others are parts of it and
    are added up.
    """
    state = Cumulative(plan, notes)
    groups: dict[str, dict[SourceStatement, Reading]] = {}
    last: datetime | None = None
    for batch in batches:
        for reading in batch:
            if reading.at != last:
                _take_all(state, last, groups)
                groups, last = {}, reading.at
                if len(state.rows) >= _ROWS:
                    yield state.piece()
            if reading.at > now:
                notes.refuse("in the future", f"line {reading.line}: {reading.at.isoformat()}")
                continue
            _group(groups.setdefault(reading.statement.database, {}), reading, notes)
    _take_all(state, last, groups)
    yield state.piece()


def _take_all(
    state: Cumulative,
    at: datetime | None,
    groups: Mapping[str, Mapping[SourceStatement, Reading]],
) -> None:
    if at is not None:
        for database, readings in groups.items():
            state.take(database, at, readings)


def _group(readings: dict[SourceStatement, Reading], reading: Reading, notes: ImportNotes) -> None:
    other = readings.get(reading.statement)
    if other is None:
        readings[reading.statement] = reading
    elif other.counters == reading.counters:
        notes.refuse("duplicate of another row", f"line {reading.line}: of line {other.line}")
    else:
        notes.warn(PARTS)
        readings[reading.statement] = Reading(
            reading.line,
            reading.at,
            None,
            reading.statement,
            Counters._make(map(add, other.counters, reading.counters)),
        )


def _snapshot(at: datetime, entries: _Entries) -> StatementSnapshot:
    return StatementSnapshot(
        captured_at=at,
        system_identifier="",
        postmaster_start_at=_LONG_AGO,
        # as pg_stat_statements 1.8 has it: the source does not say when it was reset
        stats_reset=None,
        dealloc=None,
        statements=entries,
    )
