"""The identity of a plan."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pgadvisor.plans import parse_plan, shape

FIXTURES = Path(__file__).parent / "fixtures"

JOIN: dict[str, Any] = {
    "Node Type": "Hash Join",
    "Join Type": "Inner",
    "Total Cost": 10.0,
    "Plan Rows": 5,
    "Hash Cond": "(a.id = b.id)",
    "Plans": [
        {"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "a"},
        {
            "Node Type": "Index Scan",
            "Parent Relationship": "Inner",
            "Relation Name": "b",
            "Index Name": "b_pkey",
            "Index Cond": "(id = 5)",
        },
    ],
}


def changed(path: tuple[int, ...] = (), **values: Any) -> dict[str, Any]:
    """JOIN with other values in the node at `path`."""
    copy = {**JOIN, "Plans": [dict(child) for child in JOIN["Plans"]]}
    node = copy
    for index in path:
        node = node["Plans"][index]
    node.update({key.replace("_", " ").title(): value for key, value in values.items()})
    return copy


def test_is_16_hex_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", shape(parse_plan(JOIN)))


@pytest.mark.parametrize(
    "same",
    [
        changed(total_cost=99.0, plan_rows=1),
        changed((1,), index_cond="(id = 6)"),
        changed((0,), schema="public", alias="x"),
        changed(actual_rows=3, actual_loops=1, workers_launched=2),
    ],
)
def test_same(same: dict[str, Any]) -> None:
    assert shape(parse_plan(same)) == shape(parse_plan(JOIN))


@pytest.mark.parametrize(
    "other",
    [
        changed(node_type="Merge Join"),
        changed(join_type="Left"),
        changed((0,), relation_name="c"),
        changed((1,), index_name="b_other"),
        changed((1,), node_type="Index Only Scan"),
        changed((1,), scan_direction="Backward"),
        changed((0,), parallel_aware=True),
        changed(strategy="Hashed"),
        {**JOIN, "Plans": JOIN["Plans"][::-1]},
        {**JOIN, "Plans": JOIN["Plans"][:1]},
    ],
)
def test_different(other: dict[str, Any]) -> None:
    assert shape(parse_plan(other)) != shape(parse_plan(JOIN))


def test_depth_counts() -> None:
    leaf = {"Node Type": "Result"}
    beside = {"Node Type": "Append", "Plans": [{**leaf}, {**leaf}]}
    below = {"Node Type": "Append", "Plans": [{**leaf, "Plans": [{**leaf}]}]}
    assert shape(parse_plan(beside)) != shape(parse_plan(below))


@pytest.mark.parametrize("name", ["cte", "incremental_sort", "memoize", "parallel"])
def test_the_same_on_15_and_18(name: str) -> None:
    digests = {
        shape(parse_plan((FIXTURES / f"{name}_{major}.json").read_text())) for major in (15, 18)
    }
    assert len(digests) == 1


def test_is_stable_across_processes() -> None:
    code = (
        "import sys; from pgadvisor.plans import parse_plan, shape;"
        "print(shape(parse_plan(sys.stdin.read())))"
    )
    text = (FIXTURES / "cte_18.json").read_text()
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert outputs == {shape(parse_plan(text))}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Scan Direction": "NoMovement"}, {"Scan Direction": "Forward"}),
        ({"Parent Relationship": "Member"}, {"Parent Relationship": "Outer"}),
    ],
)
def test_upgrade_changes_no_shape(before: dict[str, str], after: dict[str, str]) -> None:
    def plan(child: dict[str, str]) -> dict[str, object]:
        below = {"Node Type": "Index Scan", "Index Name": "i", **child}
        return {"Node Type": "ModifyTable", "Operation": "Update", "Plans": [below]}

    assert shape(parse_plan(plan(before))) == shape(parse_plan(plan(after)))
    assert shape(parse_plan(plan(after))) != shape(parse_plan(plan({})))
