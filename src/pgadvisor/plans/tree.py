"""A plan as lines to show: depth, label, details, and which nodes are hot."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgadvisor.plans.measures import node_q_error, ratios, self_costs, self_times_ms
from pgadvisor.plans.node import Plan, PlanNode

__all__ = ["HOT_RATIO", "PlanLine", "label", "plan_lines"]

#: a node with this share of all time (of all cost, where no time was measured) is hot
HOT_RATIO = 0.2

_AGGREGATES = {
    "Plain": "Aggregate",
    "Sorted": "GroupAggregate",
    "Hashed": "HashAggregate",
    "Mixed": "MixedAggregate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One node as a line of the tree."""

    depth: int
    label: str
    #: short sentences: conditions, rows, spills
    details: tuple[str, ...]
    is_hot: bool
    #: None where no time was measured
    self_time_ms: float | None
    self_time_ratio: float | None
    self_cost: float
    self_cost_ratio: float
    q_error: float | None
    node: PlanNode


def plan_lines(plan: Plan) -> tuple[PlanLine, ...]:
    """A line for each node, each before its children.

    >>> from pgadvisor.plans import parse_plan
    >>> plan = parse_plan({"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 9})
    >>> [(line.depth, line.label, line.is_hot) for line in plan_lines(plan)]
    [(0, 'Seq Scan on t', True)]
    """
    costs = self_costs(plan)
    cost_ratios = ratios(costs)
    times = self_times_ms(plan)
    time_ratios = ratios(times) if times is not None else None
    return tuple(
        PlanLine(
            depth=depth,
            label=label(node),
            details=tuple(_details(node)),
            is_hot=(time_ratios or cost_ratios)[index] >= HOT_RATIO,
            self_time_ms=times[index] if times is not None else None,
            self_time_ratio=time_ratios[index] if time_ratios is not None else None,
            self_cost=costs[index],
            self_cost_ratio=cost_ratios[index],
            q_error=node_q_error(node),
            node=node,
        )
        for index, (node, depth) in enumerate(_with_depth(plan.root))
    )


def label(node: PlanNode) -> str:
    """The node's heading as EXPLAIN's text format has it (ExplainNode in explain.c)."""
    parts = ["Parallel" if node.parallel_aware else "", _kind(node)]
    if node.scan_direction == "Backward":
        parts.append("Backward")
    if node.node_type == "Bitmap Index Scan":
        parts.append(f"on {_quoted(node.index_name or '')}")
    elif node.index_name:
        parts.append(f"using {_quoted(node.index_name)}")
    parts.append(_target(node))
    if node.subplan_name:
        parts.append(f"({node.subplan_name})")
    return " ".join(part for part in parts if part)


def _kind(node: PlanNode) -> str:
    if node.node_type == "Aggregate":
        partial = node.partial_mode if node.partial_mode not in (None, "Simple") else ""
        return f"{partial or ''} {_AGGREGATES.get(node.strategy or '', 'Aggregate')}".strip()
    if node.node_type == "SetOp":
        hashed = "HashSetOp" if node.strategy == "Hashed" else "SetOp"
        return f"{hashed} {node.command or ''}".strip()
    if node.node_type == "ModifyTable":
        return node.operation or node.node_type
    if node.join_type in (None, "Inner"):
        return node.node_type
    stem = node.node_type.removesuffix(" Join")
    return f"{stem} {node.join_type} Join"


def _target(node: PlanNode) -> str:
    name = node.relation_name or node.function_name or node.cte_name
    if name is None:
        return f"on {_quoted(node.alias)}" if node.alias else ""
    alias = f" {_quoted(node.alias)}" if node.alias and node.alias != name else ""
    return f"on {_quoted(name)}{alias}"


def _quoted(name: str) -> str:
    """As quote_identifier (ruleutils.c) does, but for key words, which nobody needs to copy."""
    if re.fullmatch("[a-z_][a-z0-9_]*", name):
        return name
    return '"' + name.replace('"', '""') + '"'


def _details(node: PlanNode) -> Iterator[str]:
    conditions = {
        "index": node.index_cond,
        "hash": node.hash_cond,
        "merge": node.merge_cond,
        "join filter": node.join_filter,
        "filter": node.filter,
        "one-time filter": node.one_time_filter,
    }
    yield from (f"{name}: {text}" for name, text in conditions.items() if text)
    if node.sort_key:
        yield f"sort by {', '.join(node.sort_key)}"
    if node.group_key:
        yield f"group by {', '.join(node.group_key)}"
    yield _rows(node)
    yield from _removed(node)
    yield from _memory(node)
    yield from _workers(node)
    if node.disabled:
        yield "disabled by a setting, and chosen for want of another way"


def _rows(node: PlanNode) -> str:
    if node.actual_rows is None:
        return f"{node.plan_rows:,.0f} rows estimated"
    if node.never_executed:
        return "never executed"
    loops = f" in each of {node.actual_loops:,.0f} loops" if (node.actual_loops or 0) > 1 else ""
    actual = f"{node.actual_rows:,.2f}".removesuffix(".00")
    return f"{actual} rows{loops}, {node.plan_rows:,.0f} estimated"


def _removed(node: PlanNode) -> Iterator[str]:
    removed = {
        "filter": node.rows_removed_by_filter,
        "join filter": node.rows_removed_by_join_filter,
        "recheck": node.rows_removed_by_index_recheck,
    }
    yield from (f"{rows:,.0f} rows removed by {by}" for by, rows in removed.items() if rows)
    if node.heap_fetches:
        yield f"{node.heap_fetches:,} heap fetches"


def _memory(node: PlanNode) -> Iterator[str]:
    if node.sort_method and node.sort_space_used is not None:
        where = "on disk" if node.sort_space_type == "Disk" else "in memory"
        yield f"{node.sort_method}, {node.sort_space_used:,} kB {where}"
    if (node.hash_batches or 1) > 1:
        yield f"hash in {node.hash_batches:,} batches, {node.peak_memory_usage or 0:,} kB in memory"
    if node.disk_usage:
        yield f"{node.disk_usage:,} kB on disk in {node.hashagg_batches or 0:,} batches"
    if node.cache_hits is not None:
        yield f"cache hit {node.cache_hits:,} times, missed {node.cache_misses or 0:,}"
    if node.lossy_heap_blocks:
        yield f"bitmap lossy for {node.lossy_heap_blocks:,} blocks"


def _workers(node: PlanNode) -> Iterator[str]:
    if node.workers_launched is not None:
        yield f"{node.workers_launched} of {node.workers_planned or 0} workers launched"
    elif node.workers_planned is not None:
        yield f"{node.workers_planned} workers planned"


def _with_depth(root: PlanNode) -> Iterator[tuple[PlanNode, int]]:
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend([(child, depth + 1) for child in reversed(node.children)])
