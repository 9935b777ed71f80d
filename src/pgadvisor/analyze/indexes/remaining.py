"""What remains of a query's time with a new plan, from costs and from what was measured.

Two things that a logged plan with actual rows and times tells better than costs: nodes that stay
in the new plan keep their measured time (an index cannot take away what a query spends in its
aggregation, however small the planner's cost of it is), and where row estimates were wrong the
new plan is corrected for it (`row_errors`).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from pgadvisor.analyze.cost_model import Remaining
from pgadvisor.analyze.indexes.row_errors import Visit, row_errors, visits
from pgadvisor.plans import Plan, PlanNode
from pgadvisor.plans.measures import self_costs, self_times_ms
from pgadvisor.plans.shape import shape

__all__ = ["remaining"]

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
    if observed is not None and not observed.is_analyzed:
        observed = None
    times = _measured_times(base, observed) if observed is not None else None
    known = _known_nodes(base, times)
    rates = _scan_rates(known)
    misses = _miss_ratio(observed)
    general = 1 / max(base.root.total_cost, 1e-9)
    kept = costed = more_at_worst = 0.0
    worst = 1.0
    for visit in visits(new, row_errors(observed)):
        same = _same(known, visit.node)
        if same is None:
            rate = max(rates.get(visit.node.alias, 0.0), general)
            order_only = _ORDER_ONLY if _is_order_only(visit.node, new) else 1.0
            corrected = rate * order_only * _corrected(visit, pages, misses)
            costed += corrected
            if visit.is_doubtful:
                more_at_worst += rate * visit.full_cost - corrected
            worst = max(worst, visit.growth)
        elif times is not None and abs(visit.cost - same.cost) <= _SAME_COST * same.cost:
            kept += same.share
        else:  # the same node on another number of rows, or no time of it is known
            costed += same.share * visit.cost / max(same.cost, 1e-9)
    at_worst = kept + costed + more_at_worst
    return Remaining(kept=kept, costed=costed, at_worst=at_worst, row_error=worst)


def _same(known: Mapping[Signature, list[_Known]], node: PlanNode) -> _Known | None:
    """The same node in today's plan, each used once."""
    of_kind = known.get(_signature(node))
    return of_kind.pop() if of_kind else None


def _scan_rates(known: Mapping[Signature, list[_Known]]) -> dict[str | None, float]:
    """The share of the time per unit of cost that today's scan of each table takes.

    Where reading a table is dearer than its cost says, reading it by an index is too.
    """
    scans = [k for of_kind in known.values() for k in of_kind if k.alias and k.cost > 0]
    return {k.alias: k.share / k.cost for k in scans}


def _corrected(visit: Visit, pages: Mapping[str, int], misses: float) -> float:
    """The cost of a node when it meets more rows than the planner expected, or has to go further.

    What an index scan computes grows with the rows. What it reads does not grow beyond the table
    (as in index_pages_fetched of costsize.c), and not at all where all was found in memory.
    """
    node, cost, growth = visit.node, visit.cost, visit.growth
    of_table = pages.get(node.alias or "")
    is_index_scan = of_table is not None and node.node_type.startswith("Index")
    if growth <= 1 or of_table is None or not is_index_scan or visit.full_cost < float("inf"):
        return min(growth * cost, visit.full_cost)
    loops = max(cost / max(node.total_cost, 1e-9), 1.0)
    computing = min(loops * (_DESCENT + _ROW * node.plan_rows), cost)
    reading = cost - computing
    most = max(of_table * _RANDOM_PAGE, reading)
    more = min(growth * reading, most) - reading
    return growth * computing + reading + misses * more


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
