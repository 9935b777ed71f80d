"""An analysis has back the values that the target knows, and only those."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from pgadvisor import pipeline
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.target import Target
from pgadvisor.config import load_settings
from pgadvisor.pipeline.known_values import with_known_values
from pgadvisor.pipeline.privacy import Privacy
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource, Query, StoredPlan, Workload
from pgadvisor.sql import ValueMask

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HASH = Privacy(ValueMask(ParameterMode.HASH, b"salt"))
TEXT = "select * from orders where status = 'pending' and email = 'ann@example.org' and n = $1"


@pytest.fixture
def target(target_dsn: str, target_conn: psycopg.Connection[Any]) -> Iterator[Target]:
    target_conn.execute(
        """create table orders (n int, status text, email text);
           insert into orders
           select g, case when g % 50 = 0 then 'pending' else 'done' end, 'person' || g || '@x.org'
           from generate_series(1, 3000) g;
           analyze orders"""
    )
    with pipeline.connect_target(target_dsn, load_settings()) as connection:
        yield connection


def workload(privacy: Privacy) -> Workload:
    """One query with one logged plan, as it would come from the store."""
    capture = privacy.plan(
        PlanCapture(
            captured_at=NOON,
            database="shop",
            source=PlanSource.AUTO_EXPLAIN,
            query=TEXT,
            plan={"Node Type": "Seq Scan"},
            extra={"Query Parameters": "$1 = '123456'"},
        )
    )
    plan = StoredPlan(
        id=1, shape="0", source=capture.source, plan=capture.plan, extra=capture.extra,
        example_query=capture.query, first_seen_at=NOON, last_seen_at=NOON, executions=1,
        mean_duration_ms=1.0, max_duration_ms=1.0,
    )  # fmt: skip
    query = Query(
        queryid=QueryId(1), fingerprint=None, query=TEXT, calls=1, total_exec_time=1.0, rows=1,
        plans=(plan, replace(plan, id=2, source=PlanSource.GENERIC_PLAN)),
    )  # fmt: skip
    return Workload(
        target_id=1, target="t", database="shop", since=NOON, until=NOON, observed_hours=1.0,
        queries=(query,),
    )  # fmt: skip


def test_common_values_and_buckets_are_put_back(target: Target) -> None:
    given = workload(HASH)
    asked = with_known_values(target, given, fetch_catalog(target), HASH)
    logged, generic = asked.queries[0].plans
    assert logged.example_query == (
        "select * from orders where status = 'pending' and email = $1 and n = '120000'"
    )
    assert generic == given.queries[0].plans[1]
    assert replace(logged, example_query="") == replace(given.queries[0].plans[0], example_query="")


def test_another_salt_finds_nothing(target: Target) -> None:
    given = workload(Privacy(ValueMask(ParameterMode.HASH, b"another")))
    asked = with_known_values(target, given, fetch_catalog(target), HASH)
    assert "pending" not in asked.queries[0].plans[0].example_query


@pytest.mark.parametrize("mode", [ParameterMode.KEEP, ParameterMode.DROP])
def test_other_modes_ask_nothing(target: Target, mode: ParameterMode) -> None:
    privacy = Privacy(ValueMask(mode, b"salt"))
    given = workload(privacy)
    assert with_known_values(target, given, fetch_catalog(target), privacy) is given
