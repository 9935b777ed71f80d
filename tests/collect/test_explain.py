from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.collect.explain import explain
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import NotExplainable, TargetUnreachable, UnsafeStatement

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]

_TABLE = """
    create table orders as
    select i as id, i %% 100 as customer_id, date '2024-01-01' + i %% 700 as placed_on
    from generate_series(1, 5000) i where %s
"""


@pytest.fixture
def orders(target_conn: Conn) -> Conn:
    """A table of 5,000 orders with a primary key."""
    target_conn.execute(_TABLE, [True])
    target_conn.execute("alter table orders add primary key (id); analyze orders")
    return target_conn


@pytest.fixture
def newer_target(newer_cluster: Cluster) -> Iterator[Target]:
    """The same table on a newer server."""
    with psycopg.connect(newer_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop table if exists orders")
        conn.execute(_TABLE, [True])
        conn.execute("alter table orders add primary key (id); analyze orders")
    with connect(newer_cluster.dsn()) as target:
        yield target


def _left_behind(target: Target) -> tuple[int, str]:
    row = target.conn.execute("select count(*) from pg_prepared_statements").fetchone()
    assert row is not None
    return row[0], target.conn.info.transaction_status.name


def _types(node: dict[str, Any]) -> list[str]:
    return [node["Node Type"], *(t for child in node.get("Plans", ()) for t in _types(child))]


PLANS = [
    ("select * from orders where id = $1", "Index Scan"),
    ("select * from orders where customer_id = $1 limit $2", "Limit"),
    ("select * from orders where customer_id = 7", "Seq Scan"),
    ("select * from orders where id = 7;", "Index Scan"),
    ("update orders set customer_id = $2 where id = $1", "ModifyTable"),
    ("with gone as (delete from orders where id = $1 returning *) select * from gone", "CTE Scan"),
    ("select * from orders where id = $1 for update", "LockRows"),
    (
        "select extract($1 from placed_on) from orders where placed_on < date $2 - interval $3 day",
        "Seq Scan",
    ),
    ("select * from orders where id = any($1)", "Index Scan"),
    ("select $1 as anything", "Result"),
    ("select 'a%b' like '%', '%s' from orders where id + 0 = 1", "Seq Scan"),
]


@pytest.mark.parametrize(("query", "node_type"), PLANS)
def test_a_plan(orders: Conn, target: Target, query: str, node_type: str) -> None:
    plan = explain(target, query)["Plan"]

    assert plan["Node Type"] == node_type
    assert _left_behind(target) == (0, "IDLE")
    assert orders.execute("select count(*), sum(customer_id) from orders").fetchone() == (
        5000,
        247500,
    )


@pytest.mark.parametrize(("query", "node_type"), PLANS)
def test_a_plan_of_newer_servers(newer_target: Target, query: str, node_type: str) -> None:
    assert node_type in _types(dict(explain(newer_target, query)["Plan"]))
    assert _left_behind(newer_target) == (0, "IDLE")


def test_a_generic_plan_keeps_its_parameters(orders: Conn, target: Target) -> None:
    assert (
        explain(target, "select * from orders where id = $1")["Plan"]["Index Cond"] == "(id = $1)"
    )


def test_the_schema_is_in_the_verbose_plan(orders: Conn, target: Target) -> None:
    query = "select * from orders where customer_id = $1"

    assert explain(target, query, verbose=True)["Plan"]["Schema"] == "public"
    assert "Schema" not in explain(target, query)["Plan"]


def test_parameters_without_a_generic_plan(orders: Conn, target: Target) -> None:
    with pytest.raises(NotExplainable, match="parameters without values"):
        explain(target, "select * from orders where id = $1", generic=False)


REFUSALS = [
    ("select * from missing where a = $1", "not visible to us"),
    ("select missing from orders", "column it uses does not exist"),
    ("select * from app.orders", "not visible to us"),
    ("select missing(id) from orders", "does not fit its arguments"),
    ("select id + $1 from orders group by id + $2", "different parameters"),
    ("select id from", "not one statement we can parse"),
    ("select 1; select 2", "text has 2 statements"),
    ("select 1; drop table orders", "text has 2 statements"),
    (r"select '\'; drop table orders; --'", "not one statement|text has"),
    ("select 1/0", "the planner refuses it: division by zero"),
]


def test_a_parameter_without_a_type(target: Target) -> None:
    if target.major >= 16:  # GENERIC_PLAN takes it as text
        assert explain(target, "select $1 is null")
        return
    with pytest.raises(NotExplainable, match="types of its parameters cannot be inferred"):
        explain(target, "select $1 is null")


@pytest.mark.parametrize(("query", "reason"), REFUSALS)
def test_a_refusal_has_a_reason(orders: Conn, target: Target, query: str, reason: str) -> None:
    with pytest.raises(NotExplainable, match=reason) as caught:
        explain(target, query)

    assert caught.value.hint
    assert _left_behind(target) == (0, "IDLE")
    assert explain(target, "select * from orders where id = $1")


@pytest.mark.parametrize(
    ("query", "reason"),
    # GENERIC_PLAN takes parameters of unknown type for text
    [(query, reason) for query, reason in REFUSALS if "inferred" not in reason],
)
def test_a_refusal_of_newer_servers(newer_target: Target, query: str, reason: str) -> None:
    with pytest.raises(NotExplainable, match=reason):
        explain(newer_target, query)

    assert _left_behind(newer_target) == (0, "IDLE")


@pytest.mark.parametrize(
    "query",
    [
        "drop table orders",
        "truncate orders",
        "select * into copied from orders",
        "create table copied as select * from orders",
        "explain analyze delete from orders",
        "copy orders to '/tmp/orders'",
        "call something()",
        "do $$ begin end $$",
        "commit",
    ],
)
def test_what_has_no_plan_is_not_sent(orders: Conn, target: Target, query: str) -> None:
    with pytest.raises(UnsafeStatement):
        explain(target, query)


def test_backslashes_hide_no_second_statement(orders: Conn, target_dsn: str) -> None:
    orders.execute(
        f"alter database {orders.info.dbname} set standard_conforming_strings = off".encode()
    )
    query = r"select '\' as a, $1::int as b, ' ; drop table orders; --'"

    with connect(target_dsn) as target:
        explain(target, query)

    assert orders.execute("select count(*) from orders").fetchone() == (5000,)


def test_functions_of_users_are_not_executed_or_cannot_write(orders: Conn, target: Target) -> None:
    orders.execute(
        "create table ran (what text);"
        "create function volatile_one() returns int language plpgsql volatile as"
        " $$ begin insert into ran values ('volatile'); return 1; end $$;"
        "create function immutable_one() returns int language plpgsql immutable as"
        " $$ begin perform set_config('transaction_read_only', 'off', true);"
        " return 1; end $$"
    )

    assert explain(target, "select * from orders where id = volatile_one()")
    with pytest.raises(NotExplainable, match="planner refuses"):
        explain(target, "select * from orders where id = immutable_one()")

    assert orders.execute("select * from ran").fetchall() == []


def test_tables_our_role_may_not_read(orders: Conn, new_role: NewRole) -> None:
    query = "select * from orders where id = $1"
    with connect(new_role("pg_monitor")) as target:
        with pytest.raises(NotExplainable, match="permission denied") as caught:
            explain(target, query)
        _, newer, older = caught.value.hint.split(": ")
        mended = newer if target.major >= 14 else older.replace("...", "public")
        orders.execute(mended.split(";")[0].encode())

        assert explain(target, query)


def test_the_search_path_of_the_application(orders: Conn, target: Target) -> None:
    orders.execute('create schema "The App"; create table "The App".invoices (a int)')

    with pytest.raises(NotExplainable, match="not visible"):
        explain(target, "select * from invoices")

    assert explain(target, "select * from invoices", search_path=("The App", "public"))
    assert target.conn.execute("show search_path").fetchone() == ('"$user", public',)


def test_a_locked_table(orders: Conn, target: Target) -> None:
    with orders.transaction():
        orders.execute("lock table orders in access exclusive mode")
        with pytest.raises(NotExplainable, match="locked exclusively"):
            explain(target, "select * from orders where id = $1")

    assert _left_behind(target) == (0, "IDLE")


def test_planning_is_bounded(monkeypatch: pytest.MonkeyPatch, orders: Conn, target: Target) -> None:
    from datetime import timedelta

    orders.execute(
        "create function slow_one() returns int language plpgsql immutable as"
        " $$ begin perform pg_sleep(60); return 1; end $$"
    )
    monkeypatch.setattr("pgadvisor.collect.explain.EXPLAIN_TIMEOUT", timedelta(milliseconds=50))

    with pytest.raises(NotExplainable, match="planning it took longer"):
        explain(target, "select slow_one()")


def test_a_connection_lost_is_no_property_of_the_query(
    orders: Conn, target: Target, terminate: Callable[[int], None]
) -> None:
    terminate(target.row("backend")[0])

    with pytest.raises(TargetUnreachable, match="lost"):
        explain(target, "select * from orders where id = $1")


@pytest.mark.parametrize("query", ["select * from orders where id = $1", "select * from missing"])
def test_behind_a_proxy_nothing_stays(orders: Conn, target_dsn: str, query: str) -> None:
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        target = Target(conn, behind_proxy=True)
        try:
            explain(target, query)
        except NotExplainable as exc:
            assert "missing" in str(exc)

        assert _left_behind(target) == (0, "IDLE")
        assert conn.execute("show plan_cache_mode").fetchone() == ("auto",)
