"""Sizes of freshly built indexes, against pg_relation_size."""

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.records.what_if import IndexCandidate

if TYPE_CHECKING:
    from tests.analyze.conftest import Lab

SCHEMA = """
create table s as select g::bigint as id, (g::bigint * 7919 % 75000)::int as n,
    (g % 1000)::int as dup, (g / 1000 % 10)::smallint as ten, md5(g::text) as t,
    'user' || g || '@example.com' as email,
    (array['new', 'paid', 'shipped', 'returned'])[1 + g % 4] as status,
    (g * 1.37)::numeric(12, 2) as num, (g % 500 * 1.37)::numeric(12, 2) as numdup,
    gen_random_uuid() as u, now() - g * interval '1 s' as ts,
    case when g % 3 > 0 then g % 5000 end as nullable, sqrt(g) as f,
    date '2020-01-01' + g % 1500 as d, g % 2 = 0 as b
from generate_series(1, 100000) g
"""
KEYS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("id",), ()),
    (("n",), ()),
    (("dup",), ()),
    (("ten",), ()),
    (("t",), ()),
    (("email",), ()),
    (("status",), ()),
    (("num",), ()),
    (("numdup",), ()),
    (("u",), ()),
    (("ts",), ()),
    (("nullable",), ()),
    (("f",), ()),
    (("d",), ()),
    (("b",), ()),
    (("dup", "ten"), ()),
    (("status", "ts"), ()),
    (("email", "id"), ()),
    (("numdup", "id"), ()),
    (("dup",), ("id",)),
    (("n",), ("t",)),
    (("dup",), ("ten", "status")),
]


def test_a_fresh_index_is_as_big_as_estimated_give_or_take_a_quarter(lab: "Lab") -> None:
    lab.conn.execute(SCHEMA)
    lab.conn.execute("analyze s")
    table = next(iter(fetch_catalog(lab.target()).tables.values()))
    wrong = {}
    for columns, include in KEYS:
        candidate = IndexCandidate(
            table_oid=table.oid, schema="public", table="s", columns=columns, include=include
        )
        real = size_of(lab, columns, include)
        ratio = index_bytes(candidate, table) / real
        if not 0.75 <= ratio <= 1.25:
            wrong[columns, include] = ratio
    assert not wrong


def size_of(lab: "Lab", columns: tuple[str, ...], include: tuple[str, ...]) -> int:
    statement = sql.SQL("create index probe on s ({}) {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL("include ({})").format(sql.SQL(", ").join(map(sql.Identifier, include)))
        if include
        else sql.SQL(""),
    )
    with lab.conn.transaction(force_rollback=True):
        lab.conn.execute(statement)
        row = lab.conn.execute("select pg_relation_size('probe')").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("rows", [0.0, -1.0])
def test_a_table_without_a_row_count_has_an_index_of_a_page_or_two(lab: "Lab", rows: float) -> None:
    lab.conn.execute("create table s (id int)")
    table = next(iter(fetch_catalog(lab.target()).tables.values()))
    object.__setattr__(table, "reltuples", rows)
    candidate = IndexCandidate(table_oid=table.oid, schema="public", table="s", columns=("id",))
    assert 0 < index_bytes(candidate, table) <= 4 * 8192
