"""One query is one, whatever its queryid: lists in IN, a database made anew, upgrades, replicas."""

from typing import Any

import pytest
from tests.store.made import (
    HOUR,
    MINUTE,
    NOON,
    OTHER,
    SHOP,
    entry,
    new_target,
    record,
    rows,
)

from pgadvisor.errors import NotFound
from pgadvisor.records.log import Execution
from pgadvisor.records.statement import QueryId, StatementKey, StatementText
from pgadvisor.sql import fingerprint
from pgadvisor.store import Store
from pgadvisor.store.executions import save_executions
from pgadvisor.store.history import QuerySummary, find_query, list_queries, query_history
from pgadvisor.store.history import query_members as members_of
from pgadvisor.store.logs import log_target
from pgadvisor.store.plans import save_unexplained
from pgadvisor.store.query_facts import advice_of, no_plan_reason
from pgadvisor.store.targets import save_names, target_named
from pgadvisor.store.texts import save_texts
from pgadvisor.store.workload import load_workload

WINDOW: dict[str, Any] = {"since": NOON - HOUR, "until": NOON + 4 * HOUR}
LIST = "select * from orders where id in ({})"
#: dbid of a database that was dropped and made again under its name
AGAIN = 20000


def of_length(length: int) -> str:
    return LIST.format(", ".join(f"${n}" for n in range(1, length + 1)))


def texts(store: Store, target: int, found: dict[tuple[int, int], str]) -> None:
    with store.transaction() as conn:
        save_texts(
            conn,
            target,
            [
                StatementText(dbid=dbid, queryid=QueryId(queryid), query=query)
                for (dbid, queryid), query in found.items()
            ],
            [StatementKey(dbid, 10, QueryId(queryid), True) for dbid, queryid in found],
            now=NOON,
        )


def work(store: Store, target: int, calls: dict[tuple[int, int], int], **differing: Any) -> None:
    """One interval in which these ran."""
    record(store, target, NOON, [entry(n, 1, dbid=d) for d, n in calls], **differing)
    done = [entry(n, 1 + count, dbid=d) for (d, n), count in calls.items()]
    record(store, target, NOON + 30 * MINUTE, done, **differing)


def listed(store: Store, **choice: Any) -> list[QuerySummary]:
    with store.transaction() as conn:
        return list_queries(conn, **WINDOW, **choice)


def found(store: Store, query_hash: str, **choice: Any) -> QuerySummary:
    with store.transaction() as conn:
        return find_query(conn, query_hash, **WINDOW, **choice)


def cluster(store: Store) -> tuple[int, int]:
    """A primary and its replica, known as such."""
    primary, replica = new_target(store, "primary"), new_target(store, "replica")
    with store.transaction() as conn:
        conn.execute(
            "update targets set system_identifier = '7', in_recovery = (id = %s)", [replica]
        )
    return primary, replica


def test_lists_of_any_length_are_one_query(store: Store) -> None:
    target = new_target(store)
    texts(store, target, {(SHOP, n): of_length(n) for n in (1, 2, 3)})
    work(store, target, {(SHOP, 1): 10, (SHOP, 2): 30, (SHOP, 3): 20, (SHOP, 9): 1})
    whole, other = listed(store)
    assert (whole.queryid, whole.queryids) == (2, [2, 3, 1])
    assert (whole.calls, whole.total_exec_time, other.calls) == (60, 120.0, 1)
    assert whole.query == of_length(2)
    assert whole.share_ratio == pytest.approx(120 / 122)
    for name in ("1", "2", "3", fingerprint(of_length(7))):
        one = found(store, name)
        assert (one.queryids, one.calls) == (whole.queryids, 60)
        assert one.share_ratio == pytest.approx(whole.share_ratio)
    with store.transaction() as conn:
        points = query_history(conn, whole, **WINDOW, bucket_seconds=3600)
    assert [point.calls for point in points] == [60]
    assert rows(store, "select queryids, query_hash from pgadvisor.queries") == [
        ([1, 2, 3], whole.query_hash)
    ]


