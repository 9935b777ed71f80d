"""The shop is the same every time, skewed, and built as it says."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor.demo.shop import build_shop, customer_email, popular
from pgadvisor.demo.stopping import Stopped
from pgadvisor.demo.target import DemoTarget

TABLES = (
    "categories",
    "products",
    "inventory",
    "customers",
    "orders",
    "order_items",
    "payments",
    "reviews",
    "events",
)
SMALL = 0.002
Conn = psycopg.Connection[Any]


def checksums(conn: Conn) -> dict[str, tuple[int, str]]:
    found = {}
    for table in TABLES:
        row = conn.execute(
            sql.SQL(
                "select count(*), md5(string_agg(t::text, ',' order by t::text)) from {} as t"
            ).format(sql.Identifier(table))
        ).fetchone()
        assert row
        found[table] = row
    return found


@pytest.fixture
def build_conn(empty_database: Callable[[], str]) -> Iterator[Callable[[], Conn]]:
    """Connections to empty databases, one a call."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(empty_database(), autocommit=True))


def test_two_builds_have_the_same_rows(build_conn: Callable[[], Conn]) -> None:
    first, second = build_conn(), build_conn()
    build_shop(first, scale=SMALL)
    second.execute("set jit = off")
    second.execute("set max_parallel_workers_per_gather = 0")
    build_shop(second, scale=SMALL)
    assert checksums(first) == checksums(second)


def test_the_data_is_that_of_the_first_release(build_conn: Callable[[], Conn]) -> None:
    """Guards against a change of the data that nobody meant: measured times would change too."""
    conn = build_conn()
    build_shop(conn, scale=SMALL)
    row = conn.execute(
        "select count(*), sum(customer_id), sum(total_amount), max(order_number) from orders"
    ).fetchone()
    assert row
    assert [str(value) for value in row] == ORDERS_OF_SMALL


#: count, sum of customer_id, sum of total_amount, largest order_number at scale SMALL
ORDERS_OF_SMALL = ["2000", "1059386", "244211.83", "1000020005"]


def test_progress_only_grows_and_ends_at_one(build_conn: Callable[[], Conn]) -> None:
    seen: list[tuple[str, float]] = []
    build_shop(build_conn(), scale=SMALL, progress=lambda step, done: seen.append((step, done)))
    ratios = [done for _, done in seen]
    assert ratios == sorted(ratios)
    assert ratios[0] == 0.0
    assert seen[-1] == ("shop built", 1.0)


def test_a_stop_ends_the_build_between_steps(build_conn: Callable[[], Conn]) -> None:
    stop = threading.Event()

    def stop_at_orders(step: str, done: float) -> None:
        if step.startswith("orders"):
            stop.set()

    conn = build_conn()
    with pytest.raises(Stopped):
        build_shop(conn, scale=SMALL, progress=stop_at_orders, stop=stop)
    assert conn.execute("select to_regclass('events')").fetchone() == (None,)


def test_python_knows_the_addresses_in_the_database(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn) as conn:
        rows = conn.execute("select id, email from customers").fetchall()
    assert len(rows) == target.shop.size.customers
    assert [email for _, email in rows] == [customer_email(number) for number, _ in rows]


def test_statuses_are_as_skewed_as_promised(build_conn: Callable[[], Conn]) -> None:
    conn = build_conn()
    build_shop(conn, scale=0.01)
    query = "select status, count(*) / 5000.0 from orders group by status"
    shares = {status: float(share) for status, share in conn.execute(query)}
    assert shares["delivered"] == pytest.approx(0.95, abs=0.01)
    assert shares["shipped"] == pytest.approx(0.04, abs=0.01)
    assert shares["pending"] == pytest.approx(0.01, abs=0.005)


def test_parameters_hit_the_products_that_sell_most(target: DemoTarget) -> None:
    size, rng = target.shop.size, random.Random(5)
    with psycopg.connect(target.dsn) as conn:
        best = [
            row[0]
            for row in conn.execute(
                "select product_id from order_items group by 1 order by count(*) desc limit 10"
            )
        ]
    draws = [popular(rng.random(), size.products, 0.8) for _ in range(2000)]
    assert sum(draw in best for draw in draws) > 2000 * 10 / size.products * 5


def test_foreign_keys_without_an_index_are_those_we_say(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn) as conn:
        rows = conn.execute(
            """
            select c.conrelid::regclass::text, a.attname
            from pg_constraint c
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
            where c.contype = 'f' and not exists (
                select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])
            """
        ).fetchall()
    assert set(rows) == {
        ("categories", "parent_id"),
        ("events", "customer_id"),
        ("order_items", "product_id"),
        ("payments", "order_id"),
        ("reviews", "customer_id"),
    }


def test_the_counters_begin_after_the_build(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn) as conn:
        built = conn.execute(
            "select count(*) from pg_stat_statements s join pg_database d on d.oid = s.dbid"
            " where d.datname = current_database() and s.query ilike '%shop_build%'"
        ).fetchone()
        analyzed = conn.execute(
            "select count(*) from pg_stat_user_tables where last_analyze is not null"
        ).fetchone()
    assert built == (0,)
    assert analyzed == (len(TABLES),)


def test_leftovers_of_the_build_are_gone(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn) as conn:
        row = conn.execute("select to_regnamespace('shop_build')").fetchone()
    assert row == (None,)
