"""What the doors read of the history."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow
from tests.store.made import HOUR, MINUTE, NOON, OTHER, SHOP, entry, new_target, record

from pgadvisor.errors import NotFound
from pgadvisor.records.statement import QueryId, StatementKey, StatementText
from pgadvisor.sql import fingerprint
from pgadvisor.store import Store
from pgadvisor.store.history import (
    QuerySummary,
    bucket_seconds_of,
    database_load,
    find_query,
    list_databases,
    list_queries,
    query_history,
)
from pgadvisor.store.texts import save_texts

WINDOW: dict[str, Any] = {"since": NOON - HOUR, "until": NOON + 5 * HOUR}
NEGATIVE = -(2**63)
#: a queryid of 16 digits, as a fingerprint has
SIXTEEN = 1234567890123456


@pytest.fixture
def target(store: Store) -> int:
    """Two hours of a shop with six queries, some equally busy."""
    made = new_target(store)
    queryids = [NEGATIVE, -5, 1, 2, 3, SIXTEEN]
    record(store, made, NOON, [entry(n, 1) for n in queryids] + [entry(9, 1, dbid=OTHER)])
    for number, at in enumerate((NOON + 30 * MINUTE, NOON + 2 * HOUR), start=1):
        busy = [entry(n, 1 + number * (100 if n < 0 else 10)) for n in queryids]
        record(store, made, at, [*busy, entry(9, 1 + number, dbid=OTHER)])
    texts = [
        StatementText(dbid=SHOP, queryid=QueryId(NEGATIVE), query="select * from orders"),
        StatementText(dbid=SHOP, queryid=QueryId(77), query="select never"),
        StatementText(dbid=SHOP, queryid=QueryId(3), query="/* pgadvisor */ select 1"),
    ]
    keys = [StatementKey(SHOP, 10, text.queryid, True) for text in texts]
    with store.transaction() as conn:
        save_texts(conn, made, texts, keys, now=NOON)
    return made


@pytest.fixture
def conn(store: Store, target: int) -> Iterator[psycopg.Connection[TupleRow]]:
    with store.transaction() as opened:
        yield opened


def test_databases_with_their_load(conn: psycopg.Connection[TupleRow], target: int) -> None:
    shop, other = list_databases(conn, **WINDOW)
    assert (shop.database_name, other.database_name) == ("shop", "other")
    assert (shop.calls, shop.total_exec_time) == (480, 960.0)
    assert (other.calls, other.last_interval_at) == (2, NOON + 2 * HOUR)
    quiet = list_databases(conn, since=NOON - 2 * HOUR, until=NOON - HOUR)
    assert [(one.calls, one.last_interval_at) for one in quiet] == [(0, None), (0, None)]


def test_load_in_buckets(conn: psycopg.Connection[TupleRow], target: int) -> None:
    points = database_load(conn, target, "shop", **WINDOW, bucket_seconds=3600)
    assert [(p.at, p.calls, p.covered_seconds) for p in points] == [
        (NOON, 240, 1800.0),
        (NOON + HOUR, 240, 5400.0),  # an interval that ends with a bucket belongs to it
    ]


def test_queries_by_time_with_their_share(conn: psycopg.Connection[TupleRow]) -> None:
    found = list_queries(conn, **WINDOW, database="shop")
    # equal ones in a fixed order, ours left out
    assert [one.queryid for one in found] == [NEGATIVE, -5, 2, SIXTEEN, 1]
    assert (found[0].calls, found[0].total_exec_time, found[0].mean_exec_time) == (200, 400.0, 2.0)
    assert sum(one.share_ratio for one in found) == pytest.approx(1.0)
    assert (found[0].query, found[0].kind) == ("select * from orders", "select")
    assert (found[0].tables, found[1].tables) == (["orders"], None)


def test_pages_of_queries_are_whole(conn: psycopg.Connection[TupleRow]) -> None:
    whole = list_queries(conn, **WINDOW)
    pages: list[QuerySummary] = []

    def after() -> Any:
        last = pages[-1]
        return (last.total_exec_time, last.query_hash, last.place, last.database_name)

    while page := list_queries(conn, **WINDOW, limit=2, after=after() if pages else None):
        pages += page
    assert pages == whole
    assert len(whole) == 6


@pytest.mark.parametrize(
    ("query_hash", "queryid"),
    [
        (str(NEGATIVE), NEGATIVE),
        ("-5", -5),
        ("2", 2),
        (str(SIXTEEN), SIXTEEN),
        (fingerprint("select * from orders"), NEGATIVE),
        (fingerprint("select * from orders").upper(), NEGATIVE),
        ("77", 77),
        (fingerprint("select never"), 77),
    ],
)
def test_a_hash_is_a_queryid_or_a_fingerprint(
    conn: psycopg.Connection[TupleRow], query_hash: str, queryid: int
) -> None:
    """77 never ran in the window: it is found with nothing done."""
    found = find_query(conn, query_hash, **WINDOW)
    assert found.queryid == queryid
    assert (found.calls == 0) == (queryid == 77)


@pytest.mark.parametrize(
    "query_hash", ["", "-", "--5", "5-", "x", "²", "٣", "9" * 19, "9" * 400, "f" * 16, "3", "5 "]
)
def test_what_is_no_hash_of_a_known_query_is_told(
    conn: psycopg.Connection[TupleRow], query_hash: str
) -> None:
    """3 is one of ours."""
    with pytest.raises(NotFound, match=re.escape(repr(query_hash))):
        find_query(conn, query_hash, **WINDOW)


def test_history_of_a_query_from_intervals_and_from_hours(
    conn: psycopg.Connection[TupleRow],
) -> None:
    query = find_query(conn, "-5", **WINDOW)
    fine = query_history(conn, query, **WINDOW, bucket_seconds=60)
    assert [(p.at, p.calls, p.mean_exec_time) for p in fine] == [
        (NOON + 29 * MINUTE, 100, 2.0),
        (NOON + 119 * MINUTE, 100, 2.0),
    ]
    coarse = query_history(conn, query, **WINDOW, bucket_seconds=3600)
    assert [p.at for p in coarse] == [NOON, NOON + HOUR]
    assert sum(p.calls for p in coarse) == 200


def test_a_long_window_says_the_same_from_hours(conn: psycopg.Connection[TupleRow]) -> None:
    """Both histories add up to the same calls where the window holds whole intervals."""
    day: dict[str, Any] = {"since": NOON - 20 * HOUR, "until": NOON + 4 * HOUR}
    short = {one.queryid: one.calls for one in list_queries(conn, **WINDOW)}
    assert {one.queryid: one.calls for one in list_queries(conn, **day)} == short
    assert find_query(conn, "-5", **day).calls == 200


@pytest.mark.parametrize("hours", [1, 24, 24 * 7, 24 * 30, 24 * 100])
def test_buckets_keep_the_points_few(hours: int) -> None:
    span = timedelta(hours=hours)
    width = bucket_seconds_of(NOON, NOON + span)
    assert span.total_seconds() / width <= 180
