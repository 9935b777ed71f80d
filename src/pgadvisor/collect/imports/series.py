"""Files without statements: a value a time, one column or one series a column."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from pgadvisor.collect.imports.columns import Column, Layout
from pgadvisor.collect.imports.numbers import number_of
from pgadvisor.collect.imports.options import ImportOptions
from pgadvisor.collect.imports.table import Table
from pgadvisor.errors import ImportUnreadable
from pgadvisor.records.imported import ImportNotes
from pgadvisor.records.statement import COUNTER_NAMES

__all__ = ["with_series"]

_TIMES = ("captured_at", "since", "until", "date")
_PLACES = ("database", "dbid")
_MEASURES = (*COUNTER_NAMES, "mean_exec_time", "duration", "value")


def with_series(layout: Layout, table: Table, options: ImportOptions, notes: ImportNotes) -> Layout:
    """The layout with the columns that are series of their own, where the file is of that kind.

    Raises `ImportUnreadable` for a file without a time, or without anything to count.
    """
    if not any(name in layout for name in ("captured_at", "since", "until")):
        raise ImportUnreadable(
            f"{table.name} has no column with a time",
            hint=f"Its columns are {', '.join(table.names)}. Say which is the time: "
            "--map captured_at=COLUMN",
        )
    has_statements = "query" in layout or "queryid" in layout
    has_measure = any(name in layout for name in _MEASURES)
    if not options.wide and (has_measure or has_statements):
        _check_duration(layout)
        return layout
    used = [layout.columns[name].index for name in (*_TIMES, *_PLACES) if name in layout]
    free = [index for index in range(len(table.names)) if index not in used]
    series = _numeric(table, free)
    if not series:
        raise ImportUnreadable(
            f"{table.name} has nothing that can be counted",
            hint=f"Its columns are {', '.join(table.names)}. Name the counters: "
            "--map calls=COLUMN --map total_exec_time=COLUMN",
        )
    if not options.wide:
        notes.taken.append(
            "no statements and no known counters: each column of numbers is a series"
        )
    kept = {name: column for name, column in layout.columns.items() if column.index in used}
    names = {table.names[index]: Column(index, table.names[index], "value") for index in series}
    taken = {*used, *series}
    ignored = tuple(name for index, name in enumerate(table.names) if index not in taken)
    return replace(layout, columns=kept, series=names, ignored=ignored)


def _check_duration(layout: Layout) -> None:
    """Refuse a time of which nobody can say whether it is of one call or of all."""
    if "duration" not in layout or "calls" not in layout:
        return
    if any(name in layout for name in ("total_exec_time", "mean_exec_time")):
        return
    name = layout.columns["duration"].name
    raise ImportUnreadable(
        f"column {name} may be the time of all calls of a row, or of one",
        hint=f"Say which: --map total_exec_time={name} or --map mean_exec_time={name}",
    )


def _numeric(table: Table, candidates: Sequence[int]) -> list[int]:
    """Those of the columns that hold numbers, by the first rows."""
    found: list[int] = []
    if not candidates:
        return found
    for batch in islice(table.batches(candidates, lambda reason, example: None), 1):
        for index, values in zip(candidates, batch.columns, strict=True):
            if _are_numbers(values, comma=table.decimal_comma):
                found.append(index)
    return found


def _are_numbers(values: Sequence[Any], *, comma: bool) -> bool:
    good = bad = 0
    for value in values:
        try:
            good += number_of(value, comma=comma) is not None
        except ValueError:
            bad += 1
    return good > 0 and bad * 10 <= good
