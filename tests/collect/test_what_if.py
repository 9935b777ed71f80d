from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.collect import what_if
from pgadvisor.collect.target import Target, connect
from pgadvisor.collect.what_if import WhatIf, has_hypopg
from pgadvisor.errors import ExtensionMissing, NotExplainable
from pgadvisor.records import what_if as records
from pgadvisor.records.what_if import IndexCandidate

Conn = psycopg.Connection[Any]

_BY_CUSTOMER = "select * from orders where customer_id = $1"


def candidate(*columns: str, table: str = "orders", **given: Any) -> IndexCandidate:
    return IndexCandidate(table_oid=1, schema="public", table=table, columns=columns, **given)


@pytest.fixture
def shop(target_conn: Conn) -> Conn:
    """Two tables without indexes and a partitioned one."""
    target_conn.execute(
        """
        create table orders as
        select i as id, i % 500 as customer_id, now() - i * interval '1 hour' as placed_at
        from generate_series(1, 20000) i;
        create table customers as select i as id, 'c' || i as name, null::json as extra
        from generate_series(1, 500) i;
        create table events (id int, kind int) partition by range (id);
        create table events_1 partition of events for values from (0) to (10000);
        create table events_2 partition of events for values from (10000) to (20000);
        insert into events select i, i from generate_series(0, 19999) i;
        analyze
        """
    )
    return target_conn


@pytest.fixture
def tried(hypopg: None, shop: Conn, target: Target) -> Iterator[WhatIf]:
    with WhatIf(target) as tried:
        yield tried


def _hypothetical(target: Target) -> int:
    row = target.conn.execute("select count(*) from hypopg()").fetchone()
    assert row is not None
    return int(row[0])


def test_it_fits_the_protocol(tried: WhatIf) -> None:
    protocol: records.WhatIf = tried

    assert protocol.cost("select 1", []).used == frozenset()


def test_an_index_that_helps(tried: WhatIf) -> None:
    without = tried.cost(_BY_CUSTOMER, [])
    with_index = tried.cost(_BY_CUSTOMER, [candidate("customer_id"), candidate("id")])

    assert without.plan["Node Type"] == "Seq Scan"
    assert without.used == frozenset()
    assert with_index.total_cost < without.total_cost / 2
    assert with_index.used == {candidate("customer_id")}


def test_the_cost_is_close_to_the_real_index(shop: Conn, tried: WhatIf, target_dsn: str) -> None:
    hypothetical = tried.cost(_BY_CUSTOMER, [candidate("customer_id")])
    shop.execute("create index on orders (customer_id)")
    with connect(target_dsn) as other, WhatIf(other) as real:
        built = real.cost(_BY_CUSTOMER, [])

    assert hypothetical.total_cost == pytest.approx(built.total_cost, rel=0.05)


def test_only_the_given_indexes_count(tried: WhatIf) -> None:
    before = tried.cost(_BY_CUSTOMER, [])
    tried.cost(_BY_CUSTOMER, [candidate("customer_id")])
    other_query = "select * from orders where customer_id = $1 and id > $2"

    assert tried.cost(other_query, []).used == frozenset()
    assert tried.cost(other_query, [candidate("placed_at")]).used == frozenset()
    assert tried.cost(_BY_CUSTOMER, []).total_cost == before.total_cost


def test_descending_and_included_columns(tried: WhatIf) -> None:
    index = candidate("customer_id", "placed_at", descending=(False, True), include=("id",))
    query = "select id from orders where customer_id = $1 order by placed_at desc limit 5"

    plan = tried.cost(query, [index])

    assert plan.used == {index}
    assert plan.plan["Plans"][0]["Node Type"] == "Index Only Scan"
    assert plan.plan["Plans"][0]["Scan Direction"] == "Forward"


def test_a_partitioned_table(tried: WhatIf) -> None:
    index = candidate("kind", table="events")

    assert tried.cost("select * from events where kind = $1", [index]).used == {index}


def test_tables_behind_a_view(shop: Conn, tried: WhatIf) -> None:
    shop.execute("create view recent as select * from orders")

    plan = tried.cost("select * from recent where customer_id = $1", [candidate("customer_id")])

    assert plan.used == {candidate("customer_id")}


