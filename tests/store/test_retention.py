"""What is past its time goes, what is needed stays, and collecting goes on beside it."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.store.made import HOUR, MINUTE, NOON, SHOP, entry, new_target, record, rows, value

from pgadvisor.config import Settings, load_settings
from pgadvisor.store import Store
from pgadvisor.store.partitions import PARTITIONED
from pgadvisor.store.retention import maintain

DAY = timedelta(days=1)
PARTITIONS = """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where c.relispartition and c.relkind = 'r' order by 1"""


@pytest.fixture
def settings(store_dsn: str) -> Settings:
    return load_settings(database_url=store_dsn)


@pytest.fixture
def is_native(store: Store) -> None:
    if not rows(store, "select 1 from pg_partitioned_table"):
        pytest.skip("hypertables have chunks, see test_timescale.py")


def execute(store: Store, query: str, *parameters: object) -> None:
    with store.transaction() as conn:
        conn.execute(query.encode(), parameters or None)


def test_the_partitions_of_the_next_days_are_made(
    store: Store, settings: Settings, is_native: None
) -> None:
    done = maintain(store, settings, now=NOON)
    days = ("20260301", "20260302", "20260303", "20260304")
    assert sorted(done.made) == [
        *(f"executions_{day}" for day in days),
        *(f"statement_deltas_{day}" for day in days),
        "statement_hours_20260301",
        "statement_hours_20260401",
    ]
    assert [name for (name,) in rows(store, PARTITIONS)] == sorted(done.made)
    assert maintain(store, settings, now=NOON).made == []
    later = maintain(store, settings, now=NOON + DAY)
    assert sorted(later.made) == ["executions_20260305", "statement_deltas_20260305"]


def test_partitions_go_when_all_their_rows_are_past_their_time(
    store: Store, settings: Settings, is_native: None
) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 1)])
    record(store, target, NOON + MINUTE, [entry(1, 2)])
    end_of_day = datetime(2026, 3, 2, tzinfo=UTC)
    kept = maintain(store, settings, now=end_of_day + settings.raw_retention - MINUTE)
    assert kept.dropped == []
    gone = maintain(store, settings, now=end_of_day + settings.raw_retention)
    assert gone.dropped == ["statement_deltas_20260301"]
    assert value(store, "select count(*)::int from statement_hours") == 1
    end_of_month = datetime(2026, 4, 1, tzinfo=UTC)
    gone = maintain(store, settings, now=end_of_month + settings.hourly_retention)
    assert "statement_hours_20260301" in gone.dropped


def test_a_partition_that_is_read_is_put_off_and_nobody_waits(
    store: Store, settings: Settings, store_dsn: str, is_native: None
) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 1)])
    record(store, target, NOON + MINUTE, [entry(1, 2)])
    later = NOON + 20 * DAY
    with psycopg.connect(store_dsn) as reader:
        reader.execute("select count(*) from statement_deltas_20260301")
        done = maintain(store, settings, now=later)
        assert (done.dropped, done.put_off) == ([], ["statement_deltas_20260301"])
        # a new day beside the same reader: its partition is attached under a weaker lock
        record(store, target, NOON + 30 * DAY, [entry(1, 3)])
        reader.rollback()
    assert maintain(store, settings, now=later).dropped == ["statement_deltas_20260301"]


def test_snapshots_go_but_for_the_newest_and_coverage_stays(
    store: Store, settings: Settings
) -> None:
    one, two = new_target(store, "one"), new_target(store, "two")
    for minute in range(4):
        record(store, one, NOON + minute * MINUTE, [entry(1, minute + 1)])
    record(store, two, NOON, [entry(1, 1)])
    done = maintain(store, settings, now=NOON + 8 * DAY)
    assert done.deleted["snapshots"] == 3
    assert value(store, "select count(*)::int from snapshots") == 2
    assert rows(store, "select covered_seconds from target_hours") == [(180.0,)]
    interval = record(store, one, NOON + 8 * DAY, [entry(1, 104)])
    assert interval is not None
    assert interval.since == NOON + 3 * MINUTE
    assert value(store, "select sum(calls)::int from statement_hours") == 103


def test_intervals_of_databases_become_hours(store: Store, settings: Settings) -> None:
    target = new_target(store)
    begin = NOON + 50 * MINUTE
    for minute in range(0, 26, 5):
        record(store, target, begin + minute * MINUTE, [entry(1, 10 + minute)])
    load = """select sum(calls)::int, sum(total_exec_time), sum(until - since)
              from database_intervals"""
    before = rows(store, load)
    assert maintain(store, settings, now=NOON + 7 * DAY).deleted["database_intervals"] == 0
    done = maintain(store, settings, now=NOON + 8 * DAY)
    assert done.deleted["database_intervals"] == 3
    hours = rows(store, "select until, calls, until - since from database_intervals order by 1")
    assert hours == [
        (NOON + HOUR, 10, 10 * MINUTE),
        (NOON + HOUR + 15 * MINUTE, 15, 15 * MINUTE),
    ]
    assert rows(store, load) == before
    assert maintain(store, settings, now=NOON + 8 * DAY).deleted["database_intervals"] == 0
    assert maintain(store, settings, now=NOON + 500 * DAY).deleted["database_intervals"] == 2


def test_each_table_keeps_what_is_within_its_time(store: Store, settings: Settings) -> None:
    target = new_target(store)
    old, new = NOON - 401 * DAY, NOON - 399 * DAY
    raw_old, raw_new = NOON - 7 * DAY - MINUTE, NOON - 7 * DAY + MINUTE
    for at in (old, new):
        execute(
            store,
            "insert into gaps (target_id, since, until, reason) values (%s, %s, %s, 'reset')",
            *(target, at, at),
        )
        execute(
            store,
            """insert into settings (target_id, name, setting, source, since, until)
               values (%s, %s, '1', 'default', %s, %s)""",
            *(target, f"s{at}", at - DAY, at),
        )
        execute(
            store,
            """insert into catalog_objects (target_id, dbid, kind, object, definition, since, until)
               values (%s, 1, 'table', %s, '{}', %s, %s)""",
            *(target, f"{at}", at - DAY, at),
        )
        execute(
            store,
            """insert into plans (target_id, datname, shape, source, plan, example_query,
                                  first_seen_at, last_seen_at)
               values (%s, 'shop', %s, 'auto_explain', '{}', '', %s, %s)""",
            *(target, f"{at}", at, at),
        )
        execute(store, "insert into target_hours values (%s, %s, 3600, 60)", target, at)
    execute(
        store,
        """insert into settings (target_id, name, setting, source, since)
           values (%s, 'current', '1', 'default', %s)""",
        *(target, old),
    )
    for at in (raw_old, raw_new):
        execute(
            store,
            "insert into activity_samples (target_id, captured_at, backends) values (%s, %s, 1)",
            *(target, at),
        )
        execute(
            store,
            """insert into running_statements (target_id, pid, started_at, last_seen_at, queryid,
                                               query)
               values (%s, 1, %s, %s, 1, '')""",
            *(target, at - HOUR, at),
        )
    done = maintain(store, settings, now=NOON)
    assert done.deleted == {
        **dict.fromkeys(("gaps", "settings", "catalog_objects", "plans", "target_hours"), 1),
        **dict.fromkeys(("activity_samples", "running_statements"), 1),
    }
    assert not done.skipped
    assert rows(store, "select name from settings order by 1") == [("current",), (f"s{new}",)]


def test_counters_of_a_table_are_known_at_the_begin_of_the_window(
    store: Store, settings: Settings
) -> None:
    target = new_target(store)
    read = [NOON - 30 * DAY, NOON - 20 * DAY, NOON - 10 * DAY, NOON - DAY]
    for oid, instants in ((1, read), (2, read[:1]), (3, [NOON - 450 * DAY])):
        for at in instants:
            execute(
                store,
                "insert into relation_statistics values (%s, %s, %s, %s, 'table', '{}')",
                *(target, SHOP, oid, at),
            )
    for oid in (1, 2):
        execute(
            store,
            """insert into catalog_objects (target_id, dbid, kind, object, definition, since)
               values (%s, %s, 'table', %s, '{}', %s)""",
            *(target, SHOP, str(oid), NOON - 500 * DAY),
        )
    maintain(store, settings, now=NOON)
    left = rows(store, "select oid, captured_at from relation_statistics order by 1, 2")
    # of 1 the one that held seven days ago; 2 has not changed since; 3 was dropped
    assert left == [(1, NOON - 10 * DAY), (1, NOON - DAY), (2, NOON - 30 * DAY)]


def test_statements_texts_and_roles_without_history_go(store: Store, settings: Settings) -> None:
    target = new_target(store)
    record(store, target, NOON, [entry(1, 1), entry(2, 1, userid=11)])
    for queryid in (1, 2):
        execute(
            store,
            """insert into queries (target_id, dbid, queryid, query, first_seen_at)
               values (%s, %s, %s, 'select', %s)""",
            *(target, SHOP, queryid, NOON),
        )
    record(store, target, NOON + MINUTE, [entry(1, 2), entry(2, 2, userid=11)])
    # the second is evicted; the first goes on
    record(store, target, NOON + 2 * MINUTE, [entry(1, 3)], dealloc=1)
    assert maintain(store, settings, now=NOON + 60 * DAY).deleted["statements"] == 0
    done = maintain(store, settings, now=NOON + 460 * DAY)
    assert (done.deleted["statements"], done.deleted["queries"], done.deleted["roles"]) == (1, 1, 1)
    assert rows(store, "select queryid from statements") == [(1,)]
    assert rows(store, "select queryid from queries") == [(1,)]
    assert rows(store, "select rolname from roles") == [("app",)]
    # what comes back is there again
    record(store, target, NOON + 460 * DAY, [entry(1, 3), entry(2, 7, userid=11)], dealloc=1)
    assert value(store, "select sum(calls)::int from statement_hours") == 7


def test_a_removed_target_goes_with_its_history(store: Store, settings: Settings) -> None:
    kept, removed = new_target(store, "kept"), new_target(store, "removed")
    for target in (kept, removed):
        record(store, target, NOON, [entry(1, 1)])
        record(store, target, NOON + MINUTE, [entry(1, 2)])
    execute(store, "update targets set removed_at = %s where id = %s", NOON, removed)
    maintain(store, settings, now=NOON + 399 * DAY)
    names = "select name from targets order by 1"
    assert rows(store, names) == [("kept",), ("removed",)]
    assert maintain(store, settings, now=NOON + 401 * DAY).deleted["targets"] == 1
    assert rows(store, names) == [("kept",)]
    assert rows(store, "select distinct target_id from statement_hours") == [(kept,)]
    assert rows(store, "select distinct target_id from statement_counters") == [(kept,)]


def test_two_maintainers_and_collectors_at_once(store: Store, settings: Settings) -> None:
    targets = [new_target(store, f"t{number}") for number in range(3)]
    execute(
        store,
        """insert into activity_samples (target_id, captured_at, backends)
           select t.id, %s, 1 from targets t, generate_series(1, 25000)""",
        NOON - 30 * DAY,
    )
    failures: list[BaseException] = []
    deleted: list[int] = []

    def collect(target: int) -> None:
        for minute in range(10):
            record(store, target, NOON + minute * MINUTE, [entry(1, 10 + minute)])

    def upkeep() -> None:
        deleted.append(maintain(store, settings, now=NOON).deleted["activity_samples"])

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as exc:  # noqa: BLE001 - a thread's error is shown below
            failures.append(exc)

    threads = [
        *(threading.Thread(target=guarded, args=[collect, target]) for target in targets),
        *(threading.Thread(target=guarded, args=[upkeep]) for _ in range(2)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert value(store, "select sum(calls)::int from statement_hours") == 27
    # whichever of the two came later gave way; what it left, the next run finds
    maintain(store, settings, now=NOON)
    assert value(store, "select count(*)::int from activity_samples") == 0
    assert sum(deleted) > 0


def test_a_second_maintainer_gives_way(store: Store, settings: Settings, store_dsn: str) -> None:
    with psycopg.connect(store_dsn) as other:
        other.execute("select pg_advisory_xact_lock(7316402053)")
        assert maintain(store, settings, now=NOON).skipped
        other.rollback()
    assert not maintain(store, settings, now=NOON).skipped


def test_every_partitioned_table_is_maintained(store: Store, is_native: None) -> None:
    found = rows(store, "select relname from pg_class where relkind = 'p' order by 1")
    assert {name for (name,) in found} == set(PARTITIONED)
