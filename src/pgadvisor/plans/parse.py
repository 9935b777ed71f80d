"""EXPLAIN (FORMAT JSON) of PostgreSQL 13 to 18, and auto_explain's entries, to a `Plan`.

Keys are those of explain.c; a key that is not known is left out, so that a newer server's plans
can be read.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pgadvisor.errors import NotParsable
from pgadvisor.plans.node import Plan, PlanNode

__all__ = ["parse_plan"]

_NUMBER = frozenset({int, float})
_TYPES: dict[Any, tuple[frozenset[type], Any]] = {
    "str": (frozenset({str}), None),
    "str | None": (frozenset({str}), None),
    "bool": (frozenset({bool}), None),
    "int": (_NUMBER, int),
    "int | None": (_NUMBER, int),
    "float": (_NUMBER, float),
    "float | None": (_NUMBER, float),
    "tuple[str, ...]": (frozenset({list}), tuple),
}
#: where EXPLAIN's key is not the field's name with capitals
_KEYS = {
    "cte_name": "CTE Name",
    "one_time_filter": "One-Time Filter",
    "tid_cond": "TID Cond",
    "hashagg_batches": "HashAgg Batches",
    "shared_io_read_time": "Shared I/O Read Time",
    "shared_io_write_time": "Shared I/O Write Time",
    "temp_io_read_time": "Temp I/O Read Time",
    "temp_io_write_time": "Temp I/O Write Time",
    "rows_removed_by_filter": "Rows Removed by Filter",
    "rows_removed_by_join_filter": "Rows Removed by Join Filter",
    "rows_removed_by_index_recheck": "Rows Removed by Index Recheck",
}
_CUT_OFF = (
    "The log line was probably truncated by the log's transport; read the server's own file,"
    " or raise the limit of what forwards it."
)


def _readers() -> dict[str, tuple[str, frozenset[type], Any]]:
    found = {}
    for field in fields(PlanNode):
        name = str(field.type) if not isinstance(field.type, type) else field.type.__name__
        if name in _TYPES:
            key = _KEYS.get(field.name, field.name.replace("_", " ").title())
            found[key] = (field.name, *_TYPES[name])
    # Names of versions before 17.
    found["I/O Read Time"] = found["Shared I/O Read Time"]
    found["I/O Write Time"] = found["Shared I/O Write Time"]
    return found


_READERS = _readers()


def parse_plan(value: Any) -> Plan:
    """The plan in what EXPLAIN (FORMAT JSON) or auto_explain gives.

    `value` is JSON text or what it decodes to: EXPLAIN's list, one of its objects, auto_explain's
    object with "Query Text", or the bare root node. Raw newlines inside JSON strings, as some
    log transports make them, are accepted. Of several plans (a rule rewrote the query) the
    first counts. Raises `NotParsable` for anything else, and for a text that was cut off.

    >>> plan = parse_plan('[{"Plan": {"Node Type": "Result", "Total Cost": 0.01}}]')
    >>> plan.root.node_type, plan.root.total_cost
    ('Result', 0.01)
    """
    try:
        entry = _entry(_decoded(value) if isinstance(value, str | bytes) else value)
        return _plan(entry)
    except RecursionError as exc:
        raise NotParsable(
            "plan is nested too deeply", hint="It has more than some 300 levels; skip it."
        ) from exc


def _decoded(text: str | bytes) -> Any:
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as exc:
        raise _refused_json(exc) from exc
    except UnicodeDecodeError as exc:
        raise NotParsable(
            "plan is not valid UTF-8", hint="Read the log with the database's encoding."
        ) from exc


def _refused_json(exc: json.JSONDecodeError) -> NotParsable:
    rest = exc.doc[exc.pos :].strip()
    if not exc.doc.strip():
        return NotParsable("plan is empty", hint="Pass the output of EXPLAIN (FORMAT JSON).")
    if not rest or exc.msg.startswith("Unterminated string"):
        return NotParsable("plan is cut off", hint=_CUT_OFF, position=len(exc.doc))
    return NotParsable(
        f"plan is not JSON: {exc.msg[:1].lower()}{exc.msg[1:]}",
        hint="Use EXPLAIN (FORMAT JSON) and auto_explain.log_format = json.",
        position=exc.pos,
    )


def _entry(value: Any) -> Mapping[str, Any]:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, Mapping):
        if isinstance(value.get("Plan"), Mapping):
            return value
        if "Node Type" in value:
            return {"Plan": value}
    raise NotParsable(
        "no plan in the JSON value",
        hint="A plan has the key Plan or Node Type; utility statements have no plan.",
    )


def _plan(entry: Mapping[str, Any]) -> Plan:
    settings, jit = entry.get("Settings"), entry.get("JIT")
    return Plan(
        root=_node(entry["Plan"]),
        planning_time=_number(entry.get("Planning Time")),
        execution_time=_number(entry.get("Execution Time")),
        triggers=tuple(t for t in entry.get("Triggers") or () if isinstance(t, Mapping)),
        jit=jit if isinstance(jit, Mapping) else None,
        settings=settings if isinstance(settings, Mapping) else {},
        query_text=_text(entry.get("Query Text")),
        query_parameters=_text(entry.get("Query Parameters")),
        query_identifier=_identifier(entry.get("Query Identifier")),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _identifier(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _node(raw: Mapping[str, Any]) -> PlanNode:
    values: dict[str, Any] = {}
    for key, value in raw.items():
        reader = _READERS.get(key)
        if reader is None:
            continue
        name, types, convert = reader
        if type(value) not in types:
            raise _wrong(key, value)
        values[name] = value if convert is None else convert(value)
    if "node_type" not in values:
        raise NotParsable("a plan node has no Node Type", hint=_CUT_OFF)
    if not _SPECIAL.isdisjoint(raw):
        _read_groups(raw, values)
    children = raw.get("Plans")
    if children:
        values["children"] = _children(children)
    return PlanNode(**values)


def _children(raw: Any) -> tuple[PlanNode, ...]:
    if not isinstance(raw, list) or not all(isinstance(child, Mapping) for child in raw):
        raise _wrong("Plans", raw)
    return tuple([_node(child) for child in raw])


def _wrong(key: str, value: Any) -> NotParsable:
    return NotParsable(
        f"plan has {key} of type {type(value).__name__}",
        hint="It is not the output of EXPLAIN (FORMAT JSON).",
    )


_SPECIAL = frozenset({"Workers", "Full-sort Groups", "Pre-sorted Groups"})


def _read_groups(raw: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Numbers that EXPLAIN gives by worker or by group of an incremental sort.

    The one that needed most counts, disk before memory: it says whether work_mem was enough.
    """
    sorts = [_sort_of(worker) for worker in _mappings(raw.get("Workers"))]
    groups = {"Full-sort Groups": "full_sort_groups", "Pre-sorted Groups": "pre_sorted_groups"}
    for key, name in groups.items():
        group = raw.get(key)
        if isinstance(group, Mapping):
            values[name] = int(_number(group.get("Group Count")) or 0)
            sorts += _group_sorts(group)
    own = _sort_of(raw)
    found = [sort for sort in (own, *sorts) if sort is not None]
    if found:
        kind, used, method = max(found)
        values["sort_space_type"] = "Disk" if kind else "Memory"
        values["sort_space_used"], values["sort_method"] = used, method
    _read_worker_hash(raw, values)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _sort_of(raw: Mapping[str, Any]) -> tuple[bool, int, str] | None:
    method, used = raw.get("Sort Method"), _number(raw.get("Sort Space Used"))
    if not isinstance(method, str) or used is None:
        return None
    return raw.get("Sort Space Type") == "Disk", int(used), method


def _group_sorts(group: Mapping[str, Any]) -> list[tuple[bool, int, str]]:
    methods = group.get("Sort Methods Used")
    names = [m for m in methods if isinstance(m, str)] if isinstance(methods, list) else []
    found = []
    for kind in ("Memory", "Disk"):
        space = group.get(f"Sort Space {kind}")
        used = _number(space.get("Peak Sort Space Used")) if isinstance(space, Mapping) else None
        if used is not None:
            fitting = [m for m in names if m.startswith("external") == (kind == "Disk")]
            found.append((kind == "Disk", int(used), (fitting or names or [""])[0]))
    return found


def _read_worker_hash(raw: Mapping[str, Any], values: dict[str, Any]) -> None:
    for key in ("HashAgg Batches", "Disk Usage", "Peak Memory Usage"):
        name = _READERS[key][0]
        used = [_number(worker.get(key)) for worker in _mappings(raw.get("Workers"))]
        most = max((int(n) for n in used if n is not None), default=0)
        if most > (values.get(name) or 0):
            values[name] = most
