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

    @property
    def name(self) -> str:
        """For people: its name."""
        ...

    @property
    def digest(self) -> str:
        """Identifies the content."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of its columns."""
        ...

    @property
    def taken(self) -> Sequence[str]:
        """How it was understood, for the report."""
        ...

    @property
    def decimal_comma(self) -> bool:
        """True where numbers have a decimal comma."""
        ...

    def batches(self, columns: Sequence[int], refuse: Refuse) -> Iterator[Batch]:
        """The rows, only these columns of them."""
        ...
