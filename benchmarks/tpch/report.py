"""The comparison as a table, and as JSON to keep."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.tpch.run import QueryTime

__all__ = ["Configurations", "read_json", "slower", "table", "write_json"]

#: query times by query, by configuration
Configurations = Mapping[str, Mapping[str, QueryTime]]


def table(configurations: Configurations) -> str:
    """Seconds per query and in all, a column a configuration, as Markdown.

    Totals count a query that was cut off with the limit, so they are lower bounds then.
    """
    names = list(next(iter(configurations.values())))
    lines = [
        "| query | " + " | ".join(configurations) + " |",
        "|---|" + "---:|" * len(configurations),
    ]
    for name in names:
        cells = (_seconds(times[name]) for times in configurations.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| **total** | " + " | ".join(map(_total, configurations.values())) + " |")
    return "\n".join(lines)


def slower(
    before: Mapping[str, QueryTime], after: Mapping[str, QueryTime], *, ratio: float = 0.1
) -> list[str]:
    """Queries whose median grew by more than the ratio."""
    return [n for n, time in after.items() if time.median_ms > before[n].median_ms * (1 + ratio)]


def write_json(path: Path, configurations: Configurations) -> None:
    """Keep every single time."""
    kept = {
        name: {query: asdict(time) for query, time in times.items()}
        for name, times in configurations.items()
    }
    path.write_text(json.dumps(kept, indent=1))


def read_json(path: Path) -> dict[str, dict[str, QueryTime]]:
    """What `write_json` kept; nothing when there is no such file."""
    if not path.exists():
        return {}
    return {
        name: {
            query: QueryTime(**{**time, "times_ms": tuple(time["times_ms"])})
            for query, time in times.items()
        }
        for name, times in json.loads(path.read_text()).items()
    }


def _seconds(time: QueryTime) -> str:
    if time.timed_out:
        return f">{time.median_ms / 1000:.0f}"
    return f"{time.median_ms / 1000:.2f}"


def _total(times: Mapping[str, QueryTime]) -> str:
    seconds = sum(time.median_ms for time in times.values()) / 1000
    return ("≥" if any(t.timed_out for t in times.values()) else "") + f"{seconds:.1f}"
