"""The sentence, end to end: a real target, a real store, nothing in between replaced."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgadvisor import pipeline
from pgadvisor.collect.target import Target
from pgadvisor.config import load_settings
from pgadvisor.errors import NotFound
from pgadvisor.pipeline import Advice
from pgadvisor.store import Store
from pgadvisor.store.advice import list_recommendations, recommendation, silences_of
from pgadvisor.store.history import find_query, list_queries

SHOP = """
create table customers (id int primary key, email text not null, note text);
insert into customers select g, 'customer' || g || '@example.org', repeat('x', 80)
from generate_series(1, 60000) g;
create table orders (id int primary key, customer_id int not null references customers,
                     total numeric not null);
insert into orders select g, 1 + g % 60000, g % 100 from generate_series(1, 60000) g;
analyze
"""
BY_EMAIL = "select id, note from customers where email = %s"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def shop(target_conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    target_conn.execute(SHOP.encode())
    return target_conn


@pytest.fixture
def target(target_dsn: str) -> Iterator[Target]:
    with pipeline.connect_target(target_dsn, load_settings()) as connection:
        yield connection


@pytest.fixture
def target_id(store: Store, target: Target, target_dsn: str) -> int:
    return pipeline.register_target(store, target, target_dsn, now=now())


def run_by_email(conn: psycopg.Connection[Any], times: int) -> None:
    for number in range(times):
        conn.execute(BY_EMAIL, [f"customer{number}@example.org"])


def observe(target: Target, store: Store, target_id: int) -> None:
    pipeline.observe_statements(target, store, target_id, now=now())


def advise(target: Target, store: Store, target_id: int) -> Advice:
    return pipeline.advise(target, store, target_id, now=now())


def index_statements(advice: Advice) -> list[str]:
    return [one.finding.statement for one in advice.recommendations]


@pytest.mark.usefixtures("hypopg")
def test_a_missing_index_is_advised_and_gone_once_it_is_there(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    observe(target, store, target_id)
    run_by_email(shop, 20)
    observe(target, store, target_id)
    advice = advise(target, store, target_id)
    best = advice.recommendations[0]
    assert best.finding.statement == (
        'CREATE INDEX CONCURRENTLY "customers_email_idx" ON "public"."customers" ("email");'
    )
    assert best.roi_score == pytest.approx(
        best.confidence_score * best.estimated_improvement_percent * best.urgency_score
    )
    assert best.finding.evidence["plan_nodes"][0]["node_type"] == "Seq Scan"

    shop.execute(best.finding.statement.encode())
    shop.execute("analyze customers")
    again = advise(target, store, target_id)
    assert not [s for s in index_statements(again) if "customers_email_idx" in s]
    with store.transaction() as conn:
        states = {one.key: one.state for one in list_recommendations(conn, states=["expired"])}
        silences = silences_of(conn, target_id, target.database, best.finding.effects[0].queryid)
    assert states == {best.finding.key: "expired"}
    assert silences and "indexes" in silences[0][1]

    shop.execute(best.finding.undo.encode())
    assert best.finding.key in {
        r.finding.key for r in advise(target, store, target_id).recommendations
    }


@pytest.mark.usefixtures("hypopg")
def test_the_store_keeps_what_was_printed(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    observe(target, store, target_id)
    run_by_email(shop, 10)
    observe(target, store, target_id)
    best = advise(target, store, target_id).recommendations[0]
    with store.transaction() as conn:
        listed = list_recommendations(conn)
        stored = recommendation(conn, listed[0].id)
    assert stored.roi_score == pytest.approx(best.roi_score)
    assert stored.statement == best.finding.statement
    assert {factor["name"] for factor in stored.factors} == {
        "confidence_score", "estimated_improvement_percent", "frequency", "current_impact",
    }  # fmt: skip


@pytest.mark.usefixtures("hypopg")
def test_without_history_the_counters_since_the_reset_are_the_workload(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    run_by_email(shop, 10)
    observe(target, store, target_id)
    assert any(
        "customers_email_idx" in s for s in index_statements(advise(target, store, target_id))
    )


def test_a_database_without_statements_says_what_to_do(
    target: Target, store: Store, target_id: int
) -> None:
    with pytest.raises(NotFound, match="no statements") as raised:
        advise(target, store, target_id)
    assert "pgadvisor observe" in raised.value.hint


def test_deltas_equal_what_the_client_did(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    run_by_email(shop, 3)
    observe(target, store, target_id)
    done = 0
    for times in (1, 0, 7, 2):
        run_by_email(shop, times)
        observe(target, store, target_id)
        done += times
    with store.transaction() as conn:
        found = [
            query
            for query in list_queries(
                conn, since=now() - timedelta(hours=1), until=now(), database=target.database,
                limit=100,
            )
            if query.query and "email = $1" in query.query
        ]  # fmt: skip
    assert [query.calls for query in found] == [done]


def test_own_statements_never_enter_the_history(
    shop: psycopg.Connection[Any], store: Store, target_dsn: str
) -> None:
    shop.execute("drop role if exists watcher")
    shop.execute("create role watcher login")
    shop.execute(
        "grant pg_monitor to watcher; grant select on all tables in schema public to watcher"
    )
    try:
        dsn = target_dsn.replace("user=postgres", "user=watcher")
        with pipeline.connect_target(dsn, load_settings()) as target:
            target_id = pipeline.register_target(store, target, dsn, now=now())
            for _ in range(3):
                observe(target, store, target_id)
                pipeline.observe_catalog(target, store, target_id, now=now())
                pipeline.observe_activity(target, store, target_id, now=now())
            observe(target, store, target_id)
        with store.transaction() as conn:
            row = conn.execute(
                """select count(*) from statement_deltas d
                   join statements s on s.id = d.statement_id
                   join queries q on (q.target_id, q.dbid, q.queryid)
                       = (s.target_id, s.dbid, s.queryid)
                   where q.query like '%%/* pgadvisor */%%'"""
            ).fetchone()
        assert row == (0,)
    finally:
        shop.execute("drop owned by watcher")
        shop.execute("drop role watcher")


@pytest.mark.usefixtures("hypopg")
def test_plans_from_the_log_reach_the_analysis(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    pipeline.observe_logs(target, store, target_id, now=now())  # begins at the end of the log
    observe(target, store, target_id)
    shop.execute("set auto_explain.log_min_duration = 0")
    run_by_email(shop, 5)
    shop.execute("set auto_explain.log_min_duration = -1")
    observe(target, store, target_id)
    reading = pipeline.observe_logs(target, store, target_id, now=now())
    assert reading.problem is None
    assert reading.plans >= 5
    advice = advise(target, store, target_id)
    node = advice.recommendations[0].finding.evidence["plan_nodes"][0]
    assert node["rows_removed_by_filter"] == 59999
    again = pipeline.observe_logs(target, store, target_id, now=now())
    assert again.plans == 0


def test_two_collectors_of_one_target_count_nothing_twice(
    shop: psycopg.Connection[Any], store: Store, target: Target, target_id: int, target_dsn: str
) -> None:
    observe(target, store, target_id)
    stop = threading.Event()

    def collect() -> None:
        with pipeline.connect_target(target_dsn, load_settings()) as other:
            while not stop.is_set():
                observe(other, store, target_id)

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    run_by_email(shop, 200)
    stop.set()
    for thread in threads:
        thread.join()
    observe(target, store, target_id)
    with store.transaction() as conn:
        row = conn.execute(
            """with mine as (
                   select s.id from statements s join queries q using (target_id, dbid, queryid)
                   join databases b using (target_id, dbid)
                   where q.query like '%%email = $1%%' and b.datname = %s)
               select (select sum(calls) from statement_deltas
                       where statement_id in (table mine)),
                      (select sum(calls) from statement_hours
                       where statement_id in (table mine))""",
            [target.database],
        ).fetchone()
    assert row == (200, 200)


def test_a_query_is_found_by_negative_queryid_and_by_fingerprint(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int
) -> None:
    observe(target, store, target_id)
    functions = [
        "abs",
        "sign",
        "floor",
        "ceil",
        "sqrt",
        "exp",
        "ln",
        "cbrt",
        "degrees",
        "radians",
        "sin",
        "cos",
    ]
    for function in functions:  # about half of all queryids are negative
        shop.execute(f"select {function}(id) from customers where id = 1".encode())
    observe(target, store, target_id)
    since, until = now() - timedelta(hours=1), now()
    with store.transaction() as conn:
        queries = list_queries(conn, database=target.database, limit=100, since=since, until=until)
        negative = [query for query in queries if query.queryid < 0]
        assert negative
        for query in queries:
            assert (
                find_query(conn, str(query.queryid), since=since, until=until).queryid
                == query.queryid
            )
        with_fingerprint = next(query for query in queries if query.fingerprint)
        assert with_fingerprint.fingerprint is not None
        found = find_query(conn, with_fingerprint.fingerprint, since=since, until=until)
        assert found.fingerprint == with_fingerprint.fingerprint


@pytest.mark.slow
@pytest.mark.usefixtures("hypopg")
def test_a_query_that_is_always_cancelled_gets_advice(
    shop: psycopg.Connection[Any], target: Target, store: Store, target_id: int, target_dsn: str
) -> None:
    observe(target, store, target_id)

    def cancelled() -> None:
        with psycopg.connect(target_dsn, autocommit=True) as conn:
            conn.execute("set statement_timeout = '4s'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                conn.execute(
                    "select count(*), pg_sleep(60) from customers"
                    " where email = 'customer7@example.org'"
                )

    thread = threading.Thread(target=cancelled)
    thread.start()
    while thread.is_alive():
        pipeline.observe_activity(target, store, target_id, now=now())
        thread.join(0.2)
    observe(target, store, target_id)
    advice = advise(target, store, target_id)
    found = [
        one for one in advice.recommendations if "customers_email_idx" in one.finding.statement
    ]
    assert found
    query = next(q for q in advice.workload.queries if q.is_unfinished)
    assert query.queryid == found[0].finding.effects[0].queryid
    assert query.calls == 1
    assert 2000 < query.total_exec_time < 4500
