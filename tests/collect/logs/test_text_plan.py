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
from pgadvisor.records.log import LogSkip

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
create extension file_fdw;
create server files foreign data wrapper file_fdw;
create foreign table empty (a int, b text) server files options (filename '/dev/null');
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
    ('select * from "Odd"."the \'name" "an \'alias" where "c""d" <> E\'a\\n  ->  b\'', ""),
    (
        'select "a\'b" from "Odd"."the \'name" where "a\'b" = 3',
        "enable_seqscan=off enable_bitmapscan=off",
    ),
    ('select * from "Odd"."the \'name" order by e <-> point(1, 1) limit 2', ""),
    ("select * from t where id = 5 for update", ""),
    ("select * from empty e join small s on e.a = s.id where w > 'x'", ""),
    ("select * from empty where a > 3", ""),
    ("select * from xmltable('/r' passing '<r/>' columns a int path 'a') x", ""),
    (
        "select count(*) from big b join small s on b.k = s.id",
        "enable_hashjoin=off enable_mergejoin=off",
    ),
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
#: of 15 and newer
NEWER_STATEMENTS = (
    (
        "merge into small s using (values (1), (2), (500)) v (i) on s.id = v.i "
        "when matched and s.id > 1 then delete when matched then update set w = 'x' "
        "when not matched then do nothing",
        "",
    ),
)
OPTIONS = (
    "",
    "verbose",
    "analyze",
    "analyze, buffers, verbose, settings",
    "analyze, timing off, buffers off",
)
#: other in each execution: these are to be there in both, or in neither
VOLATILE = (
    *("_time", "_blocks", "sort_space_used", "peak_memory_usage", "disk_usage"),
    "heap_fetches",  # what was rolled back is looked at once
)

BLOCKS = [
    f"{kind}_blocks"
    for kind in (
        *(f"shared_{what}" for what in ("hit", "read", "dirtied", "written")),
        "temp_read",
        "temp_written",
    )
]


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
            conn.execute("select set_config(%s, %s, true)", setting.split("="))
        rows = conn.execute(f"explain ({options}) {statement}".encode()).fetchall()
    return rows[0][0] if "json" in options else "\n".join(row[0] for row in rows)


def both(conn: Conn, options: str, statement: str, settings: str) -> tuple[Plan, Plan]:
    """The plan by way of the text and of JSON."""
    chosen = f"{options}, " if options else ""
    as_json = explained(conn, f"{chosen}format json", statement, settings)
    text = explained(conn, f"{chosen}format text", statement, settings)
    found = text_plan(f"Query Text: {statement}\n{text}")
    assert not isinstance(found, LogSkip)
    assert json.loads(json.dumps(found)) == found
    return parse_plan(found), parse_plan(as_json)


def values(node: PlanNode, options: str) -> dict[str, Any]:
    """What of a node must be equal."""
    found = {
        field.name: getattr(node, field.name) for field in fields(node) if field.name != "children"
    }
    for name in list(found):
        if "_io_" in name:
            del found[name]  # in text only where it is not zero
        elif name.endswith(VOLATILE):
            found[name] = found[name] is not None
    if "verbose" not in options:
        del found["inner_unique"]  # "try not to be too chatty about this in text mode"
    if found["scan_direction"] == "NoMovement":
        found["scan_direction"] = "Forward"  # text prints neither
    if found["parent_relationship"] == "Member":
        found["parent_relationship"] = "Outer"  # below ModifyTable it was a Member before 14
    return found


@pytest.mark.parametrize("options", OPTIONS)
def test_text_gives_the_tree_of_json(plans_conn: Conn, options: str) -> None:
    is_newer = plans_conn.info.server_version >= 150000
    for statement, settings in (*STATEMENTS, *(NEWER_STATEMENTS if is_newer else ())):
        from_text, from_json = both(plans_conn, options, statement, settings)
        expected = [values(node, options) for node in from_json.walk()]
        found = [values(node, options) for node in from_text.walk()]
        if not any(node["shared_hit_blocks"] for node in found):
            # nowhere a buffer: text then says nothing of buffers at all
            expected = [{**node, **dict.fromkeys(BLOCKS, False)} for node in expected]
        assert found == expected, statement
        assert shape(from_text) == shape(from_json), statement
        assert from_text.settings == from_json.settings, statement
        assert len(from_text.triggers) == len(from_json.triggers), statement


AUTO_EXPLAIN = """Query Text: select * from t -- it's
/* not 'this
Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)
*/ where v = 'a
Query Parameters: $9 = 1'
Query Parameters: $1 = 'x
Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)', $2 = NULL
Gather  (cost=1.00..2.50 rows=10 width=4) (actual time=0.500..1.250 rows=9.50 loops=2)
  Output: a, b
  Workers Planned: 2
  Workers Launched: 1
  Buffers: shared hit=1 read=2 dirtied=3 written=4, local hit=5, temp read=6 written=7
  I/O Timings: shared read=0.100 write=0.200, temp read=0.300
  WAL: records=1 fpi=2 bytes=30
  ->  Parallel Bitmap Heap Scan on t  (cost=0.00..1.50 rows=10 width=4) (never executed)
        Recheck Cond: (v = 'a
  ->  Seq Scan on fake  (cost=0.00..1.00 rows=1 width=4)
'::text)
        Filter: (k = 1)
        Worker 0:  actual time=0.100..0.200 rows=3 loops=1
          Buffers: shared hit=12
        Worker 1:  Sort Method: external merge  Disk: 4096kB
Settings: work_mem = '64kB', search_path = 'a, "b"'
Query Identifier: -42
JIT:
  Functions: 3
  Options: Inlining false, Optimization true, Expressions true, Deforming true
  Timing: Generation 0.500 ms (Deform 0.100 ms), Inlining 0.000 ms, Total 0.500 ms
Trigger for constraint fk on t: time=0.250 calls=2
Trigger "my trigger": calls=1"""