def test_the_cache_ignores_indexes_of_other_tables(tried: WhatIf) -> None:
    tried.cost(_BY_CUSTOMER, [candidate("customer_id")])
    hits = tried.hits

    tried.cost(_BY_CUSTOMER, [candidate("customer_id"), candidate("name", table="customers")])
    tried.cost(_BY_CUSTOMER, [candidate("name", table="customers")])

    assert tried.hits == hits + 2
    assert tried.calls == 3


def test_indexes_stay_between_calls(tried: WhatIf, target: Target) -> None:
    by_name = "select * from customers where name = $1"
    for query in (_BY_CUSTOMER, by_name):
        tried.cost(query, [])
    tried.cost(_BY_CUSTOMER, [candidate("customer_id")])
    created = target.conn.execute("select indexrelid from hypopg()").fetchall()
    tried.cost(by_name, [candidate("name", table="customers")])
    tried.cost(_BY_CUSTOMER, [candidate("customer_id"), candidate("id")])

    kept = target.conn.execute("select indexrelid from hypopg()").fetchall()
    assert set(created) < set(kept)
    assert len(kept) == 3


def test_nothing_is_left_behind(hypopg: None, shop: Conn, target: Target) -> None:
    with WhatIf(target) as tried:
        tried.cost(_BY_CUSTOMER, [candidate("customer_id")])
        assert _hypothetical(target) == 1

    assert _hypothetical(target) == 0
    assert shop.execute("select count(*) from pg_index where indrelid = 'orders'::regclass")
    assert target.conn.execute("select count(*) from pg_prepared_statements").fetchone() == (0,)


def test_sizes(shop: Conn, tried: WhatIf) -> None:
    estimated = tried.size_bytes(candidate("customer_id", "placed_at"))
    shop.execute("create index real_one on orders (customer_id, placed_at)")
    real = shop.execute("select pg_relation_size('real_one')").fetchone()

    assert real is not None
    assert real[0] / 2 < estimated < real[0] * 2
    assert tried.cost(_BY_CUSTOMER, []).used == frozenset()


def test_many_indexes_do_not_exhaust_hypopg(
    monkeypatch: pytest.MonkeyPatch, tried: WhatIf, target: Target
) -> None:
    monkeypatch.setattr(what_if, "MAX_HYPOTHETICAL", 4)
    columns = ("id", "customer_id", "placed_at")
    for first in columns:
        for second in columns:
            if first != second:
                tried.size_bytes(candidate(first, second))

    assert _hypothetical(target) <= 4
    assert tried.cost(_BY_CUSTOMER, [candidate("customer_id", "id")]).used


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, tried: WhatIf) -> None:
    monkeypatch.setattr(what_if, "MAX_CACHED", 3)
    for number in range(10):
        tried.cost(f"select * from orders where id = {number}", [])

    assert len(tried._cache) == 3


@pytest.mark.parametrize(
    "impossible", [candidate("missing"), candidate("extra", table="customers")]
)
def test_an_index_that_cannot_be(tried: WhatIf, impossible: IndexCandidate) -> None:
    with pytest.raises(NotExplainable, match="hypopg cannot make the index"):
        tried.cost("select * from orders, customers", [impossible])

    assert tried.cost(_BY_CUSTOMER, [candidate("customer_id")]).used


def test_a_query_without_a_plan(tried: WhatIf) -> None:
    with pytest.raises(NotExplainable):
        tried.cost("select * from missing", [candidate("customer_id")])


def test_without_hypopg(bare_cluster: Cluster) -> None:
    with connect(bare_cluster.dsn()) as target:
        assert not has_hypopg(target)
        with pytest.raises(ExtensionMissing, match="hypopg is not installed") as caught:
            WhatIf(target)

    assert "CREATE EXTENSION hypopg;" in caught.value.hint


def test_where_the_package_is_missing_too(newer_cluster: Cluster) -> None:
    with connect(newer_cluster.dsn()) as target, pytest.raises(ExtensionMissing) as caught:
        WhatIf(target)

    assert f"apt install postgresql-{target.major}-hypopg" in caught.value.hint


def test_behind_a_proxy(target_dsn: str) -> None:
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        target = Target(conn, behind_proxy=True)

        with pytest.raises(ExtensionMissing, match="a proxy stands in between"):
            WhatIf(target)
