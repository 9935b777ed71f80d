"""Reads a file that a test wrote, without a store."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgadvisor.collect.imports import FileSource, ImportOptions
from pgadvisor.records.imported import ImportNotes, Piece, SourceRow

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Read:
    """All that a file gave."""

    def __init__(self, pieces: Iterable[Piece], notes: ImportNotes) -> None:
        self.pieces = list(pieces)
        self.rows: list[SourceRow] = [row for piece in self.pieces for row in piece.rows]
        self.notes = notes
        self.refused = {reason: one.count for reason, one in notes.refused.items()}
        self.told = " / ".join((*notes.taken, *notes.warnings))

    def totals(self, name: str = "calls") -> dict[tuple[str, Any], float]:
        """Sums by database and text (or queryid)."""
        sums: Counter[tuple[str, Any]] = Counter()
        for row in self.rows:
            key = row.statement.query or row.statement.queryid
            sums[row.statement.database, key] += getattr(row.counters, name)
        return dict(sums)

    def covered(self, database: str) -> list[tuple[datetime, datetime]]:
        """Observed time, merged."""
        merged: list[tuple[datetime, datetime]] = []
        for piece in self.pieces:
            for since, until in piece.covered.get(database, ()):
                if merged and merged[-1][1] == since:
                    merged[-1] = (merged[-1][0], until)
                else:
                    merged.append((since, until))
        return merged


def read(path: Path, content: str | bytes, *, now: datetime = NOW, **options: Any) -> Read:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    source = FileSource(path, ImportOptions(**options))
    return Read(source.pieces(now=now), source.notes)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]], **dialect: Any) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
