from typing import Any

import psycopg
import pytest

from pgadvisor.sql import parse
from pgadvisor.sql.reading_part import reading_part

STATEMENTS = [
    "update t set a = b + 1 from u where t.id = u.id and u.c = 5",
    "update t as x set a = default where x.b = 1",
    "update t set (a, b) = (select 1, 2) where id = 3",
    "with d as (select 1 as i) update t set a = 0 where id in (select i from d)",
    "delete from only t where a = 5 returning *",
    "delete from t using u where t.id = u.id",
    "insert into t (id) select id from u where c = 7",
    "with d as (select 1 as i) insert into t (id) select i from d",
    "select * from t",
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_the_server_plans_it_and_finds_the_same_rows(
    target_conn: psycopg.Connection[Any], text: str
) -> None:
    target_conn.execute(
        "create table t (id int, a int, b int); create table u (id int, c int);"
        "insert into t select g, g % 7, g % 3 from generate_series(1, 50) g;"
        "insert into u select g, g % 9 from generate_series(1, 20) g"
    )
    part = reading_part(parse(text))
    assert part is not None
    found = len(target_conn.execute(part.encode()).fetchall())
    assert target_conn.execute(text.encode()).rowcount == found


@pytest.mark.parametrize(
    "text", ["insert into t values (1)", "insert into t default values", "vacuum"]
)
def test_nothing_to_read(text: str) -> None:
    assert reading_part(parse(text)) is None


def test_merge(target_conn: psycopg.Connection[Any]) -> None:
    target_conn.execute("create table t (id int, a int); create table u (id int, c int)")
    merge = (
        "merge into t using (select * from u where c = 1) s on t.id = s.id"
        " when matched then update set a = 1 when not matched then insert values (s.id, 2)"
    )
    part = reading_part(parse(merge))
    assert part is not None
    plan = [row[0] for row in target_conn.execute(f"explain {part}".encode())]
    assert any("on t" in line for line in plan) and any("on u" in line for line in plan)
