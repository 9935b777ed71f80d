"""What `references` says an index could serve is what PostgreSQL's planner does with one.

For every column of every table a hypothetical index is made, alone, and the query planned with
the planner pushed towards indexes: the columns that appear in an Index Cond are compared with
those reported, in both directions.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor.cluster import Cluster
from pgadvisor.sql import parse, references
from pgadvisor.sql.uses import Disjunction, ExpressionPredicate, References

TABLES = {
    "t": ["id", "a", "b", "c", "d", "name"],
    "u": ["id", "tid", "x", "y", "z"],
    "v": ["id", "uid", "p", "q"],
}
PUSHED = (
    "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
    " set enable_material = off; set enable_memoize = off; set random_page_cost = 0.1;"
    " set max_parallel_workers_per_gather = 0; set jit = off"
)

QUERIES = [
    "select 1 from t where a = 1 and b > 5 and c between 1 and 2 and d in (1, 2)",
    "select 1 from t where a is null and b is not null",
    "select 1 from t where not (a < 5) and not (b <= 1 or c > 7)",
    "select 1 from t where a = 1 or b = 2",
    "select 1 from t where a = 1 or b = 2 or c <> 3",
    "select 1 from t where (a = 1 and b = 2) or (a = 1 and c = 3)",
    "select 1 from t where (a, b) > (1, 2)",
    "select 1 from t where a <> 1 and b not in (1, 2) and c is distinct from 3",
    "select 1 from t where lower(name) = 'x' and a + 1 = 5",
    "select 1 from t where a = (select max(x) from u)",
    "select 1 from t join u on u.tid = t.id where t.a = 5",
    "select 1 from t left join u on u.tid = t.id and u.x = 3 and t.a = 1 where t.b = 2",
    "select 1 from t left join u on u.tid = t.id where u.x = 5",
    "select 1 from t left join u on u.tid = t.id where u.x is null",
    "select 1 from t right join u on u.tid = t.id and t.a = 3",
    "select 1 from t join u using (id)",
    "select 1 from t left join u on u.tid = t.id where u.x + 1 = 5",
    "select 1 from t left join u on u.tid = t.id where u.x <> 5",
    "select 1 from t left join u on u.tid = t.id where not (u.x = 5)",
    "select 1 from t where a in (select x from u where u.tid = t.id)",
    "select 1 from t left join u using (id) where u.y = 3",
    "select 1 from t where exists (select 1 from u where u.tid = t.id and u.x = 1)",
    "select 1 from t where not exists (select 1 from u where u.tid = t.id)",
    "select 1 from t where id in (select tid from u where x = 1)",
    "select 1 from t where id not in (select tid from u where x = 1)",
    "select (select max(x) from u where u.tid = t.id) from t where t.a = 3",
    "select 1 from t, lateral (select * from u where u.tid = t.id limit 3) l where l.x = 1",
    "select 1 from (select id, a, b from t) s where s.a = 3 and s.b = 4",
    "select 1 from (select a, count(*) n from t group by a) s where s.a = 3 and s.n > 1",
    "select 1 from (select a from t union all select x from u) s where s.a = 3",
    "select 1 from (select a from t limit 10) s where s.a = 3",
    "select 1 from (select distinct on (a) a, b from t) s where s.a = 3 and s.b = 1",
    "select 1 from (select a, b, rank() over (partition by a) r from t) s where a = 3 and b = 1",
    "with s as (select * from t) select 1 from s where a = 1",
    "with s as materialized (select * from t) select 1 from s where a = 1",
    "with s as (select * from t) select 1 from s, s r where s.a = 1 and r.b = 2",
    "select 1 from u, v where v.uid = u.id and v.p = 7 and u.x > 3",
    "select 1 from t one join t two on two.id = one.b where two.a = 1",
    "update t set a = u.x from u where u.tid = t.id and t.c = 1",
    "delete from t using u where u.tid = t.id and u.z < 3",
    "insert into u (tid) select id from t where b = 3",
    "merge into t using u on t.id = u.tid when matched then update set a = u.x",
    "merge into t using u on t.id = u.tid and t.a = 3 when not matched then"
    " insert (id) values (u.tid)",
    "select 1 from t join u on t.a between u.x and u.y",
    "select 1 from t where id = any(array(select tid from u where z = 2))",
    "select 1 from t where (a, b) = (1, 2)",
    "select 1 from t where (a, b) in ((1, 2), (3, 4))",
    "select min(a) from t where b = 3",
]


@pytest.fixture(scope="module")
def server(hypopg: None, target_cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """One database for all queries: they are planned, not run."""
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database planned")
        with psycopg.connect(target_cluster.dsn("planned"), autocommit=True) as planned:
            make_tables(planned)
            yield planned
        conn.execute("drop database planned")


def make_tables(conn: psycopg.Connection[Any]) -> None:
    conn.execute("create extension hypopg")
    for table, columns in TABLES.items():
        numbers = [c for c in columns if c != "name"]
        conn.execute(
            sql.SQL("create table {} ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(
                        sql.Identifier(c), sql.SQL("text" if c == "name" else "int")
                    )
                    for c in columns
                ),
            )
        )
        conn.execute(
            sql.SQL("insert into {} ({}) select {} from generate_series(1, 3000) i").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, numbers)),
                sql.SQL(", ").join(sql.SQL("(i * 7919) % 1500") for _ in numbers),
            )
        )
    conn.execute("analyze")
    conn.execute(PUSHED)


def served_by_planner(server: psycopg.Connection[Any], query: str) -> set[tuple[str, str]]:
    """(table, column) of each index that appears with a condition in the plan."""
    found = set()
    for table, columns in TABLES.items():
        for column in columns:
            server.execute("select hypopg_reset()")
            create = sql.SQL("create index on {} ({})").format(
                sql.Identifier(table), sql.Identifier(column)
            )
            server.execute("select hypopg_create_index(%s)", (create.as_string(),))
            rows = server.execute(f"explain (format json) {query}").fetchone()
            assert rows is not None
            if any("Index Cond" in node for node in plan_nodes(rows[0][0]["Plan"])):
                found.add((table, column))
    return found


def plan_nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from plan_nodes(child)


def reported(found: References) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What a single index surely serves, and what it may serve."""
    sure, possible = set(), set()
    for table in found.tables:
        sure |= {(table.name, column) for column in table.leading_columns}
        possible |= {(table.name, test.column) for test in table.null_tests}
        possible |= {(table.name, column) for column in table.extremes}
        for disjunction in table.disjunctions:
            possible |= {(table.name, column) for column in arms(disjunction)}
    return sure, sure | possible


def arms(disjunction: Disjunction) -> set[str]:
    return {
        predicate.column
        for arm in disjunction.arms
        for predicate in arm
        if not isinstance(predicate, ExpressionPredicate)
    }


@pytest.mark.parametrize("query", QUERIES)
def test_agrees_with_the_planner(server: psycopg.Connection[Any], query: str) -> None:
    if query.startswith("merge") and server.info.server_version < 150000:
        pytest.skip("MERGE came with PostgreSQL 15")
    sure, possible = reported(references(parse(query), lambda schema, name: TABLES.get(name)))
    served = served_by_planner(server, query)
    assert served <= possible, "the planner uses an index that was not thought of"
    assert sure <= served, "an index was reported that the planner cannot use"
