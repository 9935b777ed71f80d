"""Plans straight from a server: parsing, times, labels against its own text format."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.plans import Plan, label, parse_plan, plan_lines, self_costs, self_times_ms, shape

SETUP = """
create table orders (id int primary key, customer int, total int, note text);
insert into orders select i, i % 300, i % 1000, md5(i::text) from generate_series(1, 20000) i;
create index on orders (customer);
create table customers (id int primary key, name text);
insert into customers select i, md5(i::text) from generate_series(1, 300) i;
create table days (day date, n int) partition by range (day);
create table days_1 partition of days for values from ('2024-01-01') to ('2024-02-01');
create table days_2 partition of days for values from ('2024-02-01') to ('2024-03-01');
insert into days select '2024-01-01'::date + i % 59, i from generate_series(1, 1000) i;
analyze;
"""

QUERIES = [
    "select * from orders where customer = 5 order by total desc limit 3",
    "select c.name, sum(total) from orders o join customers c on c.id = o.customer group by 1",
    "select * from customers c left join orders o on o.customer = c.id and o.total > 900",
    "select * from customers c where not exists (select from orders o where o.customer = c.id)",
    "select (select max(total) from orders o where o.customer = c.id) from customers c",
    "select * from orders where total > (select avg(total) from orders)",
    "with s as materialized (select customer, count(*) n from orders group by 1)"
    " select * from s a join s b using (customer) where a.n > 3",
    "with recursive r as (select 1 i union all select i + 1 from r where i < 50) select * from r",
    "select * from orders order by customer, total",
    "select rank() over (partition by customer order by total) from orders",
    "select count(*) from days where day < '2024-02-01'",
    "select * from days order by day",
    "select id from orders except select id from customers",
    "select count(*) from orders where customer in (1, 2) or total < 10",
    "select * from generate_series(1, 10) g, lateral (select * from orders where id = g) x",
    "update orders set total = total + 1 where customer = 7",
    "delete from orders o using customers c where c.id = o.customer and c.id < 3",
    "insert into customers values (1, 'x') on conflict (id) do nothing",
    "select distinct on (customer) * from orders order by customer, id desc",
    "select 1 where false",
    "values (1), (2)",
]


@pytest.fixture(scope="module")
def server(target_cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """One database for all queries; what changes it is rolled back."""
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database explained")
        with psycopg.connect(target_cluster.dsn("explained"), autocommit=True) as explained_conn:
            explained_conn.execute(SETUP)
            explained_conn.execute("set max_parallel_workers_per_gather = 2")
            explained_conn.execute("set parallel_setup_cost = 0")
            explained_conn.execute("set min_parallel_table_scan_size = 0")
            yield explained_conn
        conn.execute("drop database explained")


def explained(server: psycopg.Connection[Any], options: str, query: str) -> Any:
    with server.transaction(force_rollback=True):
        row = server.execute(f"explain ({options}) {query}").fetchall()
    return row


def test_real_plans(server: psycopg.Connection[Any]) -> None:
    shapes = set()
    for query in QUERIES:
        options = "analyze, buffers, verbose, settings, format json"
        plan = parse_plan(explained(server, options, query)[0][0])
        check(plan, query)
        shapes.add(shape(plan))
        again = parse_plan(explained(server, "format json", query)[0][0])
        assert shape(again) == shape(plan), query
    assert len(shapes) == len(QUERIES)


def check(plan: Plan, query: str) -> None:
    nodes = list(plan.walk())
    times, costs = self_times_ms(plan), self_costs(plan)
    assert times is not None and len(times) == len(costs) == len(plan_lines(plan)) == len(nodes)
    root_ms = plan.root.actual_total_time
    assert root_ms is not None and plan.execution_time is not None
    # EXPLAIN rounds to microseconds per loop: half of one for each loop of each node
    slack = 0.001 * sum(node.actual_loops or 0 for node in nodes) + 0.05 * root_ms
    assert sum(times) == pytest.approx(root_ms, abs=slack), query
    assert sum(costs) == pytest.approx(plan.root.total_cost, rel=1e-6), query
    assert any(line.is_hot for line in plan_lines(plan)), query


@pytest.mark.parametrize("query", QUERIES)
def test_labels_are_those_of_the_text_format(server: psycopg.Connection[Any], query: str) -> None:
    plan = parse_plan(explained(server, "format json", query)[0][0])
    lines = [row[0] for row in explained(server, "costs off", query)]
    shown = [re.sub(r"^\s*(->)?\s*", "", line) for line in lines]
    for node in plan.walk():
        assert label(node).split(" (SubPlan")[0].split(" (InitPlan")[0].split(" (CTE")[0] in shown


def test_spills_are_seen(server: psycopg.Connection[Any]) -> None:
    options = "analyze, format json"
    server.execute("set work_mem = '64kB'")
    try:
        sort = parse_plan(explained(server, options, "select * from orders order by note")[0][0])
        query = "select count(*) from orders a join orders b using (note)"
        joined = parse_plan(explained(server, options, query)[0][0])
    finally:
        server.execute("reset work_mem")
    spilled = [node for node in sort.walk() if node.sort_space_type == "Disk"]
    assert spilled and all((node.sort_space_used or 0) > 0 for node in spilled)
    assert any((node.hash_batches or 1) > 1 for node in joined.walk())
