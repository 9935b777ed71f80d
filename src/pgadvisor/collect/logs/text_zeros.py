"""What EXPLAIN's text format leaves out of a plan and its JSON format has: zeros, mostly."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["complete"]

Node = dict[str, Any]

#: counted where there is such a condition (show_instrumentation_count)
_COUNTED: Mapping[str, str] = {
    "Filter": "Rows Removed by Filter",
    "Join Filter": "Rows Removed by Join Filter",
}
_RECHECKED: Mapping[str, str] = {
    "Index Scan": "Index Cond",
    "Index Only Scan": "Index Cond",
    "Bitmap Heap Scan": "Recheck Cond",
}
_BLOCKS = (
    *(f"Shared {what} Blocks" for what in ("Hit", "Read", "Dirtied", "Written")),
    *(f"Local {what} Blocks" for what in ("Hit", "Read", "Dirtied", "Written")),
    *(f"Temp {what} Blocks" for what in ("Read", "Written")),
)
_IO_TIMES = (
    *(f"Shared I/O {what} Time" for what in ("Read", "Write")),
    *(f"Temp I/O {what} Time" for what in ("Read", "Write")),
)
_TIMES = ("Actual Startup Time", "Actual Total Time")


_RETURNING = re.compile(r"\breturning\b", re.IGNORECASE)
_ROWS_FROM = re.compile(r"\brows\s+from\b", re.IGNORECASE)


def complete(plan: Node, query: str) -> None:
    """Add to each node of a plan of `query` what its JSON has.

    Buffers and I/O times are known to be zero when another node has some.
    """
    nodes = list(_walk(plan))
    everywhere: Node = {}
    if any(key in node for node in nodes for key in _BLOCKS):
        everywhere.update(dict.fromkeys(_BLOCKS, 0))
    if any(key in node for node in nodes for key in _IO_TIMES):
        everywhere.update(dict.fromkeys(_IO_TIMES, 0.0))
    for node in nodes:
        zeros = {**_zeros(node), **everywhere}
        if "Actual Loops" in node:
            zeros.update(_zeros_of_execution(node, has_times="Actual Total Time" in plan))
        for key, zero in zeros.items():
            node.setdefault(key, zero)
        if node["Node Type"] == "ModifyTable":
            _mend_members(node, has_returning=_RETURNING.search(query) is not None)
        if node["Node Type"] == "Function Scan":
            _mend_function(node, has_rows_from=_ROWS_FROM.search(query) is not None)


def _walk(plan: Node) -> Iterator[Node]:
    stack = [plan]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.get("Plans", ()))


def _zeros(node: Node) -> Node:
    kind = node["Node Type"]
    if kind in ("Append", "Merge Append"):
        return {"Subplans Removed": 0}
    if kind == "Gather":
        return {"Single Copy": False}
    if kind == "Aggregate" and node.get("Strategy") in ("Hashed", "Mixed"):
        return {"Planned Partitions": 0}
    return {}


def _zeros_of_execution(node: Node, *, has_times: bool) -> Node:
    kind = node["Node Type"]
    zeros: Node = {count: 0 for condition, count in _COUNTED.items() if condition in node}
    if has_times and not node["Actual Loops"]:
        zeros.update(dict.fromkeys(_TIMES, 0.0))
    if _RECHECKED.get(kind) in node:
        zeros["Rows Removed by Index Recheck"] = 0
    if kind == "Bitmap Heap Scan":
        zeros.update({"Exact Heap Blocks": 0, "Lossy Heap Blocks": 0})
    if "HashAgg Batches" in node:
        zeros["Disk Usage"] = 0
    return zeros


def _mend_members(node: Node, *, has_returning: bool) -> None:
    """In PostgreSQL 13 what is below ModifyTable is a member, one for each target.

    From 14 on it has one child, and no rows unless RETURNING gives some.
    """
    children = [c for c in node.get("Plans", ()) if c["Parent Relationship"] in ("Outer", "Inner")]
    if len(children) > 1 or (node.get("Plan Rows", 0) > 0 and not has_returning):
        for child in children:
            child["Parent Relationship"] = "Member"


def _mend_function(node: Node, *, has_rows_from: bool) -> None:
    """ROWS FROM with several functions has no name, only an alias that looks like one."""
    calls = node.get("Function Call")
    is_several = "), " in calls if isinstance(calls, str) else has_rows_from
    if is_several and node.get("Function Name") == node.get("Alias"):
        node.pop("Function Name", None)
