"""Plans in text format give the tree that the same server gives in JSON."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.cluster import Cluster
from pgadvisor.collect.logs.text_plan import text_plan
from pgadvisor.plans import Plan, PlanNode, parse_plan, shape

Conn = psycopg.Connection[Any]

SCHEMA = """
create schema "Odd";
create table t (id int primary key, k int, v text, d date default '2026-01-01', n numeric);
insert into t select g, g % 10, repeat('x', 20) || g, '2026-01-01', g
  from generate_series(1, 5000) g;
create index t_k on t (k);
create index t_v on t (lower(v));
create table "Odd"."the 'name" ("a'b" int, "c""d" text, e point);
insert into "Odd"."the 'name" select g, 'line ' || g || E'\\nnext', point(g, g)
  from generate_series(1, 50) g;
create index "an ""index" on "Odd"."the 'name" ("a'b");
create index nearest on "Odd"."the 'name" using gist (e);
create table p (id int, v text) partition by range (id);
create table p1 partition of p for values from (0) to (100);
create table p2 partition of p for values from (100) to (200);
create table p3 partition of p for values from (200) to (300);
insert into p select g, 'v' || g from generate_series(0, 299) g;
create table big as select g id, g % 100 k, md5(g::text) v from generate_series(1, 40000) g;
create table small (id int references t (id), w text);
insert into small select g, 'w' || g from generate_series(1, 20) g;
create function noop() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger "a trigger" before insert on small for each row execute function noop();
vacuum analyze;
"""

PARALLEL = (
    "parallel_setup_cost=0 parallel_tuple_cost=0 min_parallel_table_scan_size=0"
    " min_parallel_index_scan_size=0 max_parallel_workers_per_gather=1"
    " parallel_leader_participation=off"
)
#: statements with what is set for them
STATEMENTS = (
    ("select 1", ""),
    ("select * from t", ""),
    ("select * from t a where k = 3 and v like '%9%'", "enable_bitmapscan=off"),
    ("select * from t where k in (1, 2) or id = 7", "enable_seqscan=off"),
    ("select * from t where k = 3 and id < 500", "enable_seqscan=off"),
    ("select id from t where id between 5 and 50 order by id desc", ""),
    ("select id, v from t where lower(v) = 'a, (b'' [c' order by v, id desc limit 3", ""),
    ("select * from t where ctid = '(0,1)'", ""),
    ("select * from t where false", ""),
    ("select * from t where k = 3 and v = (select 'never') and 1 = (select 2)", ""),
    ("select count(*) from t tablesample system (50) repeatable (1)", ""),
    ("select * from generate_series(1, 10) g where g > 5", ""),
    ("select * from rows from (generate_series(1, 3), generate_series(1, 2)) as r (a, b)", ""),
    ("values (1, 'a'), (2, 'b')", ""),
    ("select * from (values (1), (2)) x (y) where y > 1", ""),
    ("select x.* from (select k, count(*) c from t group by k offset 0) x where c > 1", ""),
    ("select a.id from t a join t b using (id) where b.k = 1", "enable_nestloop=off"),
    ("select * from t a left join small b on a.id = b.id", "enable_mergejoin=off"),
    ("select * from t a full join small b on a.id = b.id", ""),
    ("select * from t a right join small b on a.id = b.id and a.k > 3", "enable_hashjoin=off"),
    ("select * from small b where exists (select 1 from t where t.id = b.id and t.k > 2)", ""),
    ("select * from small b where not exists (select 1 from t where t.id = b.id)", ""),
    ("select * from small a, small b where a.id > b.id and a.w || b.w <> 'w1w2'", ""),
    ("select * from small a left join t on t.id = a.id", "enable_hashjoin=off"),
    ("select *, (select max(v) from t where t.k = s.id) from small s", ""),
    ("select * from small where id in (select k from t) or id > (select avg(k) from t)", ""),
    ("select * from small where id not in (select id from t where k > 3)", ""),
    (
        "with c as materialized (select * from t where k = 1) "
        "select * from c a, c b where a.id = b.id and a.v = (select max(v) from t)",
        "",
    ),
    ("with recursive r as (select 1 i union all select i + 1 from r where i < 9) table r", ""),
    ("select k, count(*), sum(distinct id) from t group by k having count(*) > 3", ""),
    ("select v, count(*) from big group by v", "work_mem=64kB"),
    ("select k, v, grouping(k) from t group by grouping sets ((k), (v), (k, v), ())", ""),
    ("select k, id, count(*) from t group by rollup (k, id)", "enable_hashagg=off"),
    ("select distinct k from t", "enable_hashagg=off"),
    ("select k from t union select id from small", ""),
    ("select k from t intersect all select id from small", ""),
    ("select k from t except select id from small", "enable_hashagg=off"),
    ("select 1 union all select 2 union all select id from small", ""),
    ("select id, row_number() over (partition by k order by v) from t", "work_mem=64kB"),
    ("select * from big order by k, v, id", "work_mem=64kB"),
    ("select * from (select id, k from t order by id limit 100) x order by id, k", ""),
    ("select * from p where id < 150 and v <> 'it''s (a, b'", ""),
    ("select * from p order by id", "enable_sort=off"),
    ("update p set v = 'x' where id < 150", ""),
    ("update t set v = v || 'x' where id = 5 returning id, v", ""),
    ("delete from p where id = 5", ""),
    ("insert into small values (1, 'a'), (2, 'b')", ""),
    (
        "insert into t values (1, 2, 'x'), (99999, 1, 'y') "
        "on conflict (id) do update set v = excluded.v where t.k = 1",
        "",
    ),
    ("with x as (delete from small where id < 3 returning *) select count(*) from x", ""),
    ("select * from \"Odd\".\"the 'name\" \"an 'alias\" where \"c\"\"d\" <> E'a\\n  ->  b'", ""),
    (
        "select \"a'b\" from \"Odd\".\"the 'name\" where \"a'b\" = 3",
        "enable_seqscan=off enable_bitmapscan=off",
    ),
    ("select * from \"Odd\".\"the 'name\" order by e <-> point(1, 1) limit 2", ""),
    ("select * from t where id = 5 for update", ""),
    ("select unnest(array[1, 2]), id from small", ""),
    ("select * from small s, lateral (select * from t where t.id = s.id limit 1) x", ""),
    ("select count(*) from big where v <> 'x'", PARALLEL),
    ("select k, count(*), max(v) from big group by k order by k", PARALLEL),
    ("select * from big a join big b using (id) where a.k < 5", f"{PARALLEL} jit=off"),
    ("select * from big order by v limit 5", PARALLEL),
    ("select count(*) from t where k = 3", f"{PARALLEL} enable_seqscan=off"),
    ("select k from big union all select id from t", PARALLEL),
    ("select * from t a join t b on a.k = b.id and b.v > 'x'", "enable_hashjoin=off"),
    ("select sum(n * 2) over w, rank() over w from t window w as (order by k)", ""),
    ("select * from t where d = '2026-01-02' and exists (select 1 from small)", "jit_above_cost=0"),
)
OPTIONS = (
    "",
    "verbose",
    "analyze",
    "analyze, buffers, verbose, settings",
    "analyze, timing off, buffers off",
)
#: other in each execution: these are to be there in both, or in neither
VOLATILE = ("time", "blocks", "sort_space_used", "peak_memory_usage", "disk_usage")


@pytest.fixture(scope="module")
def plans_conn(target_cluster: Cluster) -> Iterator[Conn]:
    """A database with tables to plan on; nothing in it changes."""
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database text_plans")
    with psycopg.connect(target_cluster.dsn("text_plans"), autocommit=True) as conn:
        for statement in SCHEMA.split(";\n"):
            conn.execute(statement.encode())
        yield conn
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database text_plans")


def explained(conn: Conn, options: str, statement: str, settings: str) -> Any:
    """What EXPLAIN prints in a format; the statement leaves nothing behind."""
    with conn.transaction(force_rollback=True):
        for setting in settings.split():
            conn.execute(f"set local {setting.replace('=', ' to ', 1)}".encode())
        rows = conn.execute(f"explain ({options}) {statement}".encode()).fetchall()
    return rows[0][0] if "json" in options else "\n".join(row[0] for row in rows)


def both(conn: Conn, options: str, statement: str, settings: str) -> tuple[Plan, Plan]:
    """The plan by way of the text and of JSON."""
    chosen = f"{options}, " if options else ""
    as_json = explained(conn, f"{chosen}format json", statement, settings)
    text = explained(conn, f"{chosen}format text", statement, settings)
    found = text_plan(f"Query Text: {statement}\n{text}")
    assert found is not None
    assert json.loads(json.dumps(found)) == found
    return parse_plan(found), parse_plan(as_json)


def values(node: PlanNode, options: str) -> dict[str, Any]:
    """What of a node must be equal."""
    found = {
        field.name: getattr(node, field.name) for field in fields(node) if field.name != "children"
    }
    for name in found:
        if any(name.endswith(ending) for ending in VOLATILE):
            found[name] = found[name] is not None
    # whatever else a filter does, text says it only if it removed something
    if "verbose" not in options:
        # "try not to be too chatty about this in text mode"
        del found["inner_unique"]
    return found


@pytest.mark.parametrize("options", OPTIONS)
def test_text_gives_the_tree_of_json(plans_conn: Conn, options: str) -> None:
    for statement, settings in STATEMENTS:
        from_text, from_json = both(plans_conn, options, statement, settings)
        expected = [values(node, options) for node in from_json.walk()]
        if "buffers off" in options or not any(node["shared_hit_blocks"] for node in expected):
            pass
        assert [values(node, options) for node in from_text.walk()] == expected, statement
        assert shape(from_text) == shape(from_json), statement
        assert from_text.settings == from_json.settings, statement
        assert len(from_text.triggers) == len(from_json.triggers), statement
