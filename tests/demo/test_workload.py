"""Clients run together, are counted honestly, end on demand and fail aloud."""

import threading
from collections import Counter
from itertools import islice
from time import monotonic

import psycopg
import pytest

from pgadvisor.demo.shop import ShopSize
from pgadvisor.demo.statements import STATEMENTS, Role
from pgadvisor.demo.target import DemoTarget
from pgadvisor.demo.workload import Latency, WorkloadFailed, picks, run_workload
from pgadvisor.errors import TargetUnreachable

WEB: tuple[Role, ...] = ("shop_web", "shop_web")


def test_it_sends_exactly_what_the_seed_says(target: DemoTarget) -> None:
    size = target.shop.size
    result = run_workload(target.dsn, size, statements=150, clients=WEB, seed=4)
    expected = Counter(
        statement.name
        for number in range(2)
        for statement, _ in islice(picks("shop_web", size, f"4:{number}:shop_web"), 150)
    )
    children = {s.each for s in STATEMENTS.values() if s.each}
    got = {n: one.calls for n, one in result.latencies.items() if n not in children}
    assert got == expected
    assert not result.stopped


def test_the_server_counted_the_same_calls(target: DemoTarget) -> None:
    query = (
        "select coalesce(sum(calls), 0) from pg_stat_statements"
        " where query like 'select count(*) as reviews, avg(rating)%'"
    )
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        before = conn.execute(query).fetchone()
        result = run_workload(target.dsn, target.shop.size, statements=300, clients=WEB, seed=9)
        after = conn.execute(query).fetchone()
    assert before and after
    assert after[0] - before[0] == result.latencies["rating_of_product"].calls > 0


def test_all_statements_occur_in_a_run(target: DemoTarget) -> None:
    result = run_workload(target.dsn, target.shop.size, statements=800)
    assert set(result.latencies) == set(STATEMENTS)
    totals = [latency.total_ms for latency in result.latencies.values()]
    assert totals == sorted(totals, reverse=True)
    assert result.calls == sum(latency.calls for latency in result.latencies.values())


def test_it_ends_after_its_time(target: DemoTarget) -> None:
    began = monotonic()
    result = run_workload(target.dsn, target.shop.size, seconds=0.5, clients=WEB)
    assert 0.5 <= monotonic() - began < 3
    assert result.calls > 0
    assert not result.stopped


def test_progress_grows_to_at_most_one(target: DemoTarget) -> None:
    seen: list[float] = []
    run_workload(
        target.dsn,
        target.shop.size,
        seconds=0.6,
        clients=WEB,
        progress=lambda step, done: seen.append(done),
    )
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1


def test_a_stop_cancels_what_is_under_way(target: DemoTarget) -> None:
    """A lock holds the clients for ever; they end all the same."""
    stop = threading.Event()
    with psycopg.connect(target.dsn) as holder:
        holder.execute("lock table customers, products, orders in access exclusive mode")

        def stop_once_blocked(step: str, done: float) -> None:
            # not from inside the lock's transaction: its snapshot of activity would be old
            with psycopg.connect(target.dsn) as watcher:
                blocked = watcher.execute(
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                ).fetchone()
            if blocked == (2,):
                times.append(monotonic())
                stop.set()

        times: list[float] = []
        result = run_workload(
            target.dsn,
            target.shop.size,
            seconds=60,
            clients=WEB,
            stop=stop,
            progress=stop_once_blocked,
        )
        assert monotonic() - times[0] < 1
        holder.rollback()
    assert result.stopped
    left = "select from pg_stat_activity where application_name like 'shop_web %'"
    deadline = monotonic() + 10  # a backend ends a moment after its connection
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        while conn.execute(left).fetchone() is not None:
            assert monotonic() < deadline


def test_a_statement_that_fails_is_named(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        conn.execute("alter table reviews rename to reviews_away")
        try:
            with pytest.raises(
                WorkloadFailed, match=r"statement (product_reviews|rating_of_product)"
            ):
                run_workload(target.dsn, target.shop.size, seconds=30, clients=WEB)
        finally:
            conn.execute("alter table reviews_away rename to reviews")


def test_a_lost_server_is_said_so(target: DemoTarget) -> None:
    def end_them(step: str, done: float) -> None:
        with psycopg.connect(target.dsn) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'shop_web %'"
            )

    with pytest.raises(TargetUnreachable, match=r"statement \w+ of the demo failed"):
        run_workload(target.dsn, target.shop.size, seconds=30, clients=WEB, progress=end_them)


def test_no_server_at_all() -> None:
    with pytest.raises(TargetUnreachable, match="cannot connect"):
        run_workload("host=/nonexistent dbname=shop", ShopSize.at(0.01), seconds=1, clients=WEB)


def test_it_wants_an_end() -> None:
    with pytest.raises(ValueError, match="seconds"):
        run_workload("dbname=shop", ShopSize.at(0.01))


def test_the_ninety_fifth_percentile_is_the_nearest_rank() -> None:
    latency = Latency.of("s", [float(i) for i in range(1, 101)])
    assert (latency.p95_ms, latency.median_ms, latency.max_ms) == (95.0, 50.5, 100.0)
    assert Latency.of("s", [3.0]).p95_ms == 3.0
