"""EXPLAIN's text format to the tree of its JSON format. Source: explain.c, PostgreSQL 13 to 18.

A node's lines stand two columns to the right of it, those of the nodes below it begin with an
arrow there. So the columns tell the tree. Constants may hold newlines, which are printed as they
are: a line goes on as long as a quote is open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pgadvisor.collect.logs.text_nodes import node_of
from pgadvisor.collect.logs.text_properties import read_property, settings_of
from pgadvisor.collect.logs.text_zeros import complete
from pgadvisor.records.log import LogSkip

__all__ = ["text_plan"]

#: the root is the one node at the margin; auto_explain always prints costs
_ROOT = re.compile(
    r"^\S[^\n]*  \(cost=\d+\.\d\d\.\.\d+\.\d\d rows=\d+ width=\d+\)[^\n]*$", re.MULTILINE
)
_PARAMETERS = re.compile(r"^Query Parameters: ", re.MULTILINE)
#: SQL with no quote, dollar quote or comment open at its end
_CLOSED = re.compile(
    r"""(?:[^'"$/\-eE]++|[eE]'(?:[^'\\]++|\\.|'')*+'|'(?:[^']++|'')*+'|"(?:[^"]++|"")*+\""""
    r"""|(\$\w*\$).*?\1|--[^\n]*+|/\*.*?\*/|\$(?!\w*\$)|/(?!\*)|-(?!-)|[eE](?!'))*+""",
    re.DOTALL,
)
_QUOTE = re.compile("['\"]")
_ARROW = "->  "
#: where the lines of a node stand, from its arrow on
_INSET = 6
_WORKER = re.compile(r"Worker (\d+):  ")
#: JSON of more levels is refused, too (plans.parse_plan)
_DEEPEST = 300
_MEMBERS = frozenset({"Append", "Merge Append", "BitmapAnd", "BitmapOr"})


def text_plan(text: str) -> dict[str, Any] | LogSkip:
    """The object that EXPLAIN (FORMAT JSON) gives for a plan of auto_explain in text format.

    Or why there is none: no plan in the text, or one that is too deep for what reads it.

    >>> found = text_plan('''Query Text: select 1
    ... Result  (cost=0.00..0.01 rows=1 width=4)
    ... Query Identifier: -5''')
    >>> found["Query Text"], found["Plan"]["Node Type"], found["Query Identifier"]
    ('select 1', 'Result', -5)
    """
    root = _root(text)
    if root is None:
        return LogSkip.TRUNCATED
    found = _before(text[:root])
    lines = list(_lines(text[root:]))
    inside = 1
    while inside < len(lines) and lines[inside].startswith(" "):
        inside += 1
    plan = _tree(lines[:inside])
    if isinstance(plan, LogSkip):
        return plan
    found["Plan"] = plan
    _read_rest(found, lines[inside:])
    complete(plan, found["Query Text"])
    return found


def _root(text: str) -> int | None:
    """Where the plan begins: a statement may hold lines that look like one, in quotes."""
    places = [found.start() for found in _ROOT.finditer(text)]
    for place in places:
        if len(places) == 1 or all(map(_CLOSED.fullmatch, _before(text[:place]).values())):
            return place
    return None


def _before(text: str) -> dict[str, Any]:
    """What auto_explain says of the statement; its parameters since 16."""
    text = text.removeprefix("Query Text: ").removesuffix("\n")
    places = [found.start() for found in _PARAMETERS.finditer(text)]
    for place in places:
        query = text[:place].removesuffix("\n")
        if _CLOSED.fullmatch(query):
            parameters = text[place:].partition(": ")[2]
            return {"Query Text": query, "Query Parameters": parameters}
    return {"Query Text": text}


def _lines(text: str) -> Iterator[str]:
    """Lines, those joined that a quote goes over; as they are when one never closes."""
    pending: list[str] = []
    quote = ""
    for line in text.split("\n"):
        pending.append(line)
        quote = _quote_after(line, quote)
        if not quote:
            yield "\n".join(pending)
            pending = []
    yield from pending


def _quote_after(line: str, quote: str) -> str:
    """The quote that is open behind a line, if any; a doubled one closes and opens."""
    for char in _QUOTE.findall(line):
        if not quote:
            quote = char
        elif char == quote:
            quote = ""
    return quote


@dataclass(slots=True)
class _Open:
    """A node whose lines are being read."""

    node: dict[str, Any]
    #: where its lines stand
    column: int
    #: "InitPlan 1" and the like, and where the node below it has its arrow
    label: str | None = None
    worker: dict[str, Any] | None = None


def _tree(lines: list[str]) -> dict[str, Any] | LogSkip:
    """The root of a plan with all that is below it."""
    root = node_of(lines[0])
    if root is None:
        return LogSkip.TRUNCATED
    stack = [_Open(root, 2)]
    for line in lines[1:]:
        text = line.lstrip(" ")
        column = len(line) - len(text)
        while len(stack) > 1 and column < stack[-1].column:
            stack.pop()
        if text.startswith(_ARROW):
            node = node_of(text.removeprefix(_ARROW))
            if node is not None:
                _add_child(stack[-1], node, column)
                stack.append(_Open(node, column + _INSET))
            if len(stack) > _DEEPEST:
                return LogSkip.TOO_DEEP
        else:
            _read_line(stack[-1], text, column)
    return root


def _add_child(parent: _Open, node: dict[str, Any], column: int) -> None:
    children = parent.node.setdefault("Plans", [])
    if column > parent.column and parent.label is not None:
        is_subplan = parent.label.startswith("SubPlan")
        node["Parent Relationship"] = "SubPlan" if is_subplan else "InitPlan"
        node["Subplan Name"] = parent.label
    else:
        node["Parent Relationship"] = _relationship(parent.node, children)
    children.append(node)


def _relationship(parent: dict[str, Any], children: list[dict[str, Any]]) -> str:
    if parent["Node Type"] in _MEMBERS:
        return "Member"
    if parent["Node Type"] == "Subquery Scan":
        return "Subquery"
    has_outer = any(child["Parent Relationship"] == "Outer" for child in children)
    return "Inner" if has_outer else "Outer"


def _read_line(open_: _Open, text: str, column: int) -> None:
    node = open_.node
    if found := _WORKER.match(text):
        open_.worker = {"Worker Number": int(found[1])}
        node.setdefault("Workers", []).append(open_.worker)
        read_property(open_.worker, text[found.end() :])
    elif column > open_.column and open_.worker is not None:
        read_property(open_.worker, text)
    elif column > open_.column:
        # the key that a grouping set is sorted by stands below it
        read_property(node, text)
    elif ": " not in text:
        open_.label = text
    else:
        read_property(node, text)


def _read_rest(found: dict[str, Any], lines: list[str]) -> None:
    """What stands behind the plan, at the margin."""
    under = ""
    for line in lines:
        key, _, value = line.partition(": ")
        if line.startswith(" "):
            if under == "JIT:":
                _read_jit(found.setdefault("JIT", {}), line.strip())
            continue
        under = line
        if key == "Settings":
            found["Settings"] = settings_of(value)
        elif key == "Query Identifier" and re.fullmatch(r"-?\d{1,19}", value):
            found["Query Identifier"] = int(value)
        elif trigger := _TRIGGER.fullmatch(line):
            found.setdefault("Triggers", []).append(_trigger(trigger))
        elif time := re.fullmatch(r"(Planning|Execution) Time: (\d+\.\d+) ms", line):
            found[f"{time[1]} Time"] = float(time[2])


_TRIGGER = re.compile(
    r"Trigger(?: (?!for constraint )(.+?))?(?: for constraint (.+?))?(?: on (.+?))?"
    r": (?:time=(\d+\.\d+) )?calls=(\d+)"
)


def _trigger(found: re.Match[str]) -> dict[str, Any]:
    named = {"Trigger Name": found[1], "Constraint Name": found[2], "Relation": found[3]}
    trigger: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
    if found[4] is not None:
        trigger["Time"] = float(found[4])
    return {**trigger, "Calls": int(found[5])}


def _read_jit(jit: dict[str, Any], line: str) -> None:
    key, _, value = line.partition(": ")
    if key == "Functions":
        jit[key] = int(value)
    elif key == "Options":
        jit[key] = {name: on == "true" for name, on in re.findall(r"(\w+) (true|false)", value)}
    elif key == "Timing":
        times = re.findall(r"(\w+) (\d+\.\d+) ms", value)
        jit[key] = {name: float(time) for name, time in times}
