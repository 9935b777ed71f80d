"""The page of traps names tests, and they exist."""

import re

from tests.documented.tree import DOCS, ROOT, table_rows

PAGE = DOCS / "traps.md"


def test_every_named_test_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert len(named) > 60
    assert missing == []


def test_every_trap_has_a_test_or_a_reason() -> None:
    rows = [row for row in table_rows(PAGE) if not set(row[0]) <= set("-: ") and row[0] != "trap"]
    without = [row[0] for row in rows if len(row) == 4 and "::" not in row[3]]
    assert len(rows) >= 35
    assert without == []