def test_what_surrounds_a_plan() -> None:
    found = text_plan(AUTO_EXPLAIN)
    assert not isinstance(found, LogSkip)
    lines = AUTO_EXPLAIN.split("\n")
    assert found["Query Text"] == "\n".join(lines[:5]).removeprefix("Query Text: ")
    assert found["Query Parameters"] == "\n".join(lines[5:7]).removeprefix("Query Parameters: ")
    assert found["Settings"] == {"work_mem": "64kB", "search_path": 'a, "b"'}
    assert found["Query Identifier"] == -42
    assert found["JIT"]["Functions"] == 3
    assert found["JIT"]["Options"]["Optimization"]
    assert found["JIT"]["Timing"]["Total"] == 0.5
    assert found["Triggers"] == [
        {"Constraint Name": "fk", "Relation": "t", "Time": 0.25, "Calls": 2},
        {"Trigger Name": '"my trigger"', "Calls": 1},
    ]


def test_numbers_of_a_plan() -> None:
    found = text_plan(AUTO_EXPLAIN)
    assert not isinstance(found, LogSkip)
    gather, scan = parse_plan(found).walk()
    assert (gather.startup_cost, gather.total_cost, gather.plan_rows) == (1, 2.5, 10)
    assert (gather.actual_startup_time, gather.actual_total_time) == (0.5, 1.25)
    assert (gather.actual_rows, gather.actual_loops, gather.output) == (9.5, 2, ("a", "b"))
    assert [getattr(gather, name) for name in BLOCKS] == [1, 2, 3, 4, 6, 7]
    assert found["Plan"]["Local Hit Blocks"] == 5
    assert found["Plan"]["WAL FPI"] == 2
    assert (gather.shared_io_read_time, gather.shared_io_write_time) == (0.1, 0.2)
    assert (gather.temp_io_read_time, gather.temp_io_write_time) == (0.3, 0)
    assert scan.never_executed
    assert scan.recheck_cond is not None
    assert "fake" in scan.recheck_cond
    assert (scan.parallel_aware, scan.rows_removed_by_filter, scan.shared_hit_blocks) == (
        True,
        0,
        0,
    )
    assert (scan.sort_method, scan.sort_space_used) == ("external merge", 4096)
    assert found["Plan"]["Plans"][0]["Workers"][0] == {
        "Worker Number": 0,
        "Actual Startup Time": 0.1,
        "Actual Total Time": 0.2,
        "Actual Rows": 3.0,
        "Actual Loops": 1,
        "Shared Hit Blocks": 12,
    }


@pytest.mark.parametrize(
    ("line", "read", "write"),
    [
        ("I/O Timings: read=1.000 write=2.000", 1.0, 2.0),
        ("I/O Timings: shared/local read=1.000 write=2.000", 1.0, 2.0),
        ("I/O Timings: shared read=1.000 write=2.000, local read=3.000", 1.0, 2.0),
    ],
)
def test_io_timings_of_13_15_and_17(line: str, read: float, write: float) -> None:
    found = text_plan(f"Query Text: x\nResult  (cost=0.00..0.01 rows=1 width=4)\n  {line}")
    root = parse_plan(found).root
    assert (root.shared_io_read_time, root.shared_io_write_time) == (read, write)


@pytest.mark.parametrize(
    "text", ["", "Query Text: x", "Query Text: x\nResult", "Query Text: x\n  Result  (cost=0.00"]
)
def test_text_without_a_plan(text: str) -> None:
    assert text_plan(text) is LogSkip.TRUNCATED


WORDS = ("->  ", "  ", "\n", "Worker 0:  ", "Worker 1:", "'", '"', ": ", "Group Key: ", "Buffers: ")
PIECES = st.sampled_from((*WORDS, *AUTO_EXPLAIN.split("\n")))


@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=40))
def test_no_text_raises(pieces: list[str]) -> None:
    found = text_plan("Query Text: " + "".join(pieces))
    assert isinstance(found, LogSkip) or "Node Type" in found["Plan"]


def test_damaged_plan_takes_linear_time() -> None:
    head = "Query Text: x\nResult  (cost=0.00..0.01 rows=1 width=4)\n"
    for evil in ("  Filter: ('\n", "  a'b\"\n", "  Output: (((,\n", "Result  (cost=0.00..0.01\n"):
        assert not isinstance(text_plan(head + evil * 100_000), LogSkip)


@pytest.mark.parametrize(("depth", "is_read"), [(250, True), (400, False), (20_000, False)])
def test_deep_plans(depth: int, is_read: bool) -> None:
    node = "Result  (cost=0.00..0.01 rows=1 width=4)\n"
    below = (f"{' ' * (2 + 6 * min(level, 500))}->  {node}" for level in range(depth))
    found = text_plan(f"Query Text: x\n{node}{''.join(below)}")
    assert (found is not LogSkip.TOO_DEEP) is is_read
    if is_read:
        assert len(list(parse_plan(found).walk())) == depth + 1
