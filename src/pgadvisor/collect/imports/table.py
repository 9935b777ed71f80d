"""A file as columns of raw values, batch by batch: what the readers of files agree on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Batch", "Refuse", "Table"]

#: is told the reason and an example of a row that has no columns to speak of
Refuse = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, by column."""

    #: line (CSV) or row number (Parquet) of each row
    lines: Sequence[int]
    #: values by column, in the order that was asked for
    columns: Sequence[Sequence[Any]]
    #: share of the file that was read
    share: float


class Table(Protocol):
    """A file that can be read more than once."""

    #: for people: its name
    name: str
    #: identifies the content
    digest: str
    #: names of its columns
    names: Sequence[str]
    #: how it was understood, for the report
    taken: Sequence[str]
    #: true where numbers have a decimal comma
    decimal_comma: bool

    def batches(self, columns: Sequence[int], refuse: Refuse) -> Iterator[Batch]:
        """The rows, only these columns of them."""
        ...
