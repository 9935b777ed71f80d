"""How much work_mem a sort or hash would have needed to stay in memory.

From what the node did (rows, space on disk), in the terms of PostgreSQL's own memory accounting
(tuplesort.c, nodeHash.c, nodeAgg.c); checked against servers by tests/analyze/parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pgadvisor.plans import Plan, PlanNode
from pgadvisor.plans.measures import actual_rows_total

__all__ = ["MemoryRules", "need_bytes", "spilling_nodes"]

#: a SortTuple: pointer, first key, null flag, source tape
_SORT_TUPLE = 24
#: a MinimalTuple in memory begins with its header padded to 8 bytes
_TUPLE_HEADER = 16
#: a row on tape: 4 bytes of length, and the MinimalTuple less its first 10 bytes
_TAPE_LESS = 6
#: a sort of one by-value column keeps no tuple: 12 bytes a row on tape (tuplesort_begin_datum)
_DATUM_ON_TAPE = 13
#: processes share the rows of a scan anew in each run: how many more than before one may get
_UNEVEN = 1.25
#: a HashJoinTuple's header, and a bucket
_HASH_TUPLE = 16
_BUCKET = 8
#: beside the key: TupleHashEntry in a table that is half full, headers, transition states
_GROUP = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRules:
    """What of a server decides how far work_mem goes."""

    server_version_num: int
    hash_mem_multiplier: float

    @classmethod
    def of(cls, settings: Mapping[str, str], server_version_num: int) -> "MemoryRules":
        """From pg_settings; hash_mem_multiplier is 1 before PostgreSQL 15, then 2 by default."""
        version = server_version_num or 150000
        default = 2.0 if version >= 150000 else 1.0
        multiplier = float(settings.get("hash_mem_multiplier", default))
        return cls(server_version_num=version, hash_mem_multiplier=multiplier)


def spilling_nodes(plan: Plan) -> list[tuple[PlanNode, PlanNode | None]]:
    """The nodes that went to disk, each with its parent (None for the root)."""
    found = []
    stack: list[tuple[PlanNode, PlanNode | None]] = [(plan.root, None)]
    while stack:
        node, parent = stack.pop()
        if node.sort_space_type == "Disk" or (node.hash_batches or 1) > 1 or node.disk_usage:
            found.append((node, parent))
        stack.extend((child, node) for child in reversed(node.children))
    return found


def need_bytes(node: PlanNode, parent: PlanNode | None, given: MemoryRules) -> int:
    """Bytes of work_mem with which a node that went to disk would have stayed in memory."""
    if node.sort_space_type == "Disk":
        return int(_sort_bytes(node, parent, given))
    if (node.hash_batches or 1) > 1:
        return int(_hash_bytes(node) / given.hash_mem_multiplier)
    return int(_group_bytes(node) / given.hash_mem_multiplier)


def _sort_bytes(node: PlanNode, parent: PlanNode | None, given: MemoryRules) -> float:
    above = parent.node_type if parent is not None else ""
    is_limited = above == "Limit"
    on_disk = (node.sort_space_used or 0) * 1024
    by_width = node.plan_width + _TUPLE_HEADER - _TAPE_LESS + 4
    rows = _rows_in(node)
    if node.node_type == "Incremental Sort" or not rows:  # rows of the largest group: not known
        return on_disk / by_width * _sort_row(by_width, given, is_limited=is_limited)
    on_tape = on_disk / rows
    if on_tape > by_width and above == "Gather Merge":
        # the space is that of the process that had most rows, the rows are the mean
        on_tape = max(by_width, on_tape / 2)
        rows = on_disk / on_tape
    if above == "Gather Merge":
        rows *= _UNEVEN
    if is_limited and node.actual_rows:
        rows = min(rows, 2 * node.actual_rows)  # a bounded sort keeps up to twice what is wanted
    return rows * _sort_row(on_tape, given, is_limited=is_limited)


def _rows_in(node: PlanNode) -> float:
    """Rows sorted per process and loop: what the child gave, since a LIMIT may cut the output."""
    child = next(iter(node.children), node)
    loops = node.actual_loops or 1
    return (actual_rows_total(child) or 0.0) / loops


def _sort_row(on_tape: float, given: MemoryRules, *, is_limited: bool) -> float:
    """Bytes in memory of a row that takes `on_tape` bytes on tape."""
    version = given.server_version_num
    if on_tape < _DATUM_ON_TAPE and version >= 150000:
        return _SORT_TUPLE
    tuple_bytes = on_tape + _TAPE_LESS
    if is_limited or version < 150000:  # AllocSet: powers of two
        header = 8 if version >= 160000 else 16
        return _SORT_TUPLE + header + _power_of_two(tuple_bytes)
    # a generation context, since 17 a bump context without headers
    header = 24 if version < 160000 else 8 if version < 170000 else 0
    return _SORT_TUPLE + header + tuple_bytes + 4


def _hash_bytes(node: PlanNode) -> float:
    """Of all batches together: by rows and width, within what the number of batches allows.

    A parallel hash shares the memory of all its processes, so its need is divided by them.
    """
    processes = (node.actual_loops or 1) if node.parallel_aware else 1
    total = (actual_rows_total(node) or 0.0) if node.parallel_aware else (node.actual_rows or 0.0)
    row = _HASH_TUPLE + -(-(node.plan_width + _TUPLE_HEADER) // 8) * 8
    by_rows = total * row + _power_of_two(total) * _BUCKET
    most = (node.peak_memory_usage or 0) * 1024 * (node.hash_batches or 1)
    return min(max(by_rows, most / 2), most) / processes


def _group_bytes(node: PlanNode) -> float:
    groups = (node.actual_rows or node.plan_rows) + (node.rows_removed_by_filter or 0.0)
    return groups * (node.plan_width + _GROUP)


def _power_of_two(value: float) -> float:
    return float(1 << max(int(value) - 1, 1).bit_length())
