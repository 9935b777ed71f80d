"""Rows of a file as readings: times, statements and counters, or a reason each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pgadvisor.collect.imports.columns import Layout
from pgadvisor.collect.imports.counters import counters_of
from pgadvisor.collect.imports.options import ImportOptions
from pgadvisor.collect.imports.statements import IDENTITY, Statements
from pgadvisor.collect.imports.table import Table
from pgadvisor.collect.imports.times import BadTime, Times
from pgadvisor.records.imported import ImportNotes, Reading, SourceStatement

__all__ = ["TIMES", "Rows"]

TIMES = ("since", "until", "captured_at")
#: read in the first pass: enough to see the order, the grid and what the counters are
_LIGHT = frozenset({*IDENTITY, *TIMES, "calls", "total_exec_time", "value", "date", "plans"})


class Rows:
    """The readings of a table in the order of the file, batch by batch."""

    def __init__(
        self,
        table: Table,
        layout: Layout,
        options: ImportOptions,
        notes: ImportNotes,
        *,
        times: Times,
        newest_first: bool = False,
        is_light: bool = False,
    ) -> None:
        self._table = table
        self._options = options
        self._notes = notes
        self._times = times
        self._newest_first = newest_first
        self._layout = _lightened(layout) if is_light else layout
        self._fields = {name: column.index for name, column in self._layout.columns.items()}
        self._statements = Statements(
            default_database=options.database or table.name.split(".")[0],
            series=table.name.split(".")[0],
            has_statements="query" in layout or "queryid" in layout,
        )
        #: (statement, instant) seen in the hour that the clocks repeat
        self._repeated: set[tuple[SourceStatement, datetime]] = set()
        self.share = 0.0

    def batches(self) -> Iterator[list[Reading]]:
        """Readings; what is not one is counted in the notes."""
        series = list(self._layout.series.values())
        wanted = [*self._fields.values(), *(column.index for column in series)]
        for batch in self._table.batches(wanted, self._refuse_row):
            self.share = batch.share
            self._notes.rows_read += len(batch.lines)
            if not batch.lines:
                continue
            values = dict(zip(self._fields, batch.columns, strict=False))
            if not series:
                yield self._readings(batch.lines, values)
                continue
            for column, series_values in zip(
                series, batch.columns[len(self._fields) :], strict=True
            ):
                names = [column.name] * len(batch.lines)
                yield self._readings(
                    batch.lines, {**values, "series": names, "value": series_values}
                )

    def _refuse_row(self, reason: str, example: str) -> None:
        self._notes.rows_read += 1
        self._notes.refuse(reason, example)

    def _readings(self, lines: Sequence[int], values: dict[str, Sequence[Any]]) -> list[Reading]:
        bad: dict[int, str] = {}
        empty = [None] * len(lines)
        instants = self._instants(values, bad)
        identities = zip(*(values.get(name, empty) for name in IDENTITY), strict=True)
        statements = [self._statements.read(identity) for identity in identities]
        for index, statement in enumerate(statements):
            if isinstance(statement, str):
                bad.setdefault(index, statement)
        read = counters_of(
            values,
            self._layout.columns,
            bad,
            self._notes,
            comma=self._table.decimal_comma,
            metric=self._options.metric,
            times=self._times,
        )
        for index, reason in sorted(bad.items()):
            self._notes.refuse(reason, _example(lines[index], reason, values, index))
        found = []
        for index, (line, span, statement, counted) in enumerate(
            zip(lines, instants, statements, read, strict=True)
        ):
            if index in bad or span is None or isinstance(statement, str) or counted is None:
                continue
            at = self._unfolded(statement, span[0])
            found.append(Reading(line, at, span[1], statement, *counted))
        return found

    def _instants(
        self, values: dict[str, Sequence[Any]], bad: dict[int, str]
    ) -> list[tuple[datetime, datetime | None] | None]:
        first, second = _time_fields(values)
        starts = self._column(values[first], bad, values.get("date"))
        if second is None:
            return [None if at is None else (at, None) for at in starts]
        ends = self._column(values[second], bad, None)
        spans: list[tuple[datetime, datetime | None] | None] = []
        for index, (since, until) in enumerate(zip(starts, ends, strict=True)):
            if since is None or until is None:
                spans.append(None)
            elif since >= until:
                bad.setdefault(index, "span ends before it begins")
                spans.append(None)
            else:
                spans.append((since, until))
        return spans

    def _column(
        self, column: Sequence[Any], bad: dict[int, str], dates: Sequence[Any] | None
    ) -> list[datetime | None]:
        read, shift = self._times.read, self._options.shift
        found: list[datetime | None] = []
        for index, value in enumerate(column):
            try:
                if dates is not None:
                    value = _date_and_hour(dates[index], value)
                if value is None or value == "":
                    raise BadTime("no time")
                found.append(read(value) + shift)
            except BadTime as exc:
                bad.setdefault(index, str(exc))
                found.append(None)
        return found

    def _unfolded(self, statement: SourceStatement, at: datetime) -> datetime:
        """The instant; in the hour that summer time ends with, the second of a statement's two."""
        later = self._times.second_of(at - self._options.shift)
        if later is None:
            return at
        later += self._options.shift
        key = (statement, at)
        is_second = key in self._repeated
        self._repeated.add(key)
        return later if is_second != self._newest_first else at


def _lightened(layout: Layout) -> Layout:
    light = {name: column for name, column in layout.columns.items() if name in _LIGHT}
    return replace(layout, columns=light)


def _time_fields(values: dict[str, Any]) -> tuple[str, str | None]:
    """The column of the time, or those of the two ends of a span."""
    if "since" in values and ("until" in values or "captured_at" in values):
        return "since", "until" if "until" in values else "captured_at"
    if "captured_at" in values and "until" in values:
        return "captured_at", "until"
    return next(name for name in ("captured_at", "since", "until") if name in values), None


def _date_and_hour(day: Any, hour: Any) -> Any:
    """A date and an hour of the day as one time; anything else is a time of its own."""
    text = str(hour).strip()
    if text.removesuffix(".0").isdigit() and int(float(text)) < 24:
        return f"{str(day).strip()[:10]} {int(float(text)):02}:00:00"
    return hour


def _example(line: int, reason: str, values: dict[str, Sequence[Any]], index: int) -> str:
    """Where a refused row stands, with its time where that is what is wrong; never its text."""
    for name in TIMES:
        if "time" in reason and name in values:
            return f"line {line}: {str(values[name][index])[:40]!r}"
    return f"line {line}"
