"""Names of columns: those that are known, and that the page names them all."""

from pathlib import Path

import pytest

from pgadvisor.collect.imports.columns import ALIASES, layout_of
from pgadvisor.records.statement import COUNTER_NAMES

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("field", "alias"), [(field, alias) for field, names in ALIASES.items() for alias in names]
)
def test_every_alias_is_known_and_documented(field: str, alias: str) -> None:
    assert list(layout_of([alias]).columns) == [field], alias
    assert f"`{alias}`" in PAGE


@pytest.mark.parametrize("name", [*ALIASES, *COUNTER_NAMES])
@pytest.mark.parametrize("change", [str, str.upper, lambda name: name.title().replace("_", "")])
def test_own_names_in_any_writing(name: str, change: type[str]) -> None:
    assert list(layout_of([change(name)]).columns) == [name]


def test_the_nearest_name_wins_and_the_other_is_told() -> None:
    layout = layout_of(["time", "captured_at", "total_time", "total_exec_time"])
    assert {name: column.name for name, column in layout.columns.items()} == {
        "captured_at": "captured_at",
        "total_exec_time": "total_exec_time",
    }
    assert layout.ignored == ("time", "total_time")


@pytest.mark.parametrize(
    ("name", "field", "scale", "counting"),
    [
        ("delta_calls", "calls", 1.0, "deltas"),
        ("rows_diff", "rows", 1.0, "deltas"),
        ("calls_total", "calls", 1.0, "cumulative"),
        ("pg_stat_statements_seconds_total", "total_exec_time", 1000.0, "cumulative"),
        ("Total Exec Time [us]", "total_exec_time", 1e-3, None),
        ("shared_blk_read_time_s", "shared_blk_read_time", 1000.0, None),
    ],
)
def test_units_and_counting_in_names(
    name: str, field: str, scale: float, counting: str | None
) -> None:
    column = layout_of([name]).columns[field]
    assert (column.scale, column.counting) == (scale, counting)


def test_units_are_for_times_only() -> None:
    assert layout_of(["calls_s", "rows_ms"]).columns == {}
