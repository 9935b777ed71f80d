"""The first line of a plan node in EXPLAIN's text format. Source: ExplainNode in explain.c.

What text leaves out for brevity and JSON has is filled in: an alias that is the name, a forward
direction, an inner join.
"""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["HEADING", "node_of"]

_COST = r"  \(cost=(\d+\.\d\d)\.\.(\d+\.\d\d) rows=(\d+) width=(\d+)\)"
_ACTUAL = (
    r" {1,2}\((?:actual (?:time=(\d+\.\d+)\.\.(\d+\.\d+) )?rows=(\d+(?:\.\d+)?) loops=(\d+)"
    r"|(never executed))\)"
)
#: what a node is, what the planner expected, what happened
HEADING = re.compile(rf"(\S.*?)(?:{_COST})?(?:{_ACTUAL})?", re.DOTALL)

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".]+)'
_TARGET = re.compile(rf"(?:({_NAME})\.)?({_NAME})(?: ({_NAME}))?", re.DOTALL)
_JOIN = re.compile(
    r"(Nested Loop|Merge|Hash)"
    r"(?: (Left|Full|Right|Semi|Anti|Right Semi|Right Anti))?( Join)?"
)
_AGGREGATE = re.compile(r"(?:(Partial|Finalize) )?(Group|Hash|Mixed|)Aggregate")
_STRATEGY = {"": "Plain", "Group": "Sorted", "Hash": "Hashed", "Mixed": "Mixed"}
_SET_OP = re.compile(r"(Hash)?SetOp (Intersect|Except)( All)?")
_INDEX_SCAN = re.compile(
    rf"(Index Scan|Index Only Scan)( Backward)? using ({_NAME}) on (.*)", re.DOTALL
)
_BITMAP_INDEX_SCAN = re.compile(r"Bitmap Index Scan on (.*)", re.DOTALL)
_MODIFY = re.compile(r"(Insert|Update|Delete|Merge) on (.*)", re.DOTALL)
_FOREIGN = re.compile(r"Foreign (Scan|Insert|Update|Delete)(?: on (.*))?", re.DOTALL)
_CUSTOM = re.compile(r"Custom Scan \((.*?)\)(?: on (.*))?", re.DOTALL)
_SCAN = re.compile(r"([A-Z][\w ]*? Scan) on (.*)", re.DOTALL)
#: what a scan names beside its alias; a relation otherwise
_NAMED: Mapping[str, str | None] = {
    "Subquery Scan": None,
    "Values Scan": None,
    "CTE Scan": "CTE Name",
    "WorkTable Scan": "CTE Name",
    "Function Scan": "Function Name",
    "Table Function Scan": "Table Function Name",
    "Named Tuplestore Scan": "Tuplestore Name",
}


def node_of(line: str) -> dict[str, Any] | None:
    """The node whose first line this is, as JSON has it; None when it is none.

    >>> node_of("Parallel Seq Scan on t  (cost=0.00..9.00 rows=5 width=4)")["Relation Name"]
    't'
    """
    found = HEADING.fullmatch(line)
    if found is None:
        return None
    name = found[1]
    node: dict[str, Any] = {"Node Type": name, "Parallel Aware": name.startswith("Parallel ")}
    name = name.removeprefix("Parallel ")
    if name.startswith("Async "):
        name, node["Async Capable"] = name.removeprefix("Async "), True
    node.update(_kind(name))
    if found[2] is not None:
        node["Startup Cost"], node["Total Cost"] = float(found[2]), float(found[3])
        node["Plan Rows"], node["Plan Width"] = int(found[4]), int(found[5])
    if found[9] is not None or found[10] is not None:
        if found[6] is not None:
            node["Actual Startup Time"] = float(found[6])
            node["Actual Total Time"] = float(found[7])
        node["Actual Rows"], node["Actual Loops"] = float(found[8] or 0), int(found[9] or 0)
    return node


def _kind(name: str) -> dict[str, Any]:
    if found := _AGGREGATE.fullmatch(name):
        mode, strategy = found.groups()
        return {
            "Node Type": "Aggregate",
            "Strategy": _STRATEGY[strategy],
            "Partial Mode": mode or "Simple",
        }
    if found := _SET_OP.fullmatch(name):
        strategy = "Hashed" if found[1] else "Sorted"
        return {
            "Node Type": "SetOp",
            "Strategy": strategy,
            "Command": found[2] + (found[3] or ""),
        }
    found = _JOIN.fullmatch(name)
    if found is not None and (found[3] or name == "Nested Loop"):
        kind = found[1] if found[1] == "Nested Loop" else f"{found[1]} Join"
        return {"Node Type": kind, "Join Type": found[2] or "Inner"}
    return _scan(name)


def _scan(name: str) -> dict[str, Any]:
    if found := _INDEX_SCAN.fullmatch(name):
        return {
            "Node Type": found[1],
            "Scan Direction": "Backward" if found[2] else "Forward",
            "Index Name": _unquoted(found[3]),
            **_relation(found[4]),
        }
    if found := _BITMAP_INDEX_SCAN.fullmatch(name):
        return {"Node Type": "Bitmap Index Scan", "Index Name": _unquoted(found[1])}
    if found := _MODIFY.fullmatch(name):
        return {"Node Type": "ModifyTable", "Operation": found[1], **_relation(found[2])}
    if found := _FOREIGN.fullmatch(name):
        operation = "Select" if found[1] == "Scan" else found[1]
        return {"Node Type": "Foreign Scan", "Operation": operation, **_relation(found[2])}
    if found := _CUSTOM.fullmatch(name):
        return {
            "Node Type": "Custom Scan",
            "Custom Plan Provider": found[1],
            **_relation(found[2]),
        }
    if found := _SCAN.fullmatch(name):
        return {"Node Type": found[1], **_relation(found[2], _NAMED.get(found[1], _RELATION))}
    return {"Node Type": name}


_RELATION = "Relation Name"


def _relation(text: str | None, key: str | None = _RELATION) -> dict[str, Any]:
    """Schema, name and alias; the alias is left out where it is the name, and alone if no key."""
    found = _TARGET.fullmatch(text or "")
    if found is None:
        return {}
    schema, name, alias = (None if part is None else _unquoted(part) for part in found.groups())
    if key is None:
        return {"Alias": name}
    named = {key: name, "Alias": alias or name}
    return named if schema is None else {**named, "Schema": schema}


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
