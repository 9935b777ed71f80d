"""How much work_mem a spilling node needs, against what the server really needs."""

from typing import TYPE_CHECKING

import pytest

from pgadvisor.analyze.parameters.memory import MemoryRules, need_bytes, spilling_nodes
from pgadvisor.plans import Plan, parse_plan

if TYPE_CHECKING:
    from tests.analyze.conftest import Lab

MARGIN = 1.25
SCHEMA = """
create table sp as select g as id, g % 25000 as grp, (hashint4(g) & 1073741823)::bigint as r,
    md5(g::text) as t, repeat(md5(g::text), 8) as wide, g / 20000 as big
from generate_series(1, 100000) g;
alter table sp set (parallel_workers = 2);
create index on sp (big);
analyze sp;
"""
#: title: (query, settings)
QUERIES = {
    "one int": ("select r from sp order by r", ""),
    "narrow rows": ("select id, r from sp order by r", ""),
    "text": ('select t from sp order by t collate "C"', ""),
    "wide rows": ("select id, wide from sp order by r", ""),
    "two keys": ('select * from sp order by t collate "C", r', ""),
    "top-N too large for memory": ("select id, r from sp order by r limit 40000", ""),
    "top-N by OFFSET": ("select id, r, t from sp order by r limit 10 offset 20000", ""),
    "parallel": (
        "select id, r, t from sp where id > 0 order by r",
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0;"
        "set max_parallel_workers_per_gather = 2; set min_parallel_table_scan_size = 0",
    ),
    "incremental": (
        "select big, id, r, wide from sp order by big, r limit 90000",
        "set enable_seqscan = off; set enable_sort = off",
    ),
    "hash join": ("select count(*) from sp a join sp b on a.r = b.r and a.t = b.t", ""),
    "narrow hash join": ("select count(*) from sp a join sp b using (r)", ""),
    "wide hash join": ("select count(a.wide), count(b.wide) from sp a join sp b using (r)", ""),
    "parallel hash join": (
        "select count(a.wide), count(b.wide) from sp a join sp b using (r)",
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0;"
        "set max_parallel_workers_per_gather = 2; set min_parallel_table_scan_size = 0",
    ),
    "groups of ints": ("select r, count(*) from sp group by r", "set enable_sort = off"),
    "groups with numeric states": (
        "select grp, avg(r), sum(r) from sp group by grp",
        "set enable_sort = off",
    ),
    "groups of text": ("select t, count(*) from sp group by t", "set enable_sort = off"),
    "groups with HAVING": (
        "select t, count(*) from sp group by t having count(*) > 1",
        "set enable_sort = off",
    ),
    "distinct": ("select distinct t, id from sp", "set enable_sort = off"),
}


def run(lab: "Lab", query: str, settings: str, work_mem_kb: int) -> Plan:
    extra = f"set local work_mem = {work_mem_kb}; {settings.replace('set ', 'set local ')}"
    return parse_plan(lab.run(query, extra.strip("; ")))


@pytest.mark.parametrize("title", QUERIES)
def test_the_advised_work_mem_is_enough_and_not_much_more_than_needed(
    lab: "Lab", title: str
) -> None:
    query, settings = QUERIES[title]
    for statement in SCHEMA.strip().strip(";").split(";\n"):
        lab.conn.execute(statement.encode())
    lab.conn.execute("set max_parallel_workers_per_gather = 0; set enable_mergejoin = off")
    spilled = run(lab, query, settings, 1024)
    rules = MemoryRules.of({"hash_mem_multiplier": "2"}, lab.conn.info.server_version)
    needs = [need_bytes(node, parent, rules) for node, parent in spilling_nodes(spilled)]
    assert needs, "it does not spill"
    enough_kb = int(max(needs) * MARGIN / 1024)
    # how many rows each process of a parallel scan gets is another in every run
    slack = 2 if title == "parallel" else 1
    assert not spilling_nodes(run(lab, query, settings, slack * enough_kb))
    # a third of it is not enough: the advice is at most three times what is needed
    if enough_kb / 3 > 1024:
        assert spilling_nodes(run(lab, query, settings, enough_kb // 3))


def test_memory_rules_follow_the_version() -> None:
    assert MemoryRules.of({}, 140000).hash_mem_multiplier == 1
    assert MemoryRules.of({}, 150000).hash_mem_multiplier == 2
    assert MemoryRules.of({"hash_mem_multiplier": "1.5"}, 170000).hash_mem_multiplier == 1.5


@pytest.mark.parametrize(
    ("version", "row_bytes"), [(140000, 72), (150000, 80), (160000, 64), (170000, 56)]
)
def test_a_row_of_a_sort_takes_what_the_version_s_memory_context_takes(
    version: int, row_bytes: int
) -> None:
    """22 bytes on tape are a tuple of 28: with its header, and 24 of the SortTuple."""
    plan = parse_plan(
        {
            "Node Type": "Sort",
            "Plan Width": 12,
            "Sort Method": "external merge",
            "Sort Space Used": 22 * 1000,
            "Sort Space Type": "Disk",
            "Actual Rows": 1024 * 1000,
            "Actual Loops": 1,
            "Plans": [{"Node Type": "Seq Scan", "Actual Rows": 1024 * 1000, "Actual Loops": 1}],
        }
    )
    assert need_bytes(plan.root, None, MemoryRules.of({}, version)) == row_bytes * 1024 * 1000
