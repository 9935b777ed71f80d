"""The identity of a plan: did the planner choose the same way again."""

from hashlib import blake2b

from pgadvisor.plans.node import Plan, PlanNode

__all__ = ["shape"]


def shape(plan: Plan) -> str:
    """16 hex digits, equal for plans of the same nodes, relations, indexes and join order.

    Costs, rows, constants, times and worker counts do not count; nor do schemas and aliases,
    which auto_explain prints only with some settings. A partition that was pruned does.
    What only an upgrade changes is left out: a scan of an index without order had the direction
    NoMovement before 16, and what is below ModifyTable was a Member before 14.

    >>> from pgadvisor.plans import parse_plan
    >>> one = parse_plan({"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 1})
    >>> two = parse_plan({"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 9})
    >>> shape(one) == shape(two)
    True
    """
    lines = []
    stack = [(plan.root, 0)]
    while stack:
        node, depth = stack.pop()
        lines.append(_line(node, depth))
        stack.extend([(child, depth + 1) for child in reversed(node.children)])
    return blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def _line(node: PlanNode, depth: int) -> str:
    parts = (
        str(depth),
        node.node_type,
        "Outer" if node.parent_relationship == "Member" else node.parent_relationship,
        node.relation_name,
        node.index_name,
        "Forward" if node.scan_direction == "NoMovement" else node.scan_direction,
        node.join_type,
        node.strategy,
        node.partial_mode,
        node.operation,
        node.command,
        node.cte_name,
        node.function_name,
        "parallel" if node.parallel_aware else None,
    )
    return "\x1f".join(part or "" for part in parts)
