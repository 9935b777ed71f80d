"""Plans as lines to show."""

from pathlib import Path
from typing import Any

import pytest

from pgadvisor.plans import HOT_RATIO, PlanNode, label, parse_plan, plan_lines

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"node_type": "Seq Scan", "relation_name": "t", "alias": "t"}, "Seq Scan on t"),
        ({"node_type": "Seq Scan", "relation_name": "t", "alias": "x"}, "Seq Scan on t x"),
        (
            {"node_type": "Seq Scan", "relation_name": "t", "parallel_aware": True},
            "Parallel Seq Scan on t",
        ),
        (
            {
                "node_type": "Index Scan",
                "index_name": "i",
                "relation_name": "t",
                "scan_direction": "Backward",
            },
            "Index Scan Backward using i on t",
        ),
        ({"node_type": "Bitmap Index Scan", "index_name": "i"}, "Bitmap Index Scan on i"),
        ({"node_type": "Hash Join", "join_type": "Inner"}, "Hash Join"),
        ({"node_type": "Hash Join", "join_type": "Left"}, "Hash Left Join"),
        ({"node_type": "Nested Loop", "join_type": "Anti"}, "Nested Loop Anti Join"),
        ({"node_type": "Aggregate", "strategy": "Plain"}, "Aggregate"),
        ({"node_type": "Aggregate", "strategy": "Sorted"}, "GroupAggregate"),
        (
            {"node_type": "Aggregate", "strategy": "Hashed", "partial_mode": "Partial"},
            "Partial HashAggregate",
        ),
        (
            {"node_type": "Aggregate", "strategy": "Hashed", "partial_mode": "Simple"},
            "HashAggregate",
        ),
        ({"node_type": "ModifyTable", "operation": "Update", "relation_name": "t"}, "Update on t"),
        ({"node_type": "CTE Scan", "cte_name": "s", "alias": "s"}, "CTE Scan on s"),
        ({"node_type": "Subquery Scan", "alias": "s"}, "Subquery Scan on s"),
        (
            {"node_type": "Function Scan", "function_name": "generate_series", "alias": "g"},
            "Function Scan on generate_series g",
        ),
        ({"node_type": "SetOp", "strategy": "Hashed", "command": "Except"}, "HashSetOp Except"),
        ({"node_type": "Result", "subplan_name": "SubPlan 1"}, "Result (SubPlan 1)"),
    ],
)
def test_label_as_explain_writes_it(values: dict[str, Any], text: str) -> None:
    assert label(PlanNode(**values)) == text


def test_lines_of_a_measured_plan() -> None:
    lines = plan_lines(parse_plan((FIXTURES / "cte_18.json").read_text()))
    assert [line.depth for line in lines] == [0, 1, 2, 1, 2, 1, 1, 2]
    assert sum(line.self_time_ratio or 0 for line in lines) == pytest.approx(1)
    assert sum(line.self_cost_ratio for line in lines) == pytest.approx(1)
    hot = [line for line in lines if line.is_hot]
    assert hot
    assert all((line.self_time_ratio or 0) >= HOT_RATIO for line in hot)
    assert lines[0].q_error == pytest.approx(200 / 67)
    assert "200 rows, 67 estimated" in lines[0].details


def test_without_times_costs_say_what_is_hot() -> None:
    scan = {"Node Type": "Seq Scan", "Total Cost": 90, "Plan Rows": 1200, "Filter": "(a > 1)"}
    lines = plan_lines(parse_plan({"Node Type": "Sort", "Total Cost": 100, "Plans": [scan]}))
    assert [line.is_hot for line in lines] == [False, True]
    assert lines[1].self_time_ms is None and lines[1].self_cost == 90
    assert lines[1].details == ("filter: (a > 1)", "1,200 rows estimated")


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        (
            {"Sort Method": "external merge", "Sort Space Used": 5120, "Sort Space Type": "Disk"},
            "external merge, 5,120 kB on disk",
        ),
        (
            {"Hash Batches": 8, "Peak Memory Usage": 4096},
            "hash in 8 batches, 4,096 kB in memory",
        ),
        ({"HashAgg Batches": 5, "Disk Usage": 2048}, "2,048 kB on disk in 5 batches"),
        ({"Workers Planned": 2, "Workers Launched": 1}, "1 of 2 workers launched"),
        ({"Workers Planned": 2}, "2 workers planned"),
        ({"Rows Removed by Filter": 10000}, "10,000 rows removed by filter"),
        ({"Heap Fetches": 1234}, "1,234 heap fetches"),
        ({"Lossy Heap Blocks": 7}, "bitmap lossy for 7 blocks"),
        ({"Cache Hits": 90, "Cache Misses": 10}, "cache hit 90 times, missed 10"),
        ({"Actual Rows": 0, "Actual Loops": 0}, "never executed"),
        (
            {"Actual Rows": 0.33, "Actual Loops": 3, "Plan Rows": 2},
            "0.33 rows in each of 3 loops, 2 estimated",
        ),
        ({"Disabled": True}, "disabled by a setting, and chosen for want of another way"),
    ],
)
def test_details(values: dict[str, Any], detail: str) -> None:
    (line,) = plan_lines(parse_plan({"Node Type": "Sort", **values}))
    assert detail in line.details
