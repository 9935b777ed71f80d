"""Columns of numbers as counters: units, means, standard deviations, values of series."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pgadvisor.collect.imports.columns import Column
from pgadvisor.collect.imports.numbers import numbers, whole_numbers
from pgadvisor.collect.imports.times import BadTime, Times
from pgadvisor.records.imported import ImportNotes
from pgadvisor.records.statement import COUNTER_NAMES, Counters

__all__ = ["Counted", "counters_of"]

#: counters, min_exec_time, max_exec_time, stats_since
Counted = tuple[Counters, float, float, datetime | None]

_FLOATS = frozenset(
    name for name, kind in Counters.__annotations__.items() if kind in (float, "float")
)
#: without a value of these a row says nothing; elsewhere no value is zero
_NEEDED = ("calls", "total_exec_time", "mean_exec_time", "duration", "value")
_OTHERS = ("mean_exec_time", "stddev_exec_time", "min_exec_time", "max_exec_time", "duration")
_UTC_TIMES = Times(UTC)


def counters_of(
    values: Mapping[str, Sequence[Any]],
    columns: Mapping[str, Column],
    bad: dict[int, str],
    notes: ImportNotes,
    *,
    comma: bool = False,
    metric: str | None = None,
    times: Times = _UTC_TIMES,
) -> list[Counted | None]:
    """The counters of each row, None where `bad` says why there are none."""
    count = len(next(iter(values.values())))
    read = {
        name: _column(name, values[name], columns.get(name), bad, notes, comma=comma)
        for name in (*COUNTER_NAMES, *_OTHERS)
        if name in values
    }
    if "value" in values:
        _add_value(read, values["value"], metric or "calls", bad, notes, comma=comma)
    _complete(read, count)
    names = [name for name in COUNTER_NAMES if name in read]
    rows = zip(*(read[name] for name in names), strict=True) if names else iter([()] * count)
    zeros = [0.0] * count
    since = [_instant(value, times) for value in values.get("stats_since", ())]
    lowest, highest = read.get("min_exec_time", zeros), read.get("max_exec_time", zeros)
    return [
        None
        if index in bad
        else (
            Counters(**dict(zip(names, row, strict=True))),
            lowest[index],
            highest[index],
            since[index] if since else None,
        )
        for index, row in enumerate(rows)
    ]


def _column(
    name: str,
    values: Sequence[Any],
    column: Column | None,
    bad: dict[int, str],
    notes: ImportNotes,
    *,
    comma: bool,
) -> list[Any]:
    found = _numbers(name, values, bad, notes, comma=comma)
    if None in found:
        if name in _NEEDED:
            for index, value in enumerate(found):
                if value is None:
                    bad.setdefault(index, f"no value: {name}")
        found = [0 if value is None else value for value in found]
    scale = column.scale if column else 1.0
    return found if scale == 1.0 else [value * scale for value in found]


def _numbers(
    name: str, values: Sequence[Any], bad: dict[int, str], notes: ImportNotes, *, comma: bool
) -> list[Any]:
    def mark(index: int, problem: str) -> None:
        # an optional column that pandas left empty is NaN: no value, as an empty field is
        if problem != "NaN or infinite" or name in (*_NEEDED, "rows"):
            bad.setdefault(index, f"{problem}: {name}")

    if name in _FLOATS or name in _OTHERS:
        return numbers(values, mark, comma=comma)
    return whole_numbers(
        values,
        mark,
        lambda: notes.warn(f"{name} had fractions: rounded to whole numbers"),
        comma=comma,
    )


def _add_value(
    read: dict[str, list[Any]],
    values: Sequence[Any],
    metric: str,
    bad: dict[int, str],
    notes: ImportNotes,
    *,
    comma: bool,
) -> None:
    """The value of a series as the counter that it stands for."""
    missing: set[int] = set()
    found = _numbers(metric, values, bad, notes, comma=comma)
    for index, value in enumerate(found):
        if value is None:
            missing.add(index)
            bad.setdefault(index, "no value: value")
    read[metric] = [0 if value is None else value for value in found]
    if metric != "calls":
        read["calls"] = [1] * len(values)


def _complete(read: dict[str, list[Any]], count: int) -> None:
    """What follows from other columns: calls of single executions, totals of means."""
    if "calls" not in read and ("duration" in read or "mean_exec_time" in read or not read):
        read["calls"] = [1] * count
    if "calls" not in read:
        return
    calls = read["calls"]
    if "total_exec_time" not in read:
        mean = read.get("mean_exec_time") or read.get("duration")
        if mean is not None:
            read["total_exec_time"] = [n * m for n, m in zip(calls, mean, strict=True)]
    if "sum_squared_exec_time" in read or "total_exec_time" not in read:
        return
    if "stddev_exec_time" in read:
        read["sum_squared_exec_time"] = [
            n * (dev * dev + (total / n) ** 2) if n else 0.0
            for n, dev, total in zip(
                calls, read["stddev_exec_time"], read["total_exec_time"], strict=True
            )
        ]
    elif "duration" in read:
        read["sum_squared_exec_time"] = [
            n * d * d for n, d in zip(calls, read["duration"], strict=True)
        ]


def _instant(value: Any, times: Times) -> datetime | None:
    try:
        return None if value in (None, "") else times.read(value)
    except BadTime:
        return None
