"""Plans are grouped by shape; what was read and how far is saved together."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.store.made import MINUTE, NOON, SHOP, new_target, rows, value

from pgadvisor.records.log import LogPosition
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import fingerprint
from pgadvisor.store import Store
from pgadvisor.store.logs import load_log_position, save_log_position
from pgadvisor.store.plans import plans_of, save_plans, save_unexplained, unexplained

QUERY = "select * from orders where id = 1"
SCAN: Mapping[str, Any] = {"Node Type": "Seq Scan", "Relation Name": "orders", "Total Cost": 9.5}
LOOKUP: Mapping[str, Any] = {
    "Node Type": "Index Scan",
    "Relation Name": "orders",
    "Index Name": "orders_pkey",
    "Total Cost": 1.5,
}


def capture(
    at: datetime,
    plan: Mapping[str, Any] = SCAN,
    *,
    queryid: int | None = 5,
    duration_ms: float | None = 10.0,
    query: str = QUERY,
    source: PlanSource = PlanSource.AUTO_EXPLAIN,
) -> PlanCapture:
    return PlanCapture(
        captured_at=at,
        database="shop",
        source=source,
        query=query,
        plan=plan,
        queryid=None if queryid is None else QueryId(queryid),
        duration_ms=duration_ms,
        user="app",
        application_name="tests",
        pid=77,
    )


def test_plans_are_grouped_by_shape_with_their_executions(store: Store) -> None:
    target = new_target(store)
    dearer = {**SCAN, "Total Cost": 99.0}
    with store.transaction() as conn:
        unread = save_plans(
            conn,
            target,
            [
                capture(NOON + MINUTE, dearer, duration_ms=30.0),
                capture(NOON),
                capture(NOON, LOOKUP, duration_ms=1.0),
                capture(NOON, {"no": "plan"}),
            ],
        )
        found = plans_of(conn, target, "shop", {QueryId(5): None})[QueryId(5)]
    assert unread == 1
    assert [(p.executions, p.mean_duration_ms, p.max_duration_ms) for p in found] == [
        (2, 20.0, 30.0),
        (1, 1.0, 1.0),
    ]
    scan = found[0]
    assert scan.plan == dearer  # the newest example
    assert (scan.first_seen_at, scan.last_seen_at) == (NOON, NOON + MINUTE)
    assert value(store, "select count(*)::int from executions") == 3


def test_a_shape_seen_again_is_brought_up_to_date(store: Store) -> None:
    target = new_target(store)
    for at, cost, took in ((NOON, 1.0, 5.0), (NOON + MINUTE, 2.0, 7.0), (NOON - MINUTE, 3.0, 90.0)):
        with store.transaction() as conn:
            save_plans(conn, target, [capture(at, {**SCAN, "Total Cost": cost}, duration_ms=took)])
    with store.transaction() as conn:
        (plan,) = plans_of(conn, target, "shop", {QueryId(5): None})[QueryId(5)]
    assert (plan.plan["Total Cost"], plan.executions, plan.max_duration_ms) == (2.0, 3, 90.0)
    assert plan.mean_duration_ms == pytest.approx(34.0)
    assert (plan.first_seen_at, plan.last_seen_at) == (NOON - MINUTE, NOON + MINUTE)


def test_a_plan_without_queryid_is_found_by_fingerprint(store: Store) -> None:
    """Also one of a text whose constants differ."""
    target = new_target(store)
    with store.transaction() as conn:
        save_plans(conn, target, [capture(NOON, queryid=None), capture(NOON, queryid=None)])
        asked = {QueryId(-8): fingerprint("select * from orders where id = $1"), QueryId(9): None}
        found = plans_of(conn, target, "shop", asked)
        elsewhere = plans_of(conn, target, "other", asked)
    assert [plan.executions for plan in found[QueryId(-8)]] == [2]
    assert QueryId(9) not in found
    assert elsewhere == {}


def test_a_plan_of_ours_counts_no_execution_and_comes_after_those_of_the_log(store: Store) -> None:
    target = new_target(store)
    ours = capture(NOON + MINUTE, LOOKUP, duration_ms=None, source=PlanSource.GENERIC_PLAN)
    with store.transaction() as conn:
        save_plans(conn, target, [ours, capture(NOON)])
        first, second = plans_of(conn, target, "shop", {QueryId(5): None})[QueryId(5)]
        only = plans_of(conn, target, "shop", {QueryId(5): None}, most=1)[QueryId(5)]
    assert (first.source, second.source) == (PlanSource.AUTO_EXPLAIN, PlanSource.GENERIC_PLAN)
    assert (second.executions, second.mean_duration_ms, second.max_duration_ms) == (0, None, None)
    assert only == (first,)


def test_odd_texts_do_no_harm(store: Store) -> None:
    target = new_target(store)
    odd = ["", "select 'a\0b'", "not sql at all (", "x" * 150_000, "select '\ud800'"[:8]]
    with store.transaction() as conn:
        assert save_plans(conn, target, [capture(NOON, query=text) for text in odd]) == 0
    assert value(store, "select max(length(example_query)) from plans") <= 100_000


def position(offset: int) -> LogPosition:
    return LogPosition(
        path="/log/a.json",
        device=2**40,
        inode=3,
        offset=offset,
        size=-1,
        modified_at_ns=2**62,
        signature="abc",
        signature_bytes=9,
        dropping=True,
    )


def test_plans_and_position_are_saved_together_or_not_at_all(store: Store) -> None:
    target = new_target(store)
    with store.transaction() as conn:
        save_plans(conn, target, [capture(NOON)])
        save_log_position(
            conn, target, "log", position(100), lines=10, skipped={"truncated plan": 1}, now=NOON
        )
    with pytest.raises(ZeroDivisionError), store.transaction() as conn:
        save_plans(conn, target, [capture(NOON)])
        save_log_position(conn, target, "log", position(200), lines=5, skipped={}, now=NOON)
        raise ZeroDivisionError
    with store.transaction() as conn:
        assert load_log_position(conn, target, "log") == position(100)
        assert load_log_position(conn, target, "other") is None
        save_plans(conn, target, [capture(NOON + MINUTE)])
        save_log_position(
            conn,
            target,
            "log",
            position(200),
            lines=7,
            skipped={"truncated plan": 2, "own statement": 3},
            now=NOON + MINUTE,
        )
        assert load_log_position(conn, target, "log") == position(200)
    assert value(store, "select executions::int from plans") == 2
    assert rows(store, "select lines, skipped from log_positions") == [
        (17, {"truncated plan": 3, "own statement": 3})
    ]


def test_why_there_is_no_plan(store: Store) -> None:
    target = new_target(store)
    with store.transaction() as conn:
        save_unexplained(conn, target, SHOP, QueryId(-1), "there is no parameter $1", now=NOON)
        save_unexplained(conn, target, SHOP, QueryId(-1), "no right", now=NOON + MINUTE)
        assert unexplained(conn, target, SHOP) == {QueryId(-1): "no right"}
        assert unexplained(conn, target, SHOP + 1) == {}


def test_executions_of_two_days_go_to_two_partitions(store: Store) -> None:
    target = new_target(store)
    with store.transaction() as conn:
        save_plans(conn, target, [capture(NOON), capture(NOON + timedelta(days=1))])
    assert value(store, "select count(distinct tableoid)::int from executions") == 2
