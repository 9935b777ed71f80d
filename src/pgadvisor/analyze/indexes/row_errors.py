"""Where the planner's row estimates were wrong in a logged plan, and what that does to a new one.

The cardinality of a set of tables does not depend on the plan, so it can be looked up in the
logged one. After Leis et al., "How Good Are Query Optimizers, Really?", PVLDB 9, 2015: two ways
in which a new index slows a query down are

- more rows than expected: an index scan, or the inner side of a nested loop, is run through one
  row after the other, that many times more;
- fewer rows than expected under LIMIT: an index read in order, filtering, until enough rows are
  found has to be read that many times further. How far depends on each value that is looked for,
  and a logged plan tells of one: between what the planner expects and the whole index everything
  is possible, so the geometric mean of both is taken, and as much doubt.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pgadvisor.plans import Plan, PlanNode
from pgadvisor.plans.measures import self_costs

__all__ = ["Aliases", "Visit", "row_errors", "visits"]

Aliases = frozenset[str]

#: Rounding and parallel workers make up errors below this.
_SMALLEST_ERROR = 2.0
_BLOCKING = ("Sort", "Hash", "Aggregate", "Bitmap Heap Scan", "Materialize", "SetOp", "WindowAgg")


@dataclass(frozen=True, slots=True)
class Visit:
    """A node of the new plan, with how much longer than planned it will be busy."""

    node: PlanNode
    #: the planner's, of this node alone over all its loops
    cost: float
    #: times more rows, or times further, at least 1
    growth: float
    #: its cost when it is not stopped early; the growth goes no further
    full_cost: float
    #: how far it is read depends on the value that is looked for
    is_doubtful: bool = False


def row_errors(observed: Plan | None) -> dict[Aliases, float]:
    """Actual by planned rows of each set of tables that the plan scans or joins; 1 when right.

    Left out is what says nothing: inner sides of nested loops (their rows are those of one outer
    row), and nodes that LIMIT may have stopped.
    """
    found: dict[Aliases, float] = {}
    stack = [] if observed is None else [(observed.root, False)]
    while stack:
        node, is_stopped = stack.pop()
        below = _is_stopped_below(node, is_stopped)
        stack.extend((child, below) for child in node.children if not _is_inner(node, child))
        aliases = _aliases(node)
        if aliases and node.actual_rows is not None and _is_relation(node) and not is_stopped:
            error = max(node.actual_rows, 1.0) / max(node.plan_rows, 1.0)
            is_wrong = error >= _SMALLEST_ERROR or error <= 1 / _SMALLEST_ERROR
            found[aliases] = error if is_wrong else 1.0
    return found


def visits(new: Plan, errors: Mapping[Aliases, float]) -> list[Visit]:
    """Each node of the new plan with what the errors do to it, in the order of `new.walk()`."""
    found = []
    costs = iter(self_costs(new))
    stack: list[tuple[PlanNode, float, bool, float]] = [(new.root, 1.0, False, 1.0)]
    while stack:
        node, above, is_stopped, further = stack.pop()
        own = 1.0 if is_stopped else _error(errors, _aliases(node))
        cost = next(costs)
        full_cost = max(node.total_cost, cost) if is_stopped else float("inf")
        doubt = _doubt(node, cost, full_cost) if is_stopped else 1.0
        growth = max(own, above, further, doubt)
        found.append(Visit(node, cost, growth, full_cost, is_doubtful=doubt > 1))
        below = _is_stopped_below(node, is_stopped)
        for child in reversed(node.children):
            loops = above
            if _is_inner(node, child):
                loops = max(above, _error(errors, _aliases(_outer(node))))
            rest = further if below and is_stopped else 1.0
            if below and not is_stopped:  # fewer rows than planned: read further
                rest = 1 / _error(errors, _aliases(child))
            stack.append((child, loops, below, max(rest, 1.0)))
    return found


def _doubt(node: PlanNode, cost: float, full_cost: float) -> float:
    """How much further than planned an index may have to be read until LIMIT is fulfilled."""
    if node.filter is None or not node.node_type.startswith("Index"):
        return 1.0
    return math.sqrt(full_cost / max(cost, 1e-9))


def _is_stopped_below(node: PlanNode, is_stopped: bool) -> bool:
    """Whether a LIMIT above may end the children of a node before they are through."""
    return node.node_type == "Limit" or (is_stopped and node.node_type not in _BLOCKING)


def _is_inner(node: PlanNode, child: PlanNode) -> bool:
    return node.node_type == "Nested Loop" and child.parent_relationship == "Inner"


def _outer(node: PlanNode) -> PlanNode:
    return next((c for c in node.children if c.parent_relationship == "Outer"), node)


def _aliases(node: PlanNode) -> Aliases:
    """The tables whose rows a node gives; those of subplans are not among them."""
    found = set()
    stack = [node]
    while stack:
        top = stack.pop()
        if top.alias is not None:
            found.add(top.alias)
        stack.extend(
            child
            for child in top.children
            if child.parent_relationship not in ("InitPlan", "SubPlan")
        )
    return frozenset(found)


def _error(errors: Mapping[Aliases, float], aliases: Aliases) -> float:
    """Of exactly these tables, else the largest of a part of them: errors grow with joins."""
    if aliases in errors:
        return errors[aliases]
    parts = [error for part, error in errors.items() if part < aliases and error > 1]
    return max(parts, default=1.0)


def _is_relation(node: PlanNode) -> bool:
    """A scan or join: what stands above may group, cut or repeat rows."""
    is_scan = node.alias is not None and node.node_type.endswith("Scan")
    return is_scan or node.node_type in ("Nested Loop", "Hash Join", "Merge Join")
