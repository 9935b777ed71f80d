"""EXPLAIN's tree: `Plan` and `PlanNode`, with EXPLAIN's own names in snake case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Plan", "PlanNode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """A plan node. What EXPLAIN did not print is None, False or empty; times are ms.

    All `actual_*` values are averages per loop, block counts are totals over loops.
    """

    node_type: str
    #: Outer, Inner, Member, Subquery, InitPlan or SubPlan; None for the root
    parent_relationship: str | None = None
    subplan_name: str | None = None
    parallel_aware: bool = False
    #: since 18: the planner had been told not to use this kind of node
    disabled: bool = False

    relation_name: str | None = None
    schema: str | None = None
    alias: str | None = None
    index_name: str | None = None
    scan_direction: str | None = None
    cte_name: str | None = None
    function_name: str | None = None
    operation: str | None = None
    command: str | None = None
    join_type: str | None = None
    strategy: str | None = None
    partial_mode: str | None = None
    inner_unique: bool = False
    single_copy: bool = False

    startup_cost: float = 0.0
    total_cost: float = 0.0
    plan_rows: float = 0.0
    plan_width: int = 0

    actual_startup_time: float | None = None
    actual_total_time: float | None = None
    #: fractional since 18, before rounded to whole rows
    actual_rows: float | None = None
    actual_loops: float | None = None

    filter: str | None = None
    index_cond: str | None = None
    recheck_cond: str | None = None
    tid_cond: str | None = None
    order_by: str | None = None
    hash_cond: str | None = None
    merge_cond: str | None = None
    join_filter: str | None = None
    one_time_filter: str | None = None
    cache_key: str | None = None
    rows_removed_by_filter: float | None = None
    rows_removed_by_join_filter: float | None = None
    rows_removed_by_index_recheck: float | None = None
    output: tuple[str, ...] = ()
    group_key: tuple[str, ...] = ()

    sort_key: tuple[str, ...] = ()
    presorted_key: tuple[str, ...] = ()
    #: of a parallel or incremental sort: the method of the process or group that needed most
    sort_method: str | None = None
    #: kB
    sort_space_used: int | None = None
    #: Memory or Disk
    sort_space_type: str | None = None
    #: of an Incremental Sort
    full_sort_groups: int | None = None
    pre_sorted_groups: int | None = None

    hash_buckets: int | None = None
    hash_batches: int | None = None
    original_hash_batches: int | None = None
    #: kB
    peak_memory_usage: int | None = None
    hashagg_batches: int | None = None
    planned_partitions: int | None = None
    #: kB
    disk_usage: int | None = None

    workers_planned: int | None = None
    workers_launched: int | None = None
    params_evaluated: tuple[str, ...] = ()

    heap_fetches: int | None = None
    exact_heap_blocks: int | None = None
    lossy_heap_blocks: int | None = None
    #: since 18
    index_searches: int | None = None
    #: of a Memoize node, since 14
    cache_hits: int | None = None
    cache_misses: int | None = None
    cache_evictions: int | None = None
    cache_overflows: int | None = None
    subplans_removed: int | None = None

    shared_hit_blocks: int | None = None
    shared_read_blocks: int | None = None
    shared_dirtied_blocks: int | None = None
    shared_written_blocks: int | None = None
    temp_read_blocks: int | None = None
    temp_written_blocks: int | None = None
    #: "I/O Read Time" before 17
    shared_io_read_time: float | None = None
    shared_io_write_time: float | None = None
    temp_io_read_time: float | None = None
    temp_io_write_time: float | None = None

    children: tuple["PlanNode", ...] = ()

    @property
    def is_analyzed(self) -> bool:
        """The plan was executed, not only made."""
        return self.actual_loops is not None

    @property
    def never_executed(self) -> bool:
        """The plan was executed and never came to this node."""
        return self.actual_loops == 0

    def walk(self) -> Iterator["PlanNode"]:
        """This node and all below it, each before its children, in EXPLAIN's order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole EXPLAIN or auto_explain entry."""

    root: PlanNode
    #: ms
    planning_time: float | None = None
    #: ms, triggers and start-up of the executor included
    execution_time: float | None = None
    triggers: tuple[Mapping[str, Any], ...] = ()
    jit: Mapping[str, Any] | None = None
    #: settings of the planner that are not the default, with EXPLAIN (SETTINGS)
    settings: Mapping[str, str] = field(default_factory=dict)
    query_text: str | None = None
    query_parameters: str | None = None
    query_identifier: int | None = None

    @property
    def is_analyzed(self) -> bool:
        """The plan was executed, not only made."""
        return self.root.is_analyzed

    def walk(self) -> Iterator[PlanNode]:
        """All nodes, each before its children, in EXPLAIN's order."""
        return self.root.walk()
