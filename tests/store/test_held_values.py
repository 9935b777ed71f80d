"""Columns that may hold values of the user's: found, masked in place, purged as documented."""

import re
from pathlib import Path

from pgadvisor.store import Store
from pgadvisor.store.held_values import HELD, rewrite
from pgadvisor.store.salt import load_salt

PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"
#: what columns with statements, plans and values are called
NAMES = {"query", "example_query", "plan", "extra", "parameters", "reason", "evidence"}
#: reasons of ours, from a fixed list or about masked texts
OWN_WORDS = {("gaps", "reason"), ("advice_silences", "reason")}


def test_every_column_with_values_is_listed(store: Store) -> None:
    with store.transaction() as conn:
        rows = conn.execute(
            """select c.relname, a.attname from pg_class c
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
               where c.relkind in ('r', 'p') and not c.relispartition
                 and c.relnamespace = current_schema()::regnamespace and a.attname = any(%s)""",
            [list(NAMES)],
        ).fetchall()
    listed = {(held.table, column) for held in HELD for column in held.columns}
    assert {(table, column) for table, column in rows} - listed - OWN_WORDS == set()


def test_only_changed_rows_are_written(store: Store) -> None:
    held = next(one for one in HELD if one.table == "unexplained")
    with store.transaction() as conn:
        conn.execute("insert into targets (name, conninfo, first_seen_at) values ('t', '', now())")
        conn.execute(
            """insert into unexplained select id, 1, g, 'reason ' || g, now()
               from targets, generate_series(1, 1200) g"""
        )
        changed = rewrite(
            conn,
            held,
            lambda row: {"reason": "masked"} if row["queryid"] % 3 == 0 else {},
        )
        found = conn.execute(
            "select count(*) filter (where reason = 'masked'), count(*) from unexplained"
        ).fetchone()
    assert changed == 400
    assert found == (400, 1200)


def test_the_documented_commands_work(store: Store) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", PRIVACY.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    with store.transaction() as conn:
        before = load_salt(conn)
        for block in blocks:
            conn.execute(block.encode())
        assert load_salt(conn) != before
