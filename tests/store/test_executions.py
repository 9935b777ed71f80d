"""What logs show of executions: rows, statements, plans by hour."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.store.made import HOUR, MINUTE, NOON, new_target, rows, value
from tests.store.test_plans import LOOKUP, capture

from pgadvisor.records.log import Execution
from pgadvisor.records.parameter import MaskedValue
from pgadvisor.records.statement import QueryId
from pgadvisor.store import Store
from pgadvisor.store.executions import logged_load, logged_queryids, save_executions
from pgadvisor.store.plans import save_plans

FIRST, SECOND = "0a42922fab0bd73f", "1b42922fab0bd73f"


def execution(at: datetime, fingerprint: str = FIRST, **differing: Any) -> Execution:
    whole: dict[str, Any] = {
        "logged_at": at,
        "database": "shop",
        "query": "select * from orders where id = $1",
        "fingerprint": fingerprint,
        "duration_ms": 10.0,
        "kind": "select",
        "user": "ann",
        "application_name": "tests",
        "pid": 7,
        "threshold_ms": 5.0,
        "sample_rate": 0.5,
        **differing,
    }
    return Execution(**whole)


def test_executions_and_their_statements(store: Store) -> None:
    target = new_target(store)
    known = MaskedValue(type="integer", length=4, hash="0123456789abcdef", bucket="1200")
    with store.transaction() as conn:
        save_executions(conn, target, [])
        save_executions(
            conn,
            target,
            [
                execution(NOON + MINUTE, queryid=QueryId(-5), query="newer"),
                execution(NOON, parameters=(known, MaskedValue(type="null"), MaskedValue())),
                execution(NOON, SECOND, database="other", kind=None, threshold_ms=None),
            ],
        )
        save_executions(conn, target, [execution(NOON - MINUTE, query="older", kind=None)])
    found = rows(
        store,
        """select logged_at, source, plan_id, datname, queryid, fingerprint, threshold_ms,
               sample_rate, username, application_name, pid, duration_ms
           from executions where datname = 'shop' order by logged_at""",
    )
    assert [row[0] for row in found] == [NOON - MINUTE, NOON, NOON + MINUTE]
    assert found[2][1:] == (
        *("log_min_duration", None, "shop", -5, FIRST, 5.0, 0.5, "ann", "tests", 7, 10.0),
    )
    assert value(store, "select parameters from executions where parameters is not null") == [
        {"type": "integer", "length": 4, "hash": "0123456789abcdef", "bucket": "1200"},
        {"type": "null"},
        {},
    ]
    statements = rows(
        store,
        """select datname, fingerprint, query, kind, queryid, first_seen_at, last_seen_at
           from logged_statements order by datname""",
    )
    assert statements == [
        ("other", SECOND, "select * from orders where id = $1", None, None, NOON, NOON),
        ("shop", FIRST, "newer", "select", -5, NOON - MINUTE, NOON + MINUTE),
    ]
    with store.transaction() as conn:
        wanted = [("shop", FIRST), ("other", SECOND), ("shop", SECOND)]
        assert logged_queryids(conn, target, wanted) == {("shop", FIRST): -5}
        assert logged_queryids(conn, target, []) == {}


def test_a_rolled_back_piece_leaves_nothing(store: Store) -> None:
    target = new_target(store)
    with pytest.raises(ZeroDivisionError), store.transaction() as conn:
        save_executions(conn, target, [execution(NOON)])
        raise ZeroDivisionError
    assert value(store, "select count(*) from executions") == 0
    assert value(store, "select count(*) from logged_statements") == 0


def test_plans_have_hours_and_their_executions_their_sampling(store: Store) -> None:
    target = new_target(store)
    with store.transaction() as conn:
        save_plans(
            conn,
            target,
            [
                capture(NOON, duration_ms=10.0),
                capture(NOON + 59 * MINUTE, duration_ms=30.0),
                capture(NOON + HOUR, duration_ms=5.0),
                capture(NOON, LOOKUP, duration_ms=None),
            ],
            sampled=lambda duration_ms: (duration_ms / 10, 0.25),
        )
        save_plans(conn, target, [capture(NOON + MINUTE, duration_ms=20.0)])
    hours = rows(
        store,
        """select hour, executions, total_duration_ms, max_duration_ms from plan_hours
           order by hour""",
    )
    assert hours == [(NOON, 3, 60.0, 30.0), (NOON + HOUR, 1, 5.0, 5.0)]
    found = rows(
        store,
        """select duration_ms, threshold_ms, sample_rate, source, datname, queryid,
               fingerprint is not null from executions order by duration_ms""",
    )
    assert [row[:3] for row in found] == [
        *((5.0, 0.5, 0.25), (10.0, 1.0, 0.25), (20.0, None, None), (30.0, 3.0, 0.25)),
    ]
    assert {row[3:] for row in found} == {("auto_explain", "shop", 5, True)}


def test_only_the_example_is_masked(store: Store) -> None:
    target = new_target(store)
    masked: list[str] = []

    def mask(one: Any) -> Any:
        masked.append(one.query)
        return capture(one.captured_at, query="masked")

    with store.transaction() as conn:
        captures = [capture(NOON + n * MINUTE, query=f"select {n}") for n in range(5)]
        save_plans(conn, target, captures, mask=mask)
    assert masked == ["select 4"]
    assert rows(store, "select example_query, executions from plans") == [("masked", 5)]


def test_load_is_of_statements_and_of_plans_where_there_are_none(store: Store) -> None:
    target, plans_only = new_target(store), new_target(store, "plans")
    with store.transaction() as conn:
        save_plans(conn, target, [capture(NOON, duration_ms=500.0)])
        save_plans(conn, plans_only, [capture(NOON, duration_ms=500.0)])
        save_executions(
            conn,
            target,
            [
                execution(NOON, queryid=QueryId(7)),
                execution(NOON + timedelta(days=1), duration_ms=30.0, threshold_ms=20.0),
                execution(NOON, SECOND, duration_ms=90.0, threshold_ms=None, sample_rate=None),
            ],
        )
        second, first = logged_load(conn, target, most=5)
        assert (first.executions, first.total_duration_ms, first.mean_duration_ms) == (
            2,
            40.0,
            20.0,
        )
        assert (first.max_duration_ms, first.threshold_ms, first.queryid) == (30.0, 20.0, "7")
        assert (second.fingerprint, second.threshold_ms, second.sample_rate) == (SECOND, None, None)
        assert len(logged_load(conn, target, most=1)) == 1
        (plan,) = logged_load(conn, plans_only, most=5)
        assert plan.source == "auto_explain"
        assert plan.query == "select * from orders where id = 1"
