"""What remains of a query's time with a new plan, from costs and from what was measured.

Two things that a logged plan with actual rows and times tells better than costs:

- Nodes that stay in the new plan keep their measured time. An index cannot take away what a
  query spends in its aggregation, however small the planner's cost of it is.
- Where more rows came than the planner expected, a plan that visits rows one by one (an index
  scan, the inner side of a nested loop) costs that many times more. The cardinality of a set of
  tables does not depend on the plan, so it can be looked up in the logged one. After Leis et al.,
  "How Good Are Query Optimizers, Really?", PVLDB 9, 2015: nested loops on underestimates are
  what makes new indexes slow queries down.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from pgadvisor.analyze.cost_model import Remaining
from pgadvisor.plans import Plan, PlanNode
from pgadvisor.plans.measures import self_costs, self_times_ms
from pgadvisor.plans.shape import shape

__all__ = ["remaining"]

#: Rounding and parallel workers make up errors below this.
_SMALLEST_ERROR = 2.0
#: A node whose cost differs by less is the same node doing the same.
_SAME_COST = 0.1

#: To visit all rows in the order of an index, one by one, takes this many times longer per unit
#: of cost than to sort them: 100,000 rows of a cached table, cost 7,700 against 14,900, took 190
#: to 470 ms against 190 ms.
_ORDER_ONLY = 2.5

#: Of costsize.c with default settings: to descend a btree of two or three levels, to take a row
#: from it, and to read a page.
_DESCENT = 0.3
_ROW = 0.02
_RANDOM_PAGE = 4.0

Aliases = frozenset[str]
Signature = tuple[object, ...]


class _Known(NamedTuple):
    """A node of today's plan."""

    alias: str | None
    #: of the whole time
    share: float
    cost: float


def remaining(base: Plan, new: Plan, observed: Plan | None, pages: Mapping[str, int]) -> Remaining:
    """The share of today's time that is left with the new plan instead of the base plan.

    Both were made by the planner for the same text; `observed` was logged with actual rows.
    `pages` are the sizes of the tables, by alias.
    """
    is_observed = observed is not None and observed.is_analyzed
    factors = _underestimates(observed) if observed is not None and is_observed else {}
    times = _measured_times(base, observed) if observed is not None and is_observed else None
    known = _known_nodes(base, times)
    rates = _scan_rates(known)
    misses = _miss_ratio(observed)
    general = 1 / max(base.root.total_cost, 1e-9)
    kept = costed = 0.0
    worst = 1.0
    for node, cost, factor in _with_factors(new, factors):
        same = known[_signature(node)].pop() if known.get(_signature(node)) else None
        if same is None:
            if _is_order_only(node, new):
                cost *= _ORDER_ONLY
            rate = max(rates.get(node.alias, 0.0), general)
            costed += rate * _corrected(node, cost, factor, pages, misses)
            worst = max(worst, factor)
        elif times is not None and abs(cost - same.cost) <= _SAME_COST * same.cost:
            kept += same.share
        else:  # the same node on another number of rows, or no time of it is known
            costed += same.share * cost / max(same.cost, 1e-9)
    return Remaining(kept=kept, costed=costed, underestimate=worst)


def _scan_rates(known: Mapping[Signature, list[_Known]]) -> dict[str | None, float]:
    """The share of the time per unit of cost that today's scan of each table takes.

    Where reading a table is dearer than its cost says, reading it by an index is too.
    """
    scans = [k for of_kind in known.values() for k in of_kind if k.alias and k.cost > 0]
    return {k.alias: k.share / k.cost for k in scans}


def _corrected(
    node: PlanNode, cost: float, factor: float, pages: Mapping[str, int], misses: float
) -> float:
    """The cost of a node when it meets `factor` times more rows than the planner expected.

    What an index scan computes grows with the rows. What it reads does not grow beyond the table
    (as in index_pages_fetched of costsize.c), and not at all where all was found in memory.
    """
    of_table = pages.get(node.alias or "")
    if factor <= 1 or of_table is None or not node.node_type.startswith("Index"):
        return max(factor, 1.0) * cost
    loops = max(cost / max(node.total_cost, 1e-9), 1.0)
    computing = min(loops * (_DESCENT + _ROW * node.plan_rows), cost)
    reading = cost - computing
    most = max(of_table * _RANDOM_PAGE, reading)
    more = min(factor * reading, most) - reading
    return factor * computing + reading + misses * more


