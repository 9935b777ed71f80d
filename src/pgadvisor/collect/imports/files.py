"""CSV and Parquet as a source of history."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from pgadvisor.collect.imports.columns import layout_of
from pgadvisor.collect.imports.csvfile import CsvTable
from pgadvisor.collect.imports.cumulative import cumulative_pieces
from pgadvisor.collect.imports.deltas import delta_pieces
from pgadvisor.collect.imports.options import Counting, ImportOptions
from pgadvisor.collect.imports.ordered import by_time
from pgadvisor.collect.imports.parquet import ParquetTable, is_parquet
from pgadvisor.collect.imports.plan import plan_of
from pgadvisor.collect.imports.profile import Profile, Profiler
from pgadvisor.collect.imports.rows import Rows
from pgadvisor.collect.imports.series import with_series
from pgadvisor.collect.imports.table import Table
from pgadvisor.collect.imports.times import Times, day_or_month_first, is_slashed
from pgadvisor.errors import ConfigInvalid, ImportUnreadable
from pgadvisor.records.imported import ImportNotes, Piece, Reading

__all__ = ["FileSource"]

#: what the first reading of a file is of the whole work, for the progress bar
_PROFILE_SHARE = 0.3
_WEEK = timedelta(weeks=1)


class FileSource:
    """A CSV or Parquet file, read twice: once to see what it is, once to import it.

    Raises `ImportUnreadable` for a file without times, counters or rows, and `ConfigInvalid`
    where only the user can say what something means.
    """

    #: name of the target where the user gives none
    target = "import"

    def __init__(
        self,
        path: Path,
        options: ImportOptions,
        *,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        self.notes = ImportNotes()
        self._options = options
        self._progress = progress
        self._table = _opened(path, options)
        self.notes.taken += self._table.taken
        layout = layout_of(self._table.names, options.mapping)
        self._layout = with_series(layout, self._table, options, self.notes)
        self._first = self._day_or_month_first()
        self._newest_first = False
        self._profile = self._profiled()
        self._settle_metric()
        self._plan = plan_of(self._layout, self._profile, options, self.notes)
        self._tell_columns()
        self._weeks = 0

    @property
    def name(self) -> str:
        """Identifies the content: the same file under another name is the same source."""
        kind = "csv" if isinstance(self._table, CsvTable) else "parquet"
        moved = f" {self._weeks:+}w" if self._weeks else ""
        return f"{kind} {self._table.digest}{moved} {self._table.name}"

    def shift_to_now(self, now: datetime, earlier: Sequence[str]) -> None:
        """Move all times by whole weeks, so that the last is of the last week.

        Days of the week and hours stay what they are. `earlier` are the names of what was
        imported before: the same content moves as it did then, else it would come twice.
        """
        last = max(grid.last for grid in self._profile.grids.values())
        weeks = (now - last - timedelta(hours=1)) // _WEEK
        for name in earlier:
            if found := re.match(rf"\w+ {self._table.digest} ([+-]\d+)w ", name):
                weeks = int(found[1])
        self._weeks = weeks
        self._options = replace(self._options, shift=weeks * _WEEK)
        self.notes.taken.append(f"all times are moved by {weeks:+} weeks")

    def pieces(self, *, now: datetime) -> Iterator[Piece]:
        """The history in pieces, oldest first; what is left out is counted in the notes."""
        rows = self._rows(self.notes)
        batches = self._with_progress(rows, _PROFILE_SHARE, 1.0)
        ordered = batches if self._profile.is_ordered else by_time(batches)
        if self._plan.counting is Counting.CUMULATIVE:
            yield from cumulative_pieces(ordered, self._plan, self.notes, now=now)
        else:
            yield from delta_pieces(ordered, self._plan, self.notes, now=now)

    def _rows(self, notes: ImportNotes, *, is_light: bool = False) -> Rows:
        options = self._options
        if is_light:
            # as floats, so that fractions of a series show
            options = replace(options, metric="total_exec_time")
        return Rows(
            self._table,
            self._layout,
            options,
            notes,
            times=Times(options.local, first=self._first, pattern=options.time_format),
            newest_first=self._newest_first,
            is_light=is_light,
        )

    def _with_progress(self, rows: Rows, start: float, end: float) -> Iterator[list[Reading]]:
        for batch in rows.batches():
            self._progress(start + (end - start) * rows.share)
            yield batch

    def _profiled(self) -> Profile:
        notes = ImportNotes()
        profiler = Profiler()
        for batch in self._with_progress(self._rows(notes, is_light=True), 0.0, _PROFILE_SHARE):
            profiler.show(batch)
        if not profiler.profile.is_ordered:
            self._newest_first = profiler.profile.is_newest_first
            profiler = Profiler()
            for batch in by_time(self._rows(ImportNotes(), is_light=True).batches()):
                profiler.show(batch)
            profile = profiler.finish()
            profile.is_ordered = False
        else:
            profile = profiler.finish()
        if not profile.rows:
            raise ImportUnreadable(
                f"{self._table.name} has no row that can be imported",
                hint=_why(notes) or "It is empty.",
            )
        return profile

    def _settle_metric(self) -> None:
        if "value" not in self._layout and not self._layout.series:
            return
        metric = self._options.metric
        if metric is None:
            metric = "total_exec_time" if self._profile.has_fractions else "calls"
            why = "it has fractions" if self._profile.has_fractions else "its values are whole"
            self.notes.taken.append(f"the value of a row is {metric} (--metric): {why}")
        self._options = replace(self._options, metric=metric)

    def _day_or_month_first(self) -> str | None:
        if self._options.time_format is not None:
            return None
        indexes = [
            self._layout.columns[name].index
            for name in ("captured_at", "since", "until")
            if name in self._layout
        ]
        texts = (
            value
            for batch in self._table.batches(indexes, lambda reason, example: None)
            for value in chain.from_iterable(batch.columns)
        )
        first = next(texts, None)
        if not isinstance(first, str) or not is_slashed(first):
            return None
        found = day_or_month_first(chain([first], (str(text) for text in texts)))
        if found is None:
            raise ConfigInvalid(
                f"cannot tell day and month apart in times like {first!r}",
                hint="Say how they are written, for example --time-format '%d/%m/%Y %H:%M'.",
            )
        self.notes.taken.append(f"in times like {first!r} the {found} stands first")
        return found

    def _tell_columns(self) -> None:
        told = [
            column.name if column.name == name else f"{column.name} as {name}"
            for name, column in self._layout.columns.items()
        ]
        if series := self._layout.series:
            told.append(f"{len(series)} series ({', '.join(list(series)[:8])})")
        self.notes.taken.append(f"columns: {', '.join(told)}")
        if self._layout.ignored:
            self.notes.warn(f"columns not taken: {', '.join(self._layout.ignored)}")
        if "calls" not in self._layout and not self._layout.series and "value" not in self._layout:
            is_known = any(name in self._layout for name in ("mean_exec_time", "duration"))
            no_counters = not self._layout.counters
            if is_known or no_counters:
                self.notes.warn("there is no column of calls: each row counts as one call")
            else:
                self.notes.warn("there is no column of calls: calls are not known and stay zero")


def _opened(path: Path, options: ImportOptions) -> Table:
    if is_parquet(path):
        return ParquetTable(path)
    return CsvTable(path, columns=options.columns, encoding=options.encoding)


def _why(notes: ImportNotes) -> str:
    reasons: list[Any] = [
        f"{reason}: {one.count:,} rows ({', '.join(one.examples[:2])})"
        for reason, one in sorted(notes.refused.items(), key=lambda item: -item[1].count)
    ]
    return "; ".join(reasons[:3])
