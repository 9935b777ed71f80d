"""Numbers derived from plans."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.plans import (
    Plan,
    PlanNode,
    actual_rows_total,
    actual_selectivity,
    estimated_selectivity,
    is_underestimate,
    node_q_error,
    parse_plan,
    q_error,
    ratios,
    self_costs,
    self_times_ms,
)

FIXTURES = Path(__file__).parent / "fixtures"
ROWS = st.floats(min_value=0, max_value=1e12)


def load(name: str) -> Plan:
    return parse_plan((FIXTURES / f"{name}.json").read_text())


def node(node_type: str, *children: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A raw node; the children's relationships are given with them."""
    raw = {key.replace("_", " ").title(): value for key, value in values.items()}
    return {"Node Type": node_type, **raw, "Plans": list(children)}


def timed(node_type: str, ms: float, loops: float, *children: Any, **values: Any) -> dict[str, Any]:
    return node(
        node_type, *children, actual_total_time=ms, actual_loops=loops, actual_rows=1, **values
    )


@given(ROWS, ROWS)
def test_q_error_is_symmetric_and_at_least_one(estimated: float, actual: float) -> None:
    error = q_error(estimated, actual)
    assert error >= 1
    assert error == q_error(actual, estimated)
    assert not (is_underestimate(estimated, actual) and is_underestimate(actual, estimated))


@pytest.mark.parametrize(
    ("estimated", "actual", "error", "under"),
    [(1, 1000, 1000, True), (500, 5, 100, False), (0, 0, 1, False), (0.3, 0.9, 1, False)],
)
def test_q_error(estimated: float, actual: float, error: float, under: bool) -> None:
    assert q_error(estimated, actual) == error
    assert is_underestimate(estimated, actual) is under


def test_rows_and_selectivity() -> None:
    scan = PlanNode(
        node_type="Seq Scan",
        plan_rows=10,
        actual_rows=5,
        actual_loops=4,
        rows_removed_by_filter=15,
    )
    assert actual_rows_total(scan) == 20
    assert actual_selectivity(scan) == 0.25
    assert estimated_selectivity(scan, 1000) == 0.01
    assert estimated_selectivity(scan, 0) is None
    assert node_q_error(scan) == 2
    planned = PlanNode(node_type="Seq Scan", plan_rows=10)
    assert actual_rows_total(planned) is actual_selectivity(planned) is node_q_error(planned)
    never = PlanNode(node_type="Seq Scan", plan_rows=10, actual_rows=0, actual_loops=0)
    assert never.never_executed and node_q_error(never) is None
    assert actual_selectivity(never) is None


def test_estimated_selectivity_of_a_parallel_scan() -> None:
    scan = PlanNode(node_type="Seq Scan", plan_rows=25_000, parallel_aware=True)
    # 2 workers and a leader that gives 40 % of its time: 2.4 processes
    assert estimated_selectivity(scan, 60_000, workers_planned=2) == 1.0
    assert estimated_selectivity(scan, 120_000, workers_planned=2) == 0.5


def test_self_time_of_loops() -> None:
    plan = parse_plan(
        timed(
            "Nested Loop",
            100.0,
            1,
            timed("Seq Scan", 10.0, 1, parent_relationship="Outer"),
            timed("Index Scan", 0.08, 1000, parent_relationship="Inner"),
        )
    )
    assert self_times_ms(plan) == pytest.approx((10.0, 10.0, 80.0))


def test_self_time_of_never_executed_is_zero() -> None:
    plan = parse_plan(
        timed("Append", 5.0, 1, timed("Seq Scan", 0.0, 0, parent_relationship="Member"))
    )
    assert self_times_ms(plan) == (5.0, 0.0)


def test_self_time_of_parallel_workers_is_wall_clock() -> None:
    plan = parse_plan(
        timed(
            "Gather",
            100.0,
            1,
            timed(
                "Aggregate",
                90.0,
                3,
                timed("Seq Scan", 80.0, 3, parent_relationship="Outer"),
                parent_relationship="Outer",
            ),
        )
    )
    assert self_times_ms(plan) == pytest.approx((10.0, 10.0, 80.0))


def test_self_time_of_a_nested_loop_in_workers() -> None:
    plan = parse_plan(
        timed(
            "Gather",
            100.0,
            1,
            timed(
                "Nested Loop",
                90.0,
                2,
                timed("Seq Scan", 20.0, 2, parent_relationship="Outer"),
                timed("Index Scan", 0.1, 1000, parent_relationship="Inner"),
                parent_relationship="Outer",
            ),
        )
    )
    assert self_times_ms(plan) == pytest.approx((10.0, 20.0, 20.0, 50.0))


def test_subplan_time_is_taken_from_its_node() -> None:
    sub = timed("Aggregate", 0.5, 100, parent_relationship="SubPlan", subplan_name="SubPlan 1")
    plan = parse_plan(timed("Seq Scan", 60.0, 1, sub))
    assert self_times_ms(plan) == pytest.approx((10.0, 50.0))


@pytest.mark.parametrize(
    ("name", "text"),
    [("InitPlan 1 (returns $0)", "(a > $0)"), ("InitPlan 1", "(a > (InitPlan 1).col1)")],
)
def test_initplan_time_is_taken_from_its_reader(name: str, text: str) -> None:
    plan = parse_plan(
        timed(
            "Limit",
            51.0,
            1,
            timed("Aggregate", 30.0, 1, parent_relationship="InitPlan", subplan_name=name),
            timed("Seq Scan", 50.0, 1, filter=text, parent_relationship="Outer"),
        )
    )
    assert self_times_ms(plan) == pytest.approx((1.0, 30.0, 20.0))


