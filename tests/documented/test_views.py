"""docs/views.md has every view and every column, with their comments; its examples run."""

import re

import psycopg
import pytest
from tests.documented.tree import DOCS
from tests.documented.views_reference import END, PAGE, START, render, with_tables

from pgadvisor.config import Settings
from pgadvisor.store import Store

_BARE = """
select c.relname, a.attname
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'pgadvisor'::regnamespace
"""


def test_page_is_fresh(empty_store: Store) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(START) == page.count(END) == 1
    with empty_store.transaction() as conn:
        assert page == with_tables(page, render(conn)), (
            "run PYTHONPATH=. .venv/bin/python tests/documented/views_reference.py"
        )


def test_every_view_and_column_is_on_the_page(empty_store: Store) -> None:
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |^<!--)", text, re.DOTALL | re.MULTILINE))
    with empty_store.transaction() as conn:
        found = conn.execute(_BARE).fetchall()
    assert {view for view, _ in found} == set(sections)
    assert len(sections) >= 20
    assert [pair for pair in found if f"`{pair[1]}`" not in sections[pair[0]]] == []


def test_every_view_has_a_comment_that_says_what_a_row_is(empty_store: Store) -> None:
    with empty_store.transaction() as conn:
        comments = conn.execute(
            """select relname, obj_description(oid, 'pg_class') from pg_class
               where relnamespace = 'pgadvisor'::regnamespace and relkind = 'v'"""
        ).fetchall()
    assert [name for name, text in comments if not (text or "").startswith("One row is ")] == []


def examples() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    return blocks


def test_the_role_of_the_page_reads_the_views_and_no_table(
    empty_store: Store, store_settings: Settings
) -> None:
    """Its statements are run, and the examples as that role; all of it is rolled back."""
    grants, *queries = examples()
    assert grants.startswith("CREATE ROLE grafana")
    assert len(queries) == 3
    assert store_settings.database_url
    with psycopg.connect(store_settings.database_url) as conn:
        conn.execute(grants.encode())
        conn.execute("set local role grafana")
        conn.execute("set local search_path = pgadvisor")
        for query in queries:
            conn.execute(query.encode())
        conn.execute("select * from queries").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute("select conninfo from public.targets")
        conn.rollback()


def test_the_views_show_no_connection_string(empty_store: Store) -> None:
    with empty_store.transaction() as conn:
        names = {name for _, name in conn.execute(_BARE)}
    assert not names & {"conninfo", "salt", "artifact"}


def test_the_page_is_linked() -> None:
    assert "(views.md)" in (DOCS / "index.md").read_text(encoding="utf-8")