def test_a_database_made_anew_goes_on(store: Store) -> None:
    """After a dump and restore its oid is another, and so are the queryids, of other oids."""
    target = new_target(store)
    texts(store, target, {(SHOP, 1): of_length(1), (AGAIN, 2): of_length(1)})
    with store.transaction() as conn:
        save_names(conn, target, databases={AGAIN: "shop"}, roles={}, now=NOON + 20 * MINUTE)
    work(store, target, {(SHOP, 1): 10, (AGAIN, 2): 5, (OTHER, 3): 7})
    shop, other = listed(store)
    assert (shop.database_name, shop.queryids, shop.calls) == ("shop", [1, 2], 15)
    assert (other.database_name, other.share_ratio) == ("other", 1.0)
    assert found(store, "2").queryids == [1, 2]
    assert [one.calls for one in listed(store, database="shop")] == [15]
    with store.transaction() as conn:
        stored = target_named(conn, "shop")
        workload = load_workload(conn, stored, "shop", **WINDOW)
    assert workload is not None
    # advice is per queryid: a plan belongs to the tables that one was made of
    assert [(query.queryid, query.calls) for query in workload.queries] == [(1, 10), (2, 5)]


def test_after_a_major_upgrade_a_query_is_the_same(store: Store) -> None:
    """pg_upgrade gives other queryids and another system identifier; the name is the same."""
    target = new_target(store)
    texts(store, target, {(SHOP, 1): of_length(1), (SHOP, 2): of_length(1)})
    work(store, target, {(SHOP, 1): 10})
    upgraded = {"system_identifier": "8", "postmaster_start_at": NOON + 45 * MINUTE,
                "stats_reset": NOON + 46 * MINUTE}  # fmt: skip
    record(store, target, NOON + HOUR, [entry(2, 3)], **upgraded)
    record(store, target, NOON + 2 * HOUR, [entry(2, 9)], **upgraded)
    (one,) = listed(store)
    assert (one.queryids, one.calls) == ([1, 2], 16)


def test_replicas_are_listed_by_themselves_or_with_their_primary(store: Store) -> None:
    primary, replica = cluster(store)
    for target in (primary, replica):
        texts(store, target, {(SHOP, 1): of_length(1)})
    work(store, primary, {(SHOP, 1): 10})
    work(store, replica, {(SHOP, 1): 50})
    assert [(one.target, one.calls) for one in listed(store)] == [("replica", 50), ("primary", 10)]
    (whole,) = listed(store, per_cluster=True)
    assert (whole.target, whole.targets, whole.calls) == ("primary", ["primary", "replica"], 60)
    assert whole.target_ids == [primary, replica]
    with store.transaction() as conn:
        members = members_of(conn, found(store, "1", target="primary"), **WINDOW, of_hours=False)
    assert [(one.target, one.in_recovery, one.calls) for one in members] == [
        ("primary", False, 10),
        ("replica", True, 50),
    ]


def test_the_workload_of_a_cluster_is_that_of_all_its_members(store: Store) -> None:
    primary, replica = cluster(store)
    work(store, primary, {(SHOP, 1): 10, (SHOP, 2): 1})
    work(store, replica, {(SHOP, 1): 50})
    with store.transaction() as conn:
        stored = target_named(conn, "primary")
        alone = load_workload(conn, stored, "shop", **WINDOW)
        whole = load_workload(conn, stored, "shop", **WINDOW, members=[primary, replica])
    assert alone is not None and whole is not None
    assert [(one.queryid, one.calls, one.users) for one in alone.queries] == [
        (1, 10, ("app",)),
        (2, 1, ("app",)),
    ]
    assert [(one.queryid, one.calls, one.users) for one in whole.queries] == [
        (1, 60, ("app",)),
        (2, 1, ("app",)),
    ]
    # both were observed over the same half an hour
    assert alone.observed_hours == whole.observed_hours == pytest.approx(0.5)


