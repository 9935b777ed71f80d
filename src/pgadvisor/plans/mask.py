"""Masks a plan: every string of EXPLAIN's JSON that may hold values of the user's."""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["mask_explained", "mask_plan"]

# Keys of explain.c whose strings are names of the catalog or words of PostgreSQL. Whatever is
# not here, of custom scans and foreign data wrappers too, is taken for an expression.
_NAMES = frozenset(
    {
        *("Node Type", "Parent Relationship", "Subplan Name", "Parallel Aware", "Async Capable"),
        *("Relation Name", "Schema", "Alias", "Index Name", "CTE Name", "Function Name"),
        *("Table Function Name", "Tuplestore Name", "Custom Plan Provider", "Scan Direction"),
        *("Operation", "Command", "Join Type", "Strategy", "Partial Mode", "Inner Unique"),
        *("Sort Method", "Sort Methods Used", "Sort Space Type", "Cache Mode", "Storage"),
        *("Conflict Resolution", "Conflict Arbiter Indexes", "Trigger Name", "Constraint Name"),
        *("Relation", "Sampling Method", "Format"),
    }
)
#: settings that EXPLAIN (SETTINGS) prints and the analysis reads: numbers, units and words
_SETTING = re.compile(
    r"(?:enable_\w+|jit\w*|geqo\w*|(?:min|max)_parallel_\w+|parallel_\w+|\w+_cost|\w*work_mem"
    r"|\w+_buffers|effective_\w+|hash_mem_multiplier|(?:from|join)_collapse_limit"
    r"|cursor_tuple_fraction|constraint_exclusion|plan_cache_mode|recursive_worktable_factor"
    r"|debug_parallel_query|force_parallel_mode|maintenance_io_concurrency|search_path)"
)
#: of auto_explain since 16: "$1 = 'value', ..."; what may be kept of it stands elsewhere
PARAMETERS = "Query Parameters"


def mask_plan(plan: Mapping[str, Any], mask: Callable[[str], str]) -> dict[str, Any]:
    """The tree with all strings masked that are no names; `mask` gets each expression.

    >>> mask_plan({"Node Type": "Result", "Output": ["'secret'::text"]}, lambda text: "***")
    {'Node Type': 'Result', 'Output': ['***']}
    """
    return {key: _masked(key, value, mask) for key, value in plan.items()}


def mask_explained(explained: Mapping[str, Any], mask: Callable[[str], str]) -> dict[str, Any]:
    """EXPLAIN's object beside the tree (Triggers, Settings, JIT), without the parameters."""
    masked = mask_plan({k: v for k, v in explained.items() if k != PARAMETERS}, mask)
    settings = explained.get("Settings")
    if isinstance(settings, Mapping):
        masked["Settings"] = {
            key: value if _SETTING.fullmatch(key) else _masked(key, value, mask)
            for key, value in settings.items()
        }
    return masked


def _masked(key: str, value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return value if key in _NAMES else mask(value)
    if isinstance(value, list):
        return [_masked(key, one, mask) for one in value]
    if isinstance(value, Mapping):
        return mask_plan(value, mask)
    return value
