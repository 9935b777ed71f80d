"""Numbers derived from a plan: errors of estimates, rows, times and costs of each node alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgadvisor.plans.node import Plan, PlanNode

__all__ = [
    "actual_rows_total",
    "actual_selectivity",
    "estimated_selectivity",
    "is_underestimate",
    "node_q_error",
    "q_error",
    "ratios",
    "self_costs",
    "self_times_ms",
]

#: EXPLAIN prints two decimals: less is a node without cost, and nothing to divide by
_LEAST_COST = 0.005


def q_error(estimated: float, actual: float) -> float:
    """How many times an estimate is off, in either direction; 1 is exact.

    Both are clamped to at least one row, so that "no rows" is no infinite error. Source:
    Moerkotte, Neumann, Steidl: Preventing Bad Plans by Bounding the Impact of Cardinality
    Estimation Errors, VLDB 2009.

    >>> q_error(10, 1000), q_error(1000, 10), q_error(0, 0)
    (100.0, 100.0, 1.0)
    """
    estimated, actual = max(estimated, 1.0), max(actual, 1.0)
    return max(estimated / actual, actual / estimated)


def is_underestimate(estimated: float, actual: float) -> bool:
    """There were more rows than estimated: the direction that makes nested loops explode."""
    return max(actual, 1.0) > max(estimated, 1.0)


def node_q_error(node: PlanNode) -> float | None:
    """The error of a node's row estimate per loop; None when it was not executed.

    Below LIMIT, on the inner side of a semi or merge join and under EXISTS a node may be stopped
    early: its actual rows are then fewer than there are.
    """
    if node.actual_rows is None or node.never_executed:
        return None
    return q_error(node.plan_rows, node.actual_rows)


def actual_rows_total(node: PlanNode) -> float | None:
    """Rows over all loops and processes; None without ANALYZE.

    Before PostgreSQL 18 rows per loop are rounded, so with many loops this is off by up to half
    a row a loop.
    """
    if node.actual_rows is None or node.actual_loops is None:
        return None
    return node.actual_rows * node.actual_loops


def actual_selectivity(node: PlanNode) -> float | None:
    """Rows kept by the node's filters of those it looked at, 0..1; None when it looked at none."""
    if node.actual_rows is None:
        return None
    removed = (
        node.rows_removed_by_filter,
        node.rows_removed_by_join_filter,
        node.rows_removed_by_index_recheck,
    )
    seen = node.actual_rows + sum(rows or 0.0 for rows in removed)
    return node.actual_rows / seen if seen > 0 else None


def estimated_selectivity(
    node: PlanNode, table_rows: float, workers_planned: int = 0
) -> float | None:
    """The planner's share of a table's rows that a scan returns, 0..1; None for an empty table.

    Under a Gather the estimate is per process; `workers_planned` of that Gather turns it back
    (get_parallel_divisor in costsize.c).
    """
    if table_rows <= 0:
        return None
    leader = max(0.0, 1.0 - 0.3 * workers_planned) if workers_planned else 1.0
    divisor = workers_planned + leader if node.parallel_aware and workers_planned else 1.0
    return min(1.0, node.plan_rows * divisor / table_rows)


def ratios(values: Sequence[float]) -> tuple[float, ...]:
    """Each value's share of their sum, 0..1.

    >>> ratios([1.0, 3.0])
    (0.25, 0.75)
    """
    total = sum(values)
    return tuple(value / total if total > 0 else 0.0 for value in values)


def self_times_ms(plan: Plan) -> tuple[float, ...] | None:
    """Wall-clock ms spent in each node itself, in the order of `plan.walk()`.

    None without ANALYZE or with TIMING off. Below Gather the times of the processes, which run
    side by side, are averaged. A SubPlan's time is taken from its node, an InitPlan's from the
    node whose condition reads it, a CTE's from the CTE Scans that drive it. The sum is the root's
    time, apart from rounding.
    """
    if plan.root.actual_total_time is None:
        return None
    places = _places(plan)
    walls = [_wall_ms(place) for place in places]
    selfs = list(walls)
    for index, place in enumerate(places):
        for payer, share in _payers(index, place, places, walls):
            selfs[payer] -= share
    return tuple(max(0.0, value) for value in selfs)


def self_costs(plan: Plan) -> tuple[float, ...]:
    """The planner's cost of each node itself, in the order of `plan.walk()`.

    What a nested loop pays for running its inner side again, and a filter for its SubPlan, counts
    for the inner side and the SubPlan. Where a node stops its child early (LIMIT, merge joins) the
    child counts with the part that is paid. The sum is the root's total cost.
    """
    costs: list[float] = []
    stack = [(plan.root, plan.root.total_cost)]
    while stack:
        node, paid = stack.pop()
        parts = _child_costs(node)
        scale = paid / node.total_cost if node.total_cost >= _LEAST_COST else 0.0
        costs.append(max(0.0, paid - scale * sum(parts)))
        pairs = zip(node.children, parts, strict=True)
        stack.extend(reversed([(child, scale * part) for child, part in pairs]))
    return tuple(costs)


