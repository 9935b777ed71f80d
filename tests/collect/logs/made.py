"""Lines as servers write them, and somebody who follows them."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgadvisor.collect.logs import read_log
from pgadvisor.records.log import LogBatch, LogPosition, LogSource


def explained(query: str) -> str:
    return json.dumps({"Query Text": query, "Plan": {"Node Type": "Result"}})


def line(query: str, **fields: Any) -> bytes:
    """A plan in the format jsonlog."""
    entry = {
        "timestamp": "2026-11-22 06:48:41.123 UTC",
        "user": "ann",
        "dbname": "shop",
        "pid": 7,
        "message": f"duration: 1.500 ms  plan:\n{explained(query)}",
        **fields,
    }
    return json.dumps(entry).encode() + b"\n"


def write(path: Path, content: bytes, second: int) -> Path:
    """Append, as of a second of our own counting: file times alone tell the order."""
    with path.open("ab") as file:
        file.write(content)
    os.utime(path, ns=(second * 10**9, second * 10**9))
    return path


@dataclass
class Reader:
    """Follows a log and remembers the queries."""

    source: LogSource
    position: LogPosition | None = None
    queries: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def read(self, **options: Any) -> LogBatch:
        batch = read_log(self.source, self.position, **options)
        self.position = batch.position
        self.queries += [capture.query for capture in batch.captures]
        self.gaps += [gap.reason for gap in batch.gaps]
        for reason, count in batch.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        return batch

    def read_all(self, **options: Any) -> None:
        while not self.read(**options).at_end:
            pass