def test_initplan_without_reader_is_taken_from_its_node() -> None:
    initplan = timed(
        "Aggregate", 30.0, 1, parent_relationship="InitPlan", subplan_name="InitPlan 1"
    )
    assert self_times_ms(parse_plan(timed("Result", 31.0, 1, initplan))) == (1.0, 30.0)


def test_similar_parameter_names_are_told_apart() -> None:
    first = "InitPlan 1 (returns $1)"
    plan = parse_plan(
        timed(
            "Append",
            100.0,
            1,
            timed("Result", 20.0, 1, parent_relationship="InitPlan", subplan_name=first),
            timed("Seq Scan", 40.0, 1, filter="(a > $10)", parent_relationship="Member"),
            timed("Seq Scan", 60.0, 1, filter="(a > $1)", parent_relationship="Member"),
        )
    )
    assert self_times_ms(plan) == pytest.approx((0.0, 20.0, 40.0, 40.0))


def test_cte_time_is_taken_from_the_scan_that_ran_it() -> None:
    plan = parse_plan(
        timed(
            "Hash Join",
            70.0,
            1,
            timed("Aggregate", 50.0, 1, parent_relationship="InitPlan", subplan_name="CTE s"),
            {**timed("CTE Scan", 1.0, 1, parent_relationship="Outer"), "CTE Name": "s"},
            {**timed("CTE Scan", 55.0, 1, parent_relationship="Inner"), "CTE Name": "s"},
        )
    )
    assert self_times_ms(plan) == pytest.approx((14.0, 50.0, 1.0, 5.0))


def test_no_times_without_analyze_or_timing() -> None:
    assert self_times_ms(parse_plan(node("Result", total_cost=1))) is None
    assert self_times_ms(load("auto_explain_16")) is None


def test_fixtures_by_hand() -> None:
    assert self_times_ms(load("initplan_13")) == pytest.approx((3.0, 2.0, 4.0))
    assert self_times_ms(load("initplan_17")) == pytest.approx((1.0, 4.5))


@pytest.mark.parametrize(
    "name",
    [
        "cte_15",
        "cte_18",
        "incremental_sort_15",
        "incremental_sort_18",
        "parallel_15",
        "parallel_18",
        "hash_spill_15",
    ],
)
def test_self_times_and_costs_add_up(name: str) -> None:
    plan = load(name)
    times = self_times_ms(plan)
    assert times is not None
    assert sum(times) == pytest.approx(plan.root.actual_total_time, rel=0.01)
    assert sum(self_costs(plan)) == pytest.approx(plan.root.total_cost, rel=1e-6)
    assert len(times) == len(self_costs(plan)) == len(list(plan.walk()))


def costed(node_type: str, cost: float, rows: float, *children: Any, **values: Any) -> Any:
    return node(node_type, *children, total_cost=cost, plan_rows=rows, **values)


def test_self_cost() -> None:
    scan = costed("Seq Scan", 80.0, 100, parent_relationship="Outer")
    assert self_costs(parse_plan(costed("Sort", 100.0, 100, scan))) == (20.0, 80.0)


def test_self_cost_of_the_inner_side_counts_its_loops() -> None:
    plan = parse_plan(
        costed(
            "Nested Loop",
            1000.0,
            100,
            costed("Seq Scan", 90.0, 100, parent_relationship="Outer"),
            costed("Index Scan", 9.0, 1, parent_relationship="Inner"),
        )
    )
    assert self_costs(plan) == pytest.approx((10.0, 90.0, 900.0))


def test_self_cost_under_limit_is_what_is_paid() -> None:
    scan = costed("Seq Scan", 1000.0, 1000, parent_relationship="Outer")
    assert self_costs(parse_plan(costed("Limit", 10.0, 10, scan))) == pytest.approx((0.0, 10.0))


def test_self_cost_of_a_subplan_is_what_its_node_cannot_explain() -> None:
    sub = costed("Aggregate", 8.0, 1, parent_relationship="SubPlan")
    assert self_costs(parse_plan(costed("Seq Scan", 800.0, 100, sub))) == pytest.approx((0, 800))


def test_ratios_of_nothing() -> None:
    assert ratios([0.0, 0.0]) == (0.0, 0.0)
    assert ratios([]) == ()


TREE: st.SearchStrategy[Any] = st.recursive(
    st.builds(lambda c, r: costed("Seq Scan", c, r), st.floats(0, 1e9), st.integers(0, 10**9)),
    lambda inner: st.builds(
        lambda kind, c, r, children: costed(
            kind,
            c,
            r,
            *({**child, "Parent Relationship": relationship} for relationship, child in children),
        ),
        st.sampled_from(["Nested Loop", "Hash Join", "Limit", "Gather"]),
        st.floats(0, 1e9),
        st.integers(0, 10**9),
        st.lists(
            st.tuples(st.sampled_from(["Outer", "Inner", "SubPlan", "InitPlan"]), inner),
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@given(TREE)
def test_self_costs_of_any_tree_add_up(tree: Any) -> None:
    plan = parse_plan(tree)
    costs = self_costs(plan)
    assert all(cost >= 0 for cost in costs)
    assert sum(costs) == pytest.approx(plan.root.total_cost, rel=1e-6, abs=1e-6)