def test_pages_of_queries_of_several_places_are_whole(store: Store) -> None:
    primary, replica = cluster(store)
    for target in (primary, replica):
        work(store, target, {(SHOP, n): 10 for n in range(1, 8)} | {(OTHER, 1): 10})
    for per_cluster in (False, True):
        whole = listed(store, per_cluster=per_cluster, limit=100)
        seen: list[QuerySummary] = []
        while page := listed(
            store,
            per_cluster=per_cluster,
            limit=3,
            after=(
                (seen[-1].total_exec_time, seen[-1].query_hash, seen[-1].place,
                 seen[-1].database_name) if seen else None
            ),
        ):  # fmt: skip
            seen += page
        assert seen == whole
        assert len(whole) == (8 if per_cluster else 16)


def test_reasons_and_advice_of_any_queryid_are_those_of_the_query(store: Store) -> None:
    target = new_target(store)
    texts(store, target, {(SHOP, n): of_length(n) for n in (1, 2)})
    work(store, target, {(SHOP, 1): 10, (SHOP, 2): 30})
    with store.transaction() as conn:
        save_unexplained(conn, target, SHOP, QueryId(1), "no type for $1", now=NOON)
        conn.execute(
            "insert into advice_silences values (%s, 'shop', 1, 'missing-index', 'small', %s)",
            [target, NOON],
        )
        query = find_query(conn, "2", **WINDOW)
        assert no_plan_reason(conn, query) == "no type for $1"
        assert advice_of(conn, query) == ([], [("missing-index", "small")])


def test_a_statement_of_a_log_alone_has_a_page(store: Store) -> None:
    with store.transaction() as conn:
        target = log_target(conn, "pasted.log", now=NOON)
        shape = fingerprint(of_length(1))
        logged = Execution(
            logged_at=NOON, database="shop", query=of_length(1), fingerprint=shape,
            duration_ms=12.0, kind="select", threshold_ms=10.0, sample_rate=1.0,
        )  # fmt: skip
        save_executions(conn, target, [logged])
    query = found(store, shape, target="pasted.log", database="shop")
    assert (query.queryid, query.queryids, query.calls, query.query) == (0, [], 0, of_length(1))
    with pytest.raises(NotFound):
        found(store, shape, target="another.log")


def test_filters_by_kind_and_table(store: Store) -> None:
    target = new_target(store)
    statements = {
        1: "select * from shop.orders o join customers c on c.id = o.customer_id",
        2: "insert into orders values ($1)",
        3: "copy orders from stdin",
        4: "select 'not sql",
        5: "with orders as (select 1) select * from orders",
    }
    texts(store, target, {(SHOP, n): text for n, text in statements.items()})
    work(store, target, {(SHOP, n): n for n in statements})

    def queryids(**choice: Any) -> set[int]:
        return {one.queryid for one in listed(store, **choice)}

    assert queryids() == {1, 2, 4, 5}  # what cannot be parsed has no kind and is not hidden
    assert queryids(include_utility=True) == {1, 2, 3, 4, 5}
    assert queryids(kinds=["copy"]) == {3}
    assert queryids(table="orders") == {1, 2}
    assert queryids(table="shop.orders") == {1}
    assert queryids(table="rders") == set()
    assert queryids(table="orders", include_utility=True) == {1, 2, 3}
    assert [one.tables for one in listed(store, table="customers")] == [
        ["customers", "shop.orders"]
    ]


def test_texts_of_an_earlier_release_get_their_tables(store: Store) -> None:
    target = new_target(store)
    texts(store, target, {(SHOP, 1): "select * from a.b", (SHOP, 2): "selec"})
    with store.transaction() as conn:
        conn.execute("update queries set tables = null")
    texts(store, target, {(SHOP, 3): "select 1"})
    assert rows(store, "select queryid, tables from queries order by 1") == [
        (1, ["a.b"]),
        (2, None),
        (3, []),
    ]