@dataclass(frozen=True, slots=True)
class _Place:
    """A node in its tree."""

    node: PlanNode
    parent: int | None
    #: processes that run the node side by side
    processes: float


def _places(plan: Plan) -> list[_Place]:
    places: list[_Place] = []
    stack = [_Place(plan.root, None, 1.0)]
    while stack:
        place = stack.pop()
        index = len(places)
        places.append(place)
        stack.extend(
            _Place(child, index, _processes(place, child))
            for child in reversed(place.node.children)
        )
    return places


def _processes(above: _Place, child: PlanNode) -> float:
    """The loops of a Gather's child are one per process; InitPlans are run by the leader."""
    node = above.node
    if node.node_type not in ("Gather", "Gather Merge"):
        return above.processes
    if child.parent_relationship == "InitPlan" or not child.actual_loops or not node.actual_loops:
        return above.processes
    return max(1.0, child.actual_loops / node.actual_loops)


def _wall_ms(place: _Place) -> float:
    node = place.node
    return (node.actual_total_time or 0.0) * (node.actual_loops or 0.0) / place.processes


def _payers(
    index: int, place: _Place, places: Sequence[_Place], walls: Sequence[float]
) -> list[tuple[int, float]]:
    """The nodes whose time includes this one's, with how much of it."""
    if place.parent is None:
        return []
    name = place.node.subplan_name or ""
    if place.node.parent_relationship != "InitPlan":
        return [(place.parent, walls[index])]
    if name.startswith("CTE "):
        return _cte_payers(name[4:], place.parent, walls[index], places, walls)
    return [(_initplan_reader(name, place.parent, walls[index], places, walls), walls[index])]


def _cte_payers(
    name: str, attached: int, wall: float, places: Sequence[_Place], walls: Sequence[float]
) -> list[tuple[int, float]]:
    """CTE Scans, slowest first: the one that comes first runs the CTE, the others read its store.

    What is left is the end of its parallel workers, which the attached node waits for.
    """
    scans = [i for i, other in enumerate(places) if other.node.cte_name == name]
    payers: list[tuple[int, float]] = []
    for scan in sorted(scans, key=lambda i: -walls[i]):
        share = min(wall, walls[scan])
        payers.append((scan, share))
        wall -= share
    return [*payers, (attached, wall)]


def _initplan_reader(
    name: str, attached: int, wall: float, places: Sequence[_Place], walls: Sequence[float]
) -> int:
    """The node that waited for an InitPlan: the first one below that reads it and took as long."""
    # "InitPlan 1 (returns $0)" and $0 before PostgreSQL 17, then "InitPlan 1" and (InitPlan 1).
    parameters = re.findall(r"\$\d+", name) or [f"({name})"]
    pattern = re.compile("|".join(rf"{re.escape(p)}(?!\d)" for p in parameters))
    for index in range(attached, len(places)):
        reads = any(pattern.search(text) for text in _expressions(places[index].node))
        is_own = places[index].node.subplan_name == name
        if reads and not is_own and walls[index] >= wall * 0.99:
            return index
    return attached


def _expressions(node: PlanNode) -> tuple[str, ...]:
    conditions = (
        node.filter,
        node.index_cond,
        node.recheck_cond,
        node.hash_cond,
        node.merge_cond,
        node.join_filter,
        node.one_time_filter,
        node.tid_cond,
    )
    return (*node.params_evaluated, *node.output, *(text for text in conditions if text))


def _child_costs(node: PlanNode) -> list[float]:
    """What the node's total cost holds for each child."""
    parts = [0.0 if c.parent_relationship == "SubPlan" else c.total_cost for c in node.children]
    rest = node.total_cost - sum(parts)
    if rest < 0:
        return [part * node.total_cost / sum(parts) for part in parts]
    more = {
        index: max(0.0, times * node.children[index].total_cost - parts[index])
        for index, times in _repeated(node).items()
    }
    wanted = sum(more.values())
    share = min(1.0, rest / wanted) if wanted > 0 else 0.0
    return [part + share * more.get(index, 0.0) for index, part in enumerate(parts)]


def _repeated(node: PlanNode) -> dict[int, float]:
    """Children that the node runs many times, with how often at most."""
    outer_rows = next((c.plan_rows for c in node.children if c.parent_relationship == "Outer"), 1.0)
    found: dict[int, float] = {}
    for index, child in enumerate(node.children):
        if child.parent_relationship == "SubPlan":
            # How often it runs is not in the plan: what the node cannot have spent otherwise.
            has_cost = child.total_cost >= _LEAST_COST
            found[index] = node.total_cost / child.total_cost if has_cost else 0.0
        elif node.node_type == "Nested Loop" and child.parent_relationship == "Inner":
            found[index] = max(1.0, outer_rows)
    return found
