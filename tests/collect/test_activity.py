from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.collect.activity import fetch_activity
from pgadvisor.collect.target import Target, connect
from pgadvisor.records.server import ActivitySample

Conn = psycopg.Connection[Any]


def _samples(target: Target) -> list[ActivitySample]:
    return [s for s in fetch_activity(target) if s.datname == target.database]


def test_backends_are_added_up_by_state(target_conn: Conn, target_dsn: str) -> None:
    with (
        psycopg.connect(target_dsn) as first,
        psycopg.connect(target_dsn) as second,
        connect(target_dsn) as target,
    ):
        first.execute("select 1 as same")
        second.execute("select 2 as same")
        samples = _samples(target)

    # a backend says what it waits for a moment after it says that it is idle
    opened = [sample for sample in samples if sample.state == "idle in transaction"]
    assert sum(sample.backends for sample in opened) == 2
    assert {sample.wait_event for sample in opened} <= {"ClientRead", None}
    assert len({sample.queryid for sample in opened}) == 1
    assert {sample.queryid is None for sample in opened} == {target.major < 14}
    assert {sample.usename for sample in samples} == {"postgres"}
    assert all(sample.longest_ms is not None and sample.longest_ms >= 0 for sample in opened)
    assert [sample.longest_ms for sample in samples if sample.state == "idle"] == [None]


def test_our_own_backends_are_left_out(target_dsn: str) -> None:
    with connect(target_dsn) as target, connect(target_dsn) as other:
        other.rows("settings")

        assert _samples(target) == []


@pytest.mark.parametrize("major", [13, 14])
def test_without_query_ids(target_conn: Conn, target: Target, major: int) -> None:
    if target.major < major:
        pytest.skip("pg_stat_activity has query_id from PostgreSQL 14 on")
    target_conn.execute("select 1")
    target.major = major

    (sample,) = _samples(target)

    assert (sample.queryid is None) is (major == 13)


def test_activity_of_newer_servers(newer_cluster: Cluster) -> None:
    with (
        psycopg.connect(newer_cluster.dsn(), autocommit=True),
        connect(newer_cluster.dsn()) as target,
    ):
        assert _samples(target)[0].backends == 1
