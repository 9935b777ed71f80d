"""Hypothetical indexes: what one is, and what the planner says when it has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["IndexCandidate", "WhatIf", "WhatIfPlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCandidate:
    """A btree index that is considered, on plain columns.

    ``descending`` is empty (all ascending) or has one flag a column.
    """

    table_oid: int
    schema: str
    table: str
    columns: tuple[str, ...]
    descending: tuple[bool, ...] = ()
    include: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns its key has."""
        return len(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfPlan:
    """The plan the planner takes with a configuration of hypothetical indexes."""

    #: planner units, of the top node
    total_cost: float
    #: the value of EXPLAIN's key "Plan"
    plan: Mapping[str, Any]
    #: the candidates that the plan really uses
    used: frozenset[IndexCandidate] = field(default_factory=frozenset)


class WhatIf(Protocol):
    """Asks the planner what a query would cost if some indexes existed; nothing is built.

    After Chaudhuri and Narasayya, "AutoAdmin 'What-if' Index Analysis Utility", SIGMOD 1998.
    """

    def cost(self, query: str, indexes: Sequence[IndexCandidate]) -> WhatIfPlan:
        """The plan of a query with exactly these indexes besides the existing ones.

        Raises `NotExplainable` or `UnsafeStatement` where the query has no plan.
        """
        ...

    def size_bytes(self, candidate: IndexCandidate) -> int:
        """The planner's estimate of the index's size on disk."""
        ...
