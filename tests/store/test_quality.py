"""What is said of a history that is less than whole, and of one that is not."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.store.made import (
    HOUR,
    MINUTE,
    NOON,
    SHOP,
    entry,
    new_target,
    record,
)

from pgadvisor.records.check import Check, CheckStatus
from pgadvisor.records.log import Execution, LogPosition, LogSkip
from pgadvisor.records.server import ServerState, Setting
from pgadvisor.records.statement import QueryId, StatementKey, StatementText
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.store import Connection, Store
from pgadvisor.store.catalog import save_settings
from pgadvisor.store.executions import save_executions
from pgadvisor.store.logs import save_log_position, save_log_problem
from pgadvisor.store.plans import save_plans, save_unexplained
from pgadvisor.store.quality import LOOKED_AT, DataQuality, QualityItem, data_quality
from pgadvisor.store.targets import (
    pause_target,
    save_checks,
    save_failure,
    save_state,
)
from pgadvisor.store.texts import save_texts

NOW = NOON + 2 * HOUR
SEQ_SCAN = {"Node Type": "Seq Scan", "Relation Name": "t", "Alias": "t", "Startup Cost": 0.0,
            "Total Cost": 1.0, "Plan Rows": 1, "Plan Width": 4}  # fmt: skip


def text(store: Store, target: int, queryid: int, query: str | None) -> None:
    found = [StatementText(dbid=SHOP, queryid=QueryId(queryid), query=query)] if query else []
    key = StatementKey(SHOP, 10, QueryId(queryid), True)
    with store.transaction() as conn:
        save_texts(conn, target, found, [key], now=NOON)


def plan(conn: Connection, target: int, queryid: int | None, query: str, **more: Any) -> None:
    capture = PlanCapture(
        captured_at=NOON + MINUTE, database="shop", query=query, plan=SEQ_SCAN,
        queryid=None if queryid is None else QueryId(queryid),
        **{"source": PlanSource.AUTO_EXPLAIN, "duration_ms": 50.0, **more},
    )  # fmt: skip
    save_plans(conn, target, [capture])


@pytest.fixture
def target(store: Store) -> int:
    """A target of which nothing is wrong: read every minute, its one query has text and plan."""
    made = new_target(store)
    with store.transaction() as conn:
        conn.execute('update targets set conninfo = \'host=shop user="watch""er"\'')
        conn.execute(
            """update targets set conninfo = 'host=shop user=watcher', system_identifier = '7',
                   server_version_num = 150018, in_recovery = false, last_seen_at = %s""",
            [NOW],
        )
    text(store, made, 1, "select * from t where a = $1")
    with store.transaction() as conn:
        plan(conn, made, 1, "select * from t where a = $1", source=PlanSource.GENERIC_PLAN,
             duration_ms=None)  # fmt: skip
    for minute in range(121):
        record(store, made, NOON + minute * MINUTE, [entry(1, 1 + minute)])
    return made


def quality(store: Store, **choice: Any) -> DataQuality:
    with store.transaction() as conn:
        window = {"since": NOON, "until": NOW, "now": NOW, **choice}
        return data_quality(conn, **window)


def items(store: Store, name: str, **choice: Any) -> list[QualityItem]:
    return [one for one in quality(store, **choice).items if one.name == name]


def test_a_whole_history_has_nothing_to_say(store: Store, target: int) -> None:
    assert quality(store).items == ()
    assert quality(store).attention == 0


def test_an_empty_store_has_nothing_to_say(store: Store) -> None:
    assert quality(store).items == ()


def test_a_failing_target_is_worst(store: Store, target: int) -> None:
    with store.transaction() as conn:
        save_failure(conn, target, "connection refused", now=NOW, failures=4,
                     retry_in=timedelta(minutes=5))  # fmt: skip
        save_log_problem(conn, target, "no such folder")
    first, second = quality(store).items
    assert (first.name, first.severity, first.count) == ("target-failing", "error", 4)
    assert "4 times in a row: connection refused" in first.message
    assert first.since == NOW
    assert first.remedy == "pgadvisor doctor 'host=shop user=watcher'"
    assert (second.name, second.severity) == ("log-problem", "warning")
    assert quality(store).attention == 2


def test_a_target_without_a_reading(store: Store) -> None:
    new_target(store, "it's new")
    (item,) = items(store, "target-never-read")
    assert (item.target, item.since) == ("it's new", NOON)


def test_a_paused_target_says_so_and_how_to_go_on(store: Store, target: int) -> None:
    with store.transaction() as conn:
        pause_target(conn, target, now=NOW - HOUR)
    (item,) = items(store, "target-paused", now=NOW + 10 * HOUR)
    assert (item.severity, item.since) == ("info", NOW - HOUR)
    assert item.remedy == "pgadvisor targets resume 'shop'"
    assert items(store, "reading-overdue", now=NOW + 10 * HOUR) == []


@pytest.mark.parametrize(("minutes", "is_overdue"), [(0, False), (2, False), (10, True)])
def test_a_reading_that_is_overdue(
    store: Store, target: int, minutes: int, is_overdue: bool
) -> None:
    now = NOW + minutes * MINUTE
    found = items(store, "reading-overdue", now=now, until=now)
    assert [(one.severity, one.since) for one in found] == [("error", NOW)] * is_overdue
    # a target that is read seldom on purpose is not late
    with store.transaction() as conn:
        conn.execute("update targets set interval_seconds = 900")
    assert items(store, "reading-overdue", now=now, until=now) == []


def test_time_that_nobody_observed(store: Store, target: int) -> None:
    later = NOW + 2 * HOUR
    (item,) = items(store, "not-collected", now=later, until=later)
    assert item.share_ratio == pytest.approx(0.5)
    assert item.message == "2.0 of 4.0 hours were not observed"
    assert item.last_at == NOW - HOUR  # the last hour of which something is known
    # a reading at last covers all of it: what ran is in its counters
    record(store, target, later, [entry(1, 999)])
    assert items(store, "not-collected", now=later, until=later) == []


def test_readings_that_came_late(store: Store, target: int) -> None:
    record(store, target, NOW + 10 * MINUTE, [entry(1, 999)])
    (item,) = items(store, "reading-late", until=NOW + HOUR)
    assert (item.count, item.last_at) == (1, NOW + 10 * MINUTE)
    assert "10.0 min" in item.message


@pytest.mark.parametrize(
    ("reason", "change", "severity"),
    [
        ("reset", {"stats_reset": NOW + 30 * timedelta(seconds=1)}, "warning"),
        ("other_cluster", {"system_identifier": "8"}, "warning"),
        ("first_sight", {"extension_version": "1.11"}, "info"),
    ],
)
def test_gaps_by_reason(
    store: Store, target: int, reason: str, change: dict[str, Any], severity: str
) -> None:
    record(store, target, NOW + MINUTE, [entry(1, 1)], **change)
    (item,) = items(store, f"gap-{reason}", until=NOW + HOUR, now=NOW + MINUTE)
    assert (item.count, item.severity) == (1, severity)
    assert item.per_day == pytest.approx(24 / (2 + 1 / 60))
    assert item.since is not None and item.since >= NOW
    assert 0 < (item.share_ratio or 0) < 0.01


def test_evictions_say_how_large_pg_stat_statements_should_be(store: Store, target: int) -> None:
    with store.transaction() as conn:
        limit = Setting(name="pg_stat_statements.max", setting="8000", unit=None, source="default")
        save_settings(conn, target, [limit], now=NOON)
    record(store, target, NOW + MINUTE, [entry(1, 200)], dealloc=3)
    record(store, target, NOW + 2 * MINUTE, [entry(1, 201)], dealloc=7)
    (item,) = items(store, "evictions", until=NOW + HOUR, now=NOW + 2 * MINUTE)
    assert (item.count, item.severity) == (7, "warning")
    assert item.remedy.startswith("ALTER SYSTEM SET pg_stat_statements.max = 16000;")
    assert item.undo.startswith("ALTER SYSTEM SET pg_stat_statements.max = 8000;")
    (gap,) = items(store, "gap-eviction", until=NOW + HOUR)
    assert gap.count == 2


def test_hidden_statements_with_their_share_of_time(store: Store, target: int) -> None:
    done = [entry(1, 1000)]  # of 2 ms each
    record(store, target, NOW + MINUTE, done, hidden=7, hidden_exec_time=6000.0)
    (item,) = items(store, "hidden-statements", until=NOW + HOUR)
    assert (item.share_ratio, item.severity, item.count) == (0.75, "error", 7)
    assert item.remedy == 'GRANT pg_read_all_stats TO "watcher";'
    assert item.undo == 'REVOKE pg_read_all_stats FROM "watcher";'


def test_an_old_extension(store: Store, target: int) -> None:
    with store.transaction() as conn:
        conn.execute("update targets set server_version_num = 170002")
    (item,) = items(store, "extension-outdated")
    assert "1.10 is installed, the server brings 1.11" in item.message
    assert item.remedy == "ALTER EXTENSION pg_stat_statements UPDATE;"


@pytest.mark.parametrize(
    ("skew_ms", "severity"),
    [(None, None), (900.0, None), (-2500.0, "warning"), (3_700_000.0, "error")],
)
def test_clock_skew(store: Store, target: int, skew_ms: float | None, severity: str | None) -> None:
    with store.transaction() as conn:
        save_state(conn, target, ServerState(in_recovery=False, clock_skew_ms=skew_ms), now=NOW)
    assert [one.severity for one in items(store, "clock-skew")] == [severity] * bool(severity)


def unreadable(store: Store, target: int) -> None:
    text(store, target, 2, "select a from")
    text(store, target, 3, "selct a")
    text(store, target, 4, None)
    done = [entry(1, 500), *(entry(n, 1) for n in (2, 3, 4, 5))]
    record(store, target, NOW + MINUTE, done)
    more = [entry(1, 600), entry(2, 201), entry(3, 101), entry(4, 51), entry(5, 51)]
    record(store, target, NOW + 2 * MINUTE, more)


def test_texts_that_cannot_be_used_with_their_share_of_time(store: Store, target: int) -> None:
    unreadable(store, target)
    found = {
        one.name: one
        for one in quality(store, until=NOW + HOUR, now=NOW + 3 * MINUTE).items
        if one.name.startswith("text-")
    }
    assert found.keys() == {"text-truncated", "text-unparsable", "text-hidden", "text-missing"}
    whole = 599 + 201 + 101 + 51 + 51
    assert found["text-truncated"].share_ratio == pytest.approx(201 / whole)
    assert found["text-truncated"].severity == "warning"
    assert found["text-hidden"].query_hashes == ("4",)
    assert found["text-hidden"].remedy == 'GRANT pg_read_all_stats TO "watcher";'
    assert found["text-missing"].share_ratio == pytest.approx(51 / whole)
    assert found["text-unparsable"].database_name == "shop"


def test_statements_without_a_plan_by_reason(store: Store, target: int) -> None:
    for queryid in (2, 3, 4):
        text(store, target, queryid, f"select c{queryid} from t")
    text(store, target, 5, "vacuum t")
    with store.transaction() as conn:
        for queryid in (2, 3):
            reason = f"could not determine data type of parameter ${queryid}"
            save_unexplained(conn, target, SHOP, QueryId(queryid), reason, now=NOW)
    done = [entry(1, 500), *(entry(n, 10) for n in (2, 3, 4, 5))]
    record(store, target, NOW + MINUTE, done)
    found = items(store, "plan-missing", until=NOW + HOUR, now=NOW + MINUTE)
    assert sorted((one.message, one.count, one.remedy != "") for one in found) == [
        ("statements have no plan: could not determine data type of parameter $..", 2, False),
        ("statements have no plan: neither logged nor asked for yet", 1, True),
    ]


def test_statements_of_a_database_without_a_name(store: Store, target: int) -> None:
    record(store, target, NOW + MINUTE, [entry(1, 500), entry(9, 4, dbid=77)])
    (item,) = items(store, "database-unnamed", until=NOW + HOUR)
    assert (item.database_name, item.count) == (None, 1)


def test_why_there_is_no_advice(store: Store, target: int) -> None:
    with store.transaction() as conn:
        for rule, reason in (("missing-index", "table has 12 rows"), ("x", "table has 9 rows")):
            conn.execute(
                "insert into advice_silences values (%s, 'shop', 1, %s, %s, %s)",
                [target, rule, reason, NOW],
            )
    found = items(store, "no-advice")
    assert [one.message for one in found] == [
        "queries without advice: missing-index: table has .. rows",
        "queries without advice: x: table has .. rows",
    ]
    assert {(one.severity, one.share_ratio, len(one.query_hashes)) for one in found} == {
        ("info", 1.0, 1)
    }


def test_plans_that_belong_to_no_query(store: Store, target: int) -> None:
    with store.transaction() as conn:
        plan(conn, target, 1, "select * from t where a = 1")
        plan(conn, target, None, "select * from t where a = 2")  # by its fingerprint
        plan(conn, target, None, "select b from elsewhere", duration_ms=300.0)
    (item,) = items(store, "plan-unjoined")
    assert (item.count, item.share_ratio, item.severity) == (1, 0.75, "warning")
    assert item.database_name == "shop"


def skipped(conn: Connection, target: int) -> None:
    position = LogPosition(
        path="/log/a", device=1, inode=1, offset=1, size=1, modified_at_ns=1, signature="",
        signature_bytes=0,
    )  # fmt: skip
    counts = {str(LogSkip.NO_PREFIX): 30, str(LogSkip.OWN_STATEMENT): 5}
    save_log_position(conn, target, "stderr:/log", position, lines=100, skipped=counts, now=NOW)


def test_entries_of_the_log_that_were_left_out(store: Store, target: int) -> None:
    with store.transaction() as conn:
        skipped(conn, target)
    first, second = items(store, "log-skipped")
    assert (first.count, first.share_ratio, first.severity) == (30, 0.3, "warning")
    assert "log_line_prefix" in first.remedy
    assert (second.severity, second.remedy) == ("info", "")


def test_how_the_log_is_sampled(store: Store, target: int) -> None:
    def run(at: datetime, **sampling: Any) -> Execution:
        return Execution(
            logged_at=at, database="shop", query="select 1", fingerprint="0" * 16,
            duration_ms=5.0, **sampling,
        )  # fmt: skip

    with store.transaction() as conn:
        save_executions(
            conn,
            target,
            [
                run(NOON, threshold_ms=10.0, sample_rate=1.0),
                run(NOON, threshold_ms=0.0, sample_rate=0.1),
                run(NOON, threshold_ms=0.0, sample_rate=1.0),
                run(NOON),
            ],
        )
    assert sorted(one.message for one in items(store, "log-sampled")) == [
        "about 10 % of the executions are in the log (log_min_duration)",
        "it is not known which executions the log leaves out (log_min_duration)",
        "only executions over 10 ms are in the log (log_min_duration)",
    ]


def checks(conn: Connection, target: int) -> None:
    found = [
        Check(name="track-io-timing", status=CheckStatus.WARNING, message="off", remedy="ALTER x"),
        Check(name="compute-query-id", status=CheckStatus.ERROR, message="off", remedy="pg x"),
        Check(name="hidden-texts", status=CheckStatus.WARNING, message="7", remedy="GRANT"),
        Check(name="replica", status=CheckStatus.WARNING, message="a standby"),
        Check(name="version", status=CheckStatus.OK, message="15"),
    ]
    save_checks(conn, target, "shop", found, now=NOW)


def test_checks_that_did_not_go_well(store: Store, target: int) -> None:
    with store.transaction() as conn:
        checks(conn, target)
    found = {one.message: one for one in items(store, "check")}
    assert found.keys() == {"track-io-timing: off", "compute-query-id: off", "hidden-texts: 7"}
    assert found["compute-query-id: off"].severity == "error"
    assert [found[name].is_sql for name in sorted(found)] == [False, True, True]
    # what was also measured is said once
    record(store, target, NOW + MINUTE, [entry(1, 200)], hidden=7, hidden_exec_time=1.0)
    names = {one.message for one in items(store, "check", until=NOW + HOUR)}
    assert names == {"track-io-timing: off", "compute-query-id: off"}


def test_one_database_with_pg_stat_statements_is_enough(store: Store, target: int) -> None:
    add = """insert into target_checks values
                 (%s, %s, 'pg-stat-statements', %s, 'said', 'CREATE EXTENSION', %s)"""
    with store.transaction() as conn:
        conn.execute(add, [target, "other", "error", NOON])
    assert [one.database_name for one in items(store, "check")] == ["other"]
    with store.transaction() as conn:
        conn.execute(add, [target, "shop", "ok", NOON])
    assert items(store, "check") == []


def test_a_database_that_cannot_be_read(store: Store, target: int) -> None:
    with store.transaction() as conn:
        conn.execute("update databases set problem = 'permission denied' where datname = 'other'")
    (item,) = items(store, "database-unreadable")
    assert (item.database_name, item.message) == ("other", "permission denied")
    assert items(store, "database-unreadable", database="shop") == []
    assert items(store, "database-unreadable", target="elsewhere") == []


def test_imported_history_is_told(store: Store, target: int) -> None:
    with store.transaction() as conn:
        conn.execute(
            """insert into imported_spans
                   (target_id, dbid, since, until, source, rows_read, imported_at)
               values (%s, %s, %s, %s, 'powa', 1234, %s)""",
            [target, SHOP, NOON - HOUR, NOON, NOON],
        )
    assert [one.message for one in items(store, "imported", since=NOON - HOUR)] == [
        "1,234 rows were imported from powa"
    ]


@pytest.mark.parametrize("choice", [{}, {"target": "shop"}, {"database": "shop"}])
def test_everything_at_once_is_sorted_and_explained(
    store: Store, target: int, choice: dict[str, str]
) -> None:
    unreadable(store, target)
    with store.transaction() as conn:
        skipped(conn, target)
        checks(conn, target)
        save_failure(conn, target, "gone", now=NOW)
    found = quality(store, until=NOW + HOUR, now=NOW + 3 * MINUTE, **choice).items
    ranks = ["error", "warning", "info"]
    assert [ranks.index(one.severity) for one in found] == sorted(
        ranks.index(one.severity) for one in found
    )
    assert len({one.name for one in found}) > 6
    assert all(one.why and one.name in LOOKED_AT for one in found)
    assert all(one.share_ratio is None or 0 <= one.share_ratio <= 1 for one in found)


def test_a_removed_target_is_not_looked_at(store: Store, target: int) -> None:
    with store.transaction() as conn:
        checks(conn, target)
        save_failure(conn, target, "gone", now=NOW)
        conn.execute("update targets set removed_at = %s", [NOW])
    assert quality(store).items == ()
