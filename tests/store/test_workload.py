"""The workload of a database as the analysis reads it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.store.made import (
    APP,
    BATCH,
    HOUR,
    MINUTE,
    NOON,
    OTHER,
    SHOP,
    entry,
    new_target,
    record,
)

from pgadvisor.records.catalog import Catalog, Table
from pgadvisor.records.server import ActivitySample, Setting
from pgadvisor.records.statement import QueryId, StatementKey, StatementText
from pgadvisor.records.workload import Workload
from pgadvisor.store import Store
from pgadvisor.store.activity import save_activity
from pgadvisor.store.catalog import save_catalog, save_settings
from pgadvisor.store.plans import save_unexplained
from pgadvisor.store.targets import target_named
from pgadvisor.store.texts import known_texts, own_queryids, save_texts
from pgadvisor.store.workload import load_workload

WEEK = timedelta(days=7)


def workload(
    store: Store,
    database: str = "shop",
    since: datetime = NOON - WEEK,
    until: datetime = NOON + WEEK,
) -> Workload:
    with store.transaction() as conn:
        target = target_named(conn, "shop")
        found = load_workload(conn, target, database, since=since, until=until)
    assert found is not None
    return found


def test_users_and_levels_are_added_up_busiest_first(store: Store) -> None:
    target = new_target(store)
    keys = [
        entry(7, 0, userid=APP, plans=1),
        entry(7, 0, userid=APP, toplevel=False, plans=1),
        entry(7, 0, userid=BATCH, plans=1),
        entry(7, 0, userid=99, plans=1),
        entry(8, 0, plans=1),
        entry(7, 0, dbid=OTHER, plans=1),
    ]
    record(store, target, NOON, keys)
    done = [
        entry(7, 10, userid=APP, plans=1),
        entry(7, 5, userid=APP, toplevel=False, plans=1),
        entry(7, 100, userid=BATCH, plans=1, temp_blks_written=5),
        entry(7, 1, userid=99, plans=1),
        entry(8, 1000, plans=1),
        entry(7, 7, dbid=OTHER, plans=1),
    ]
    record(store, target, NOON + MINUTE, done)
    found = workload(store)
    assert [(q.queryid, q.calls, q.total_exec_time) for q in found.queries] == [
        (8, 1000, 2000.0),
        (7, 116, 232.0),
    ]
    assert found.queries[1].users == ("batch", "app")  # each once; a third has no name we know
    assert found.queries[1].toplevel
    assert found.queries[1].temp_blks_written == 5
    assert [q.calls for q in workload(store, "other").queries] == [7]


def test_observed_hours_are_those_that_intervals_cover(store: Store) -> None:
    """Collecting begins, pauses for a reset, and goes on; the window begins inside an interval."""
    target = new_target(store)
    record(store, target, NOON, [entry(1, 10)])
    record(store, target, NOON + HOUR, [entry(1, 20)])
    record(store, target, NOON + 4 * HOUR, [entry(1, 5)], stats_reset=NOON + 3 * HOUR)
    found = workload(store)
    assert found.observed_hours == pytest.approx(2.0)
    assert (found.since, found.until) == (NOON, NOON + 4 * HOUR)
    assert found.queries[0].calls == 15
    # a long window is read in whole hours, a short one as it is
    assert workload(store, since=NOON + 0.5 * HOUR).observed_hours == pytest.approx(2.0)
    late = workload(store, since=NOON + 0.5 * HOUR, until=NOON + 2 * HOUR)
    assert late.observed_hours == pytest.approx(0.5)
    assert workload(store, until=NOON + 2 * HOUR).observed_hours == pytest.approx(1.0)


def test_the_counters_since_the_reset_stand_in_before_the_first_interval(store: Store) -> None:
    target = new_target(store)
    reset = NOON - 10 * HOUR
    keys = [entry(1, 50), entry(1, 20, toplevel=False), entry(1, 5, userid=BATCH)]
    record(store, target, NOON, keys, stats_reset=reset)
    found = workload(store)
    assert (found.since, found.until) == (reset, NOON)
    assert found.observed_hours == pytest.approx(10.0)
    assert [(q.calls, q.users) for q in found.queries] == [(75, ("app", "batch"))]


def test_our_own_statements_are_left_out_and_texts_are_joined(store: Store) -> None:
    target = new_target(store)
    entries = [entry(n, 1) for n in (1, 2, 3)]
    keys = [StatementKey(SHOP, APP, QueryId(n), True) for n in (1, 2, 3)]
    texts = [
        StatementText(dbid=SHOP, queryid=QueryId(1), query="select * from orders where id = $1"),
        StatementText(dbid=SHOP, queryid=QueryId(2), query="/* pgadvisor */ select 1"),
    ]
    with store.transaction() as conn:
        save_texts(conn, target, texts, keys, now=NOON)
        assert own_queryids(conn, target) == {2}
        assert known_texts(conn, target, []) == set()
        assert known_texts(conn, target, keys) == {(SHOP, 1), (SHOP, 2), (SHOP, 3)}
        assert known_texts(conn, target, keys[1:]) == {(SHOP, 2), (SHOP, 3)}
        assert known_texts(conn, target, keys, retry_hidden=True) == {(SHOP, 1), (SHOP, 2)}
        save_unexplained(conn, target, SHOP, QueryId(1), "no reason", now=NOON)
    record(
        store, target, NOON, [replace(e, counters=e.counters._replace(plans=1)) for e in entries]
    )
    record(store, target, NOON + MINUTE, [entry(n, 5, plans=1) for n in (1, 2, 3)])
    found = {query.queryid: query for query in workload(store).queries}
    assert found.keys() == {1, 3}
    assert found[QueryId(1)].query == "select * from orders where id = $1"
    assert len(found[QueryId(1)].fingerprint or "") == 16
    assert found[QueryId(1)].no_plan_reason == "no reason"
    assert found[QueryId(3)].query is None
    # it becomes visible, and a visible one is not replaced
    with store.transaction() as conn:
        seen = [
            StatementText(dbid=SHOP, queryid=QueryId(3), query="select broken from ("),
            StatementText(dbid=SHOP, queryid=QueryId(1), query="select 2"),
        ]
        save_texts(conn, target, seen, keys, now=NOON)
    found = {query.queryid: query for query in workload(store).queries}
    assert found[QueryId(3)].query == "select broken from ("
    assert found[QueryId(3)].fingerprint is None
    assert found[QueryId(1)].query == "select * from orders where id = $1"


def test_settings_and_peak_of_active_backends(store: Store) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 1)])
    record(store, target, NOON + MINUTE, [entry(1, 2)])

    def sample(at: datetime, state: str, backends: int) -> ActivitySample:
        return ActivitySample(
            captured_at=at,
            datname="shop",
            usename="app",
            state=state,
            wait_event_type=None,
            wait_event=None,
            queryid=-4,
            backends=backends,
            longest_ms=1.5,
        )

    with store.transaction() as conn:
        save_activity(
            conn,
            target,
            [
                sample(NOON + MINUTE, "active", 3),
                sample(NOON + MINUTE, "active", 2),
                sample(NOON + MINUTE, "idle", 50),
                sample(NOON + 2 * MINUTE, "active", 4),
            ],
        )
        jit = Setting(name="jit", setting="off", unit=None, source="default")
        save_settings(conn, target, [jit], now=NOON)
    found = workload(store)
    assert found.peak_active_backends == 5
    assert found.settings == {"jit": "off"}


def test_a_database_never_seen_is_none(store: Store) -> None:
    new_target(store)
    with store.transaction() as conn:
        target = target_named(conn, None)
        assert load_workload(conn, target, "nowhere", since=NOON, until=NOON + HOUR) is None
    assert workload(store).queries == ()


class TestWriteRates:
    """Readings are kept only where they differ: their absence means that nothing was written."""

    @staticmethod
    def save(store: Store, target: int, at: datetime, written: int, ticks: int) -> None:
        def table(oid: int, inserted: int) -> Table:
            return Table(
                oid=oid, schema="s", name=f"t{oid}", relkind="r", owner="o", reltuples=1.0,
                relpages=1, total_bytes=1, table_bytes=1, columns=(), n_tup_ins=inserted,
                n_tup_upd=2 * inserted, n_tup_del=3 * inserted,
            )  # fmt: skip

        catalog = Catalog(
            captured_at=at, database="shop", dbid=SHOP,
            tables={1: table(1, written), 2: table(2, ticks)},
        )  # fmt: skip
        with store.transaction() as conn:
            save_catalog(conn, target, catalog)

    def test_a_burst_counts_over_the_hours_that_were_read(self, store: Store) -> None:
        """600 rows within ten minutes, then nothing for the rest of ten hours."""
        target = new_target(store)
        self.save(store, target, NOON, 0, 0)
        self.save(store, target, NOON + 10 * MINUTE, 600, 1)
        for hour in range(1, 11):
            self.save(store, target, NOON + hour * HOUR, 600, 1 + hour)
        assert workload(store, until=NOON + 10 * HOUR).write_rates[1] == (60.0, 120.0, 180.0)

    def test_a_burst_after_a_quiet_time_is_not_missed(self, store: Store) -> None:
        """Its only reading within the window differs from the one long before."""
        target = new_target(store)
        self.save(store, target, NOON - 2 * WEEK, 100, 0)
        for hour in range(11):
            self.save(store, target, NOON + hour * HOUR, 100 if hour < 10 else 400, 1 + hour)
        rates = workload(store, since=NOON, until=NOON + 10 * HOUR).write_rates
        assert rates[1] == (30.0, 60.0, 90.0)

    def test_statistics_that_were_reset_are_no_negative_rate(self, store: Store) -> None:
        target = new_target(store)
        self.save(store, target, NOON, 1000, 0)
        self.save(store, target, NOON + HOUR, 10, 1)
        assert workload(store, until=NOON + HOUR).write_rates[1] == (0.0, 0.0, 0.0)

    def test_one_reading_gives_no_rate(self, store: Store) -> None:
        target = new_target(store)
        self.save(store, target, NOON, 1000, 0)
        assert workload(store).write_rates == {}
