import pytest

from pgadvisor.sql import parse, tables_of

CASES = [
    ("select 1", ()),
    ("select * from b, a.b, b", ("a.b", "b")),
    ("select * from f(1)", ()),
    ('select * from a join "My Table" using (id)', ("My Table", "a")),
    ("update t set a = 1 from u where exists (select 1 from s.w)", ("s.w", "t", "u")),
    ("merge into a using b on a.id = b.id when matched then delete", ("a", "b")),
    ("copy visits from stdin", ("visits",)),
    ("explain select * from t", ("t",)),
    ("create table x as select * from y", ("x", "y")),
    ("set work_mem = '1GB'", ()),
    # WITH queries are no tables where they are in scope
    ("with x as (delete from t returning *) select * from x", ("t",)),
    ("with orders as (select * from orders) select * from orders", ("orders",)),
    ("with recursive r as (select 1 union all select * from r) select * from r, s", ("s",)),
    ("with a as (select * from b), b as (select * from a) select * from a, b", ("b",)),
    ("with d as (select 1) insert into d select * from d", ("d",)),
    ("with z as (select 1) select * from s.z", ("s.z",)),
    ("select (with z as (select * from y) select 1 from z), * from z", ("y", "z")),
]


@pytest.mark.parametrize(("query", "tables"), CASES)
def test_tables_as_written(query: str, tables: tuple[str, ...]) -> None:
    assert tables_of(parse(query)) == tables
