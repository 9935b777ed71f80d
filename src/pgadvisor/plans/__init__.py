"""EXPLAIN (FORMAT JSON): its tree, what can be derived from it, its identity, its lines."""

from pgadvisor.plans.mask import PARAMETERS, mask_explained, mask_plan
from pgadvisor.plans.measures import (
    actual_rows_total,
    actual_selectivity,
    estimated_selectivity,
    is_underestimate,
    node_q_error,
    q_error,
    ratios,
    self_costs,
    self_times_ms,
)
from pgadvisor.plans.node import Plan, PlanNode
from pgadvisor.plans.parse import parse_plan
from pgadvisor.plans.shape import shape
from pgadvisor.plans.tree import HOT_RATIO, PlanLine, label, plan_lines

__all__ = [
    "HOT_RATIO",
    "PARAMETERS",
    "Plan",
    "PlanLine",
    "PlanNode",
    "actual_rows_total",
    "actual_selectivity",
    "estimated_selectivity",
    "is_underestimate",
    "label",
    "mask_explained",
    "mask_plan",
    "node_q_error",
    "parse_plan",
    "plan_lines",
    "q_error",
    "ratios",
    "self_costs",
    "self_times_ms",
    "shape",
]
