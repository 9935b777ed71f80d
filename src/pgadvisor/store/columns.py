"""Counters turned into columns, of which those that are zero throughout are left out."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from pgadvisor.records.statement import COUNTER_NAMES, Counters

__all__ = ["Column", "instant_of", "microseconds", "used_columns"]

#: as `struct` and `array` name them: bigint, double precision, boolean
Kind = Literal["q", "d", "?"]
_KINDS: dict[str, Kind] = {
    name: "d" if isinstance(zero, float) else "q" for name, zero in Counters()._asdict().items()
}
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: PostgreSQL's -infinity
_NEVER = -(2**63)


class Column(NamedTuple):
    """The values of one column, none of them null."""

    name: str
    kind: Kind
    values: Sequence[Any]


def used_columns(rows: Iterable[Counters]) -> list[Column]:
    """The columns of these counters that are not zero throughout, and calls in any case.

    >>> [column.name for column in used_columns([Counters(rows=3), Counters(calls=1)])]
    ['calls', 'rows']
    """
    columns = zip(COUNTER_NAMES, zip(*rows, strict=True), strict=False)
    return [
        Column(name, _KINDS[name], values)
        for name, values in columns
        if name == "calls" or any(values)
    ]


def microseconds(instant: datetime | None) -> int:
    """A timestamptz as PostgreSQL has it inside; -infinity for None."""
    return _NEVER if instant is None else (instant - _EPOCH) // _MICROSECOND


def instant_of(number: int) -> datetime | None:
    """The instant that `microseconds` made a number of."""
    return None if number == _NEVER else _EPOCH + number * _MICROSECOND
