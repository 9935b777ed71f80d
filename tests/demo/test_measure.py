"""A measurement is fair, leaves nothing behind, and shows a real gain as one."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from pgadvisor.demo.measure import compare, measure, statement_names
from pgadvisor.demo.shop import build_shop
from pgadvisor.demo.statements import STATEMENTS
from pgadvisor.demo.stopping import Stopped
from pgadvisor.demo.target import DemoTarget
from pgadvisor.demo.workload import run_workload


def test_an_index_shows_as_a_gain(empty_database: Callable[[], str]) -> None:
    """In a shop large enough that a scan outlasts the noise of a busy machine."""
    dsn, names = empty_database(), ["orders_by_email", "customer_by_id"]
    with psycopg.connect(dsn, autocommit=True) as conn:
        size = build_shop(conn, scale=0.1).size
        before = measure(dsn, size, names, rounds=9)
        conn.execute("create index on orders (contact_email)")
        after = measure(dsn, size, names, rounds=9)
    first = compare(before, after)[0]
    assert first.name == "orders_by_email"
    assert first.improvement_ratio > 0.3
    assert len(first.before.times_ms) == len(first.after.times_ms) == 9


def test_nothing_that_it_writes_stays(target: DemoTarget) -> None:
    counts = "select (select count(*) from orders), (select count(*) from products)"
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        before = conn.execute(counts).fetchone()
        names = ["place_order", "add_draft_product", "remove_draft_product"]
        timings = measure(target.dsn, target.shop.size, names, rounds=3)
        assert conn.execute(counts).fetchone() == before
    assert set(timings) == set(names)


def test_removing_a_draft_really_deletes_one(target: DemoTarget) -> None:
    """A delete that finds no row would not look for references, and be timed as nothing."""
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        query = "select sum(rows) from pg_stat_statements where query like 'delete from products%'"
        conn.execute("select pg_stat_statements_reset()")
        measure(target.dsn, target.shop.size, ["remove_draft_product"], rounds=3)
        assert conn.execute(query).fetchone() == (4,)  # one warm-up and three rounds


def test_queryids_lead_back_to_the_statements(target: DemoTarget) -> None:
    if target.cluster.binaries.major < 14:
        pytest.skip("EXPLAIN tells the queryid from PostgreSQL 14 on")
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        conn.execute("select pg_stat_statements_reset()")
        names = statement_names(target.dsn, target.shop.size)
        run_workload(target.dsn, target.shop.size, statements=200)
        seen = conn.execute(
            "select queryid from pg_stat_statements"
            " where userid in ('shop_web'::regrole, 'shop_report'::regrole)"
            " and query !~* '^(begin|commit|rollback|set|show)'"
        ).fetchall()
        asked = conn.execute(
            "select count(*) from pg_stat_statements where query ilike 'explain%'"
        ).fetchone()
    assert {queryid for (queryid,) in seen} <= set(names)
    assert set(names.values()) == set(STATEMENTS)
    assert asked == (0,)


def test_a_stop_ends_it(target: DemoTarget) -> None:
    stop = threading.Event()
    with pytest.raises(Stopped):
        measure(
            target.dsn,
            target.shop.size,
            ["customer_by_id"],
            rounds=100,
            stop=stop,
            progress=lambda step, done: stop.set() if done > 0.2 else None,
        )


def test_a_stop_cancels_a_statement_that_waits(target: DemoTarget) -> None:
    stop = threading.Event()
    with psycopg.connect(target.dsn) as holder:
        holder.execute("lock table orders in access exclusive mode")
        with pytest.raises(Stopped):
            measure(
                target.dsn,
                target.shop.size,
                ["latest_orders"],
                stop=stop,
                progress=lambda step, done: threading.Timer(0.1, stop.set).start(),
            )
        holder.rollback()
