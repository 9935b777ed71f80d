"""A real standby beside its primary: roles, advice for both, failover without losing history."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from tests.jobs.conftest import add, query, settings_of, stored_calls, until

from pgadvisor import pipeline
from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.config import Settings
from pgadvisor.errors import ClusterFailed
from pgadvisor.store import Store
from pgadvisor.store.advice import list_recommendations
from pgadvisor.store.targets import StoredTarget, cluster_members, target_by_id

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "30",
    "hot_standby_feedback": "on",
}
SLOW = "select count(*) from people where email = 'person 4711'"


class Standby(Cluster):
    """A cluster that begins as a base backup of another and follows it."""

    primary: Cluster

    def _initdb(self) -> None:
        done = self.account.run(
            self.binaries.bin_dir / "pg_basebackup",
            *("-D", self.data_dir, "-h", self.primary.socket_dir, "-U", "postgres"),
            *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
        )
        if done.returncode:
            raise ClusterFailed(done.stdout)


@pytest.fixture(scope="module")
def pair(hypopg: None) -> Iterator[tuple[Cluster, Cluster]]:
    """A primary with a database, and its standby, which has caught up."""
    binaries = find_binaries()
    with Cluster.temporary(binaries, settings=SETTINGS) as primary:
        with psycopg.connect(primary.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
            conn.execute("create extension hypopg")
            conn.execute(
                """create table people as
                   select id, 'person ' || id as email, repeat('x', 100) as notes
                   from generate_series(1, 50000) id"""
            )
            conn.execute("vacuum analyze people")
        standby = Standby.temporary(binaries, settings=SETTINGS)
        standby.primary = primary
        with standby:
            yield primary, standby


def now() -> datetime:
    return datetime.now(UTC)


def observe(store: Store, settings: Settings, cluster: Cluster, target_id: int) -> None:
    with pipeline.connect_target(cluster.dsn(), settings) as target:
        pipeline.observe_server(target, store, target_id, now=now())
        pipeline.observe_statements(target, store, target_id, now=now())
        pipeline.observe_state(target, store, target_id, now=now(), clock=now)


def advise(store: Store, settings: Settings, cluster: Cluster, target_id: int) -> pipeline.Advice:
    with pipeline.connect_target(cluster.dsn(), settings) as target:
        return pipeline.advise(target, store, target_id, now=now())


def stored(store: Store, target_id: int) -> StoredTarget:
    with store.transaction() as conn:
        return target_by_id(conn, target_id)


def run(cluster: Cluster, statement: str, times: int = 1) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        for _ in range(times):
            rows = conn.execute(statement.encode()).fetchall()
    return rows


@pytest.mark.slow
def test_a_primary_is_advised_on_what_its_replica_runs_and_failover_keeps_history(
    pair: tuple[Cluster, Cluster], store: Store, store_dsn: str
) -> None:
    primary, standby = pair
    settings = settings_of(store_dsn)
    b = add(store, standby.dsn(), "b")
    query(standby, 2)
    observe(store, settings, standby, b)
    alone = advise(store, settings, standby, b)
    assert not alone.recommendations
    assert {one.reason for one in alone.skipped} == {
        "this is a replica: advice is made for its primary, which is not among the targets; "
        "`pgadvisor targets add` it"
    }
    a = add(store, primary.dsn(), "a")
    # a name that leads to whoever is the primary at the moment
    hosts = f"host={primary.socket_dir},{standby.socket_dir} target_session_attrs=read-write"
    floating_dsn = f"user=postgres dbname=postgres {hosts}"
    floating = add(store, floating_dsn, "floating")
    for cluster, target_id in ((primary, a), (primary, floating)):
        observe(store, settings, cluster, target_id)

    assert (stored(store, a).role, stored(store, a).primary_name) == ("primary", None)
    assert (stored(store, b).role, stored(store, b).primary_name) == ("replica", "a")
    assert stored(store, b).replay_lag_ms is not None
    with store.transaction() as conn:
        # two names of one server count once
        assert cluster_members(conn, a) == sorted([a, b])
        assert cluster_members(conn, floating) == sorted([b, floating])

    # only the replica runs it
    run(standby, SLOW, 20)
    query(standby, 3)
    observe(store, settings, primary, a)
    observe(store, settings, standby, b)
    of_primary = advise(store, settings, primary, a)
    of_replica = advise(store, settings, standby, b)
    assert any("people" in one.finding.statement for one in of_primary.recommendations)
    assert not of_replica.recommendations
    assert {one.reason for one in of_replica.skipped} == {
        "this is a replica of a: the advice there covers what runs here"
    }
    with store.transaction() as conn:
        found = list_recommendations(conn)
    assert {one.target for one in found} == {"a"}

    # failover: the primary dies, the replica becomes one
    observe(store, settings, primary, floating)
    query(standby, 4)
    primary.stop("immediate")
    assert run(standby, "select pg_promote()") == [(True,)]
    until(lambda: run(standby, "select pg_is_in_recovery()") == [(False,)])
    query(standby, 5)
    observe(store, settings, standby, b)
    assert (stored(store, b).role, stored(store, b).primary_name) == ("primary", None)
    assert stored_calls(store_dsn, b) == 12  # nothing lost, nothing twice
    assert advise(store, settings, standby, b).recommendations

    # the floating name leads to another server now: its counters are no continuation
    with pipeline.connect_target(floating_dsn, settings) as target:
        pipeline.observe_statements(target, store, floating, now=now())
    assert stored_calls(store_dsn, floating) == 0
    with store.transaction() as conn:
        reasons = conn.execute("select reason from gaps where target_id = %s", [floating])
        assert reasons.fetchall() == [("other_cluster",)]
