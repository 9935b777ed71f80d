"""The comparison as a table, and as JSON to keep."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.tpch.run import QueryTime

__all__ = ["Times", "slower", "table", "write_json"]

#: query times by configuration, then by query
Times = Mapping[str, Mapping[str, QueryTime]]


def table(by_configuration: Times) -> str:
    """Seconds per query and in all, a column a configuration, as Markdown.

    Totals count a query that was cut off with the limit, so they are lower bounds then.
    """
    names = list(next(iter(by_configuration.values())))
    lines = [
        "| query | " + " | ".join(by_configuration) + " |",
        "|---|" + "---:|" * len(by_configuration),
    ]
    for name in names:
        cells = (_seconds(times[name]) for times in by_configuration.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| **total** | " + " | ".join(map(_total, by_configuration.values())) + " |")
    return "\n".join(lines)


def slower(
    before: Mapping[str, QueryTime], after: Mapping[str, QueryTime], *, ratio: float = 0.1
) -> list[str]:
    """Queries whose median grew by more than the ratio."""
    return [n for n, time in after.items() if time.median_ms > before[n].median_ms * (1 + ratio)]


def write_json(path: Path, by_configuration: Times) -> None:
    """Keep every single time."""
    kept = {
        name: {query: asdict(time) for query, time in times.items()}
        for name, times in by_configuration.items()
    }
    path.write_text(json.dumps(kept, indent=1))


def _seconds(time: QueryTime) -> str:
    if time.timed_out:
        return f">{time.median_ms / 1000:.0f}"
    return f"{time.median_ms / 1000:.2f}"


def _total(times: Mapping[str, QueryTime]) -> str:
    seconds = sum(time.median_ms for time in times.values()) / 1000
    return ("≥" if any(t.timed_out for t in times.values()) else "") + f"{seconds:.1f}"
