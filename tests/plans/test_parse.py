"""EXPLAIN (FORMAT JSON) of every supported version, and what is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.errors import NotParsable
from pgadvisor.plans import Plan, PlanNode, parse_plan

FIXTURES = Path(__file__).parent / "fixtures"


def load(name: str) -> Plan:
    return parse_plan((FIXTURES / f"{name}.json").read_text())


def nodes(plan: Plan, node_type: str) -> list[PlanNode]:
    return [node for node in plan.walk() if node.node_type == node_type]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_fixture(path: Path) -> None:
    value = json.loads(path.read_text())
    plan = parse_plan(value)
    assert plan == parse_plan(path.read_text()) == parse_plan(path.read_bytes())
    assert plan.is_analyzed
    assert all(node.total_cost > 0 and node.actual_loops for node in plan.walk())


def test_13_io_times_have_the_new_names() -> None:
    root = load("initplan_13").root
    assert (root.shared_io_read_time, root.shared_io_write_time) == (1.5, 0.0)
    assert (root.shared_hit_blocks, root.shared_read_blocks) == (5, 2)
    assert root.rows_removed_by_filter == 500
    assert root.children[0].subplan_name == "InitPlan 1 (returns $0)"


def test_14_memoize() -> None:
    root = load("memoize_14").root
    assert (root.cache_key, root.cache_hits, root.cache_misses) == ("t.a", 800, 200)
    assert (root.cache_evictions, root.cache_overflows, root.peak_memory_usage) == (3, 0, 22)
    assert root.children[0].heap_fetches == 7


def test_15_from_a_server() -> None:
    sort = load("incremental_sort_15").root
    assert (sort.presorted_key, sort.sort_method) == (("t.a",), "quicksort")
    assert (sort.full_sort_groups, sort.sort_space_type) == (200, "Memory")
    assert sort.sort_space_used and sort.sort_space_used > 0
    hashed = nodes(load("hash_spill_15"), "Hash")[0]
    assert hashed.hash_batches == 64 and hashed.original_hash_batches == 64
    assert nodes(load("hash_spill_15"), "Hash Join")[0].temp_written_blocks
    gather = nodes(load("parallel_15"), "Gather")[0]
    assert (gather.workers_planned, gather.workers_launched) == (2, 2)
    assert gather.children[0].partial_mode == "Partial"


def test_16_auto_explain() -> None:
    plan = load("auto_explain_16")
    assert plan.query_text == "select * from t where id = $1"
    assert plan.query_parameters == "$1 = '5'"
    assert plan.query_identifier == -7001234567890123456
    assert plan.settings == {"work_mem": "64MB"}
    assert plan.jit is not None and plan.jit["Functions"] == 3
    assert plan.execution_time is None
    assert (plan.root.actual_rows, plan.root.actual_total_time) == (1.0, None)
    assert plan.root.schema == "public"


def test_17_names() -> None:
    plan = load("initplan_17")
    assert plan.root.one_time_filter == "((InitPlan 1).col1 > 3)"
    assert (plan.root.shared_io_read_time, plan.root.temp_io_read_time) == (0.7, 0.1)
    assert plan.triggers[0]["Calls"] == 3


def test_18_fractions_and_flags() -> None:
    root = load("disabled_18").root
    assert (root.actual_rows, root.disabled, root.index_searches) == (0.33, True, 6)
    memoize = nodes(load("memoize_18"), "Memoize")[0]
    assert memoize.actual_rows == 1.0 or memoize.actual_rows == 0.99
    assert not memoize.disabled


def test_accepts_every_wrapping() -> None:
    node = {"Node Type": "Result", "Total Cost": 0.01, "Plan Rows": 1}
    expected = parse_plan([{"Plan": node}])
    for value in ({"Plan": node}, node, json.dumps(node), json.dumps([{"Plan": node}])):
        assert parse_plan(value) == expected
    assert not expected.is_analyzed and expected.root.actual_rows is None


def test_raw_newlines_in_strings() -> None:
    text = '{"Query Text": "select 1\n  from\tt", "Plan": {"Node Type": "Result"}}'
    assert parse_plan(text).query_text == "select 1\n  from\tt"


def test_sort_of_the_neediest_worker() -> None:
    node = {
        "Node Type": "Sort",
        "Sort Method": "quicksort",
        "Sort Space Used": 900,
        "Sort Space Type": "Memory",
        "Workers": [
            {"Worker Number": 0, "Sort Method": "quicksort", "Sort Space Used": 950},
            {
                "Worker Number": 1,
                "Sort Method": "external merge",
                "Sort Space Used": 800,
                "Sort Space Type": "Disk",
            },
        ],
    }
    root = parse_plan(node).root
    assert (root.sort_method, root.sort_space_used) == ("external merge", 800)
    assert root.sort_space_type == "Disk"


def test_incremental_sort_on_disk() -> None:
    groups = {
        "Group Count": 3,
        "Sort Methods Used": ["quicksort", "external merge"],
        "Sort Space Memory": {"Average Sort Space Used": 20, "Peak Sort Space Used": 30},
        "Sort Space Disk": {"Average Sort Space Used": 1, "Peak Sort Space Used": 5},
    }
    root = parse_plan({"Node Type": "Incremental Sort", "Pre-sorted Groups": groups}).root
    assert (root.sort_method, root.sort_space_used) == ("external merge", 5)
    assert (root.sort_space_type, root.pre_sorted_groups) == ("Disk", 3)


def test_hash_aggregate_of_workers() -> None:
    workers = [{"HashAgg Batches": 5, "Disk Usage": 800, "Peak Memory Usage": 4000}]
    node = {"Node Type": "Aggregate", "HashAgg Batches": 1, "Disk Usage": 0, "Workers": workers}
    root = parse_plan(node).root
    assert (root.hashagg_batches, root.disk_usage, root.peak_memory_usage) == (5, 800, 4000)


def test_unknown_keys_are_left_out() -> None:
    node = {"Node Type": "Quantum Scan", "Qubits": [1], "Plans": [{"Node Type": "Result"}]}
    plan = parse_plan(node)
    assert [n.node_type for n in plan.walk()] == ["Quantum Scan", "Result"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "plan is empty"),
        ("Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)", "plan is not JSON"),
        ('{"Plan": {"Node Type": "Seq Sc', "plan is cut off"),
        ('{"Plan": {"Node Type": "Seq Scan"', "plan is cut off"),
        ("[]", "no plan"),
        ("null", "no plan"),
        ('["Utility Statement"]', "no plan"),
        ('{"Plan": 1}', "no plan"),
        (b'{"\xff": 1}', "plan is not valid UTF-8"),
        ({"Plan": {"Total Cost": 1}}, "no Node Type"),
        ({"Node Type": 1}, "Node Type of type int"),
        ({"Node Type": "Result", "Total Cost": "1"}, "Total Cost of type str"),
        ({"Node Type": "Result", "Plans": {}}, None),
        ({"Node Type": "Result", "Plans": [1]}, "Plans of type list"),
        ({"Node Type": "Result", "Plans": {"a": 1}}, "Plans of type dict"),
        ({"Node Type": "Result", "Filter": ["x"]}, "Filter of type list"),
        (7, "no plan"),
    ],
)
def test_refuses(value: Any, message: str | None) -> None:
    if message is None:
        assert parse_plan(value).root.children == ()
        return
    with pytest.raises(NotParsable, match=message) as caught:
        parse_plan(value)
    assert caught.value.hint.endswith(".")


def test_deep_plans_are_refused_not_fatal() -> None:
    text = '{"Node Type":"Limit","Plans":[' * 20_000 + "]}" * 20_000
    with pytest.raises(NotParsable, match="deep"):
        parse_plan(text)
    value: dict[str, Any] = {"Node Type": "Limit"}
    for _ in range(5_000):
        value = {"Node Type": "Limit", "Plans": [value]}
    with pytest.raises(NotParsable, match="deep"):
        parse_plan(value)


def test_every_cut_of_a_plan_is_said_to_be_cut() -> None:
    text = (FIXTURES / "cte_18.json").read_text().strip()
    for length in range(1, len(text), 7):
        with pytest.raises(NotParsable) as caught:
            parse_plan(text[:length])
        assert caught.value.message.startswith(("plan is cut off", "plan is not JSON"))


KEYS = ["Plan", "Plans", "Node Type", "Workers", "Sort Method", "Sort Space Used", "Total Cost"]
KEYS += ["Full-sort Groups", "Group Count", "JIT", "Settings", "Triggers"]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
)


@given(JSON, st.sampled_from([json.dumps, lambda value: value]))
def test_any_value_parses_or_is_refused(value: Any, form: Callable[[Any], Any]) -> None:
    try:
        plan = parse_plan(form(value))
    except NotParsable:
        return
    assert plan.root.node_type is not None