def _miss_ratio(observed: Plan | None) -> float:
    """The share of blocks that were not in shared buffers; 1 where that is not known."""
    if observed is None or observed.root.shared_hit_blocks is None:
        return 1.0
    read = observed.root.shared_read_blocks or 0
    blocks = observed.root.shared_hit_blocks + read
    return read / blocks if blocks else 1.0


def _is_order_only(node: PlanNode, plan: Plan) -> bool:
    """An index is read from end to end, only for its order."""
    is_whole = node.node_type == "Index Scan" and node.index_cond is None
    return is_whole and not any(other.node_type == "Limit" for other in plan.walk())


def _signature(node: PlanNode) -> Signature:
    """What a node does, without rows and costs."""
    return (
        node.node_type,
        node.parallel_aware,
        node.alias,
        node.index_name,
        node.join_type,
        node.strategy,
        node.partial_mode,
        node.subplan_name,
        node.index_cond,
        node.filter,
        node.hash_cond,
        node.merge_cond,
        node.join_filter,
        node.sort_key,
        node.group_key,
    )


def _measured_times(base: Plan, observed: Plan) -> tuple[float, ...] | None:
    """The time of each node, None when not measured or when the planner now chooses otherwise."""
    times = self_times_ms(observed) if shape(observed) == shape(base) else None
    return times if times is not None and sum(times) > 0 else None


def _known_nodes(base: Plan, times: tuple[float, ...] | None) -> dict[Signature, list[_Known]]:
    """For each node of today's plan its share of the time (else of the cost), and its cost."""
    found: dict[Signature, list[_Known]] = defaultdict(list)
    costs = self_costs(base)
    weights = times or costs
    total = sum(weights) or 1.0
    for node, weight, cost in zip(base.walk(), weights, costs, strict=True):
        found[_signature(node)].append(_Known(node.alias, weight / total, cost))
    return found


def _with_factors(
    new: Plan, factors: Mapping[Aliases, float]
) -> list[tuple[PlanNode, float, float]]:
    """Each node with its own cost and how many times more rows it will see than was planned."""
    found = []
    costs = iter(self_costs(new))
    stack: list[tuple[PlanNode, float]] = [(new.root, 1.0)]
    while stack:
        node, loops = stack.pop()
        own = _factor(factors, _aliases(node))
        found.append((node, next(costs), max(own, loops)))
        outer = [child for child in node.children if child.parent_relationship == "Outer"]
        for child in reversed(node.children):
            is_repeated = node.node_type == "Nested Loop" and child.parent_relationship == "Inner"
            more = _factor(factors, _aliases(outer[0])) if is_repeated and outer else 1.0
            stack.append((child, max(loops, more)))
    return found


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


def _factor(factors: Mapping[Aliases, float], aliases: Aliases) -> float:
    """Of exactly these tables, else the worst of a part of them: errors grow with joins."""
    if aliases in factors:
        return factors[aliases]
    return max((factor for part, factor in factors.items() if part < aliases), default=1.0)


def _underestimates(observed: Plan) -> dict[Aliases, float]:
    """Actual by estimated rows of each set of tables that the plan scans or joins, at least 1.

    Inner sides of nested loops are left out: their rows are those of one outer row.
    """
    found: dict[Aliases, float] = {}
    stack = [observed.root]
    while stack:
        node = stack.pop()
        for child in node.children:
            if not (node.node_type == "Nested Loop" and child.parent_relationship == "Inner"):
                stack.append(child)
        aliases = _aliases(node)
        if aliases and node.actual_rows is not None and _is_relation(node):
            error = node.actual_rows / max(node.plan_rows, 1.0)
            found[aliases] = error if error >= _SMALLEST_ERROR else 1.0
    return found


def _is_relation(node: PlanNode) -> bool:
    """A scan or join: what stands above may group, cut or repeat rows."""
    is_scan = node.alias is not None and node.node_type.endswith("Scan")
    return is_scan or node.node_type in ("Nested Loop", "Hash Join", "Merge Join")
