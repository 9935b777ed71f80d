"""docs/store.md has every table of the store, and every migration."""

import re

import psycopg
import pytest
from tests.documented.tree import DOCS, SOURCE, table_rows

from pgadvisor.config import Settings
from pgadvisor.records.statement import COUNTER_NAMES, GapReason
from pgadvisor.store import Store

PAGE = DOCS / "store.md"


def documented() -> set[str]:
    """First cells that are a single name in code."""
    return {row[0].strip("`") for row in table_rows(PAGE) if row[0].startswith("`")}


def test_tables_and_page_agree(empty_store: Store) -> None:
    with empty_store.transaction() as conn:
        rows = conn.execute(
            """select relname from pg_class
               where relnamespace = current_schema()::regnamespace
                 and relkind in ('r', 'p') and not relispartition"""
        ).fetchall()
    tables = {name for (name,) in rows}
    assert len(tables) > 20
    assert tables - documented() == set()


def test_no_table_is_invented(empty_store: Store) -> None:
    names = {
        row[0].strip("`")
        for row in table_rows(PAGE)
        if row[0].startswith("`") and len(row) == 3 and row[0] not in _OTHER_ROWS
    }
    with empty_store.transaction() as conn:
        rows = conn.execute(
            "select name, to_regclass(name) from unnest(%s::text[]) name", [list(names)]
        )
        missing = [name for name, found in rows if found is None]
    assert missing == []


_OTHER_ROWS = {f"`{reason}`" for reason in GapReason}


def test_every_migration_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    files = sorted((SOURCE / "store" / "migrations").glob("*.sql"))
    assert files
    assert [file.name for file in files if file.name not in text] == []


def test_every_reason_of_a_gap_is_explained() -> None:
    assert {str(reason) for reason in GapReason} - documented() == set()


def test_every_counter_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in COUNTER_NAMES if f"`{name}`" not in text] == []


def examples() -> list[str]:
    """SQL on the pages that is meant for the store."""
    text = PAGE.read_text(encoding="utf-8") + (DOCS / "operate.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    return [block for block in blocks if block.startswith(("SELECT", "DELETE"))]


@pytest.mark.parametrize("statements", examples())
def test_example_runs(empty_store: Store, store_settings: Settings, statements: str) -> None:
    """In a transaction that is rolled back."""
    assert store_settings.database_url
    with psycopg.connect(store_settings.database_url) as conn:
        conn.execute(statements.encode())
        conn.rollback()
