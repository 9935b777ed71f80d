"""Catalog and settings come back as they were saved; changes are kept with their time."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow
from tests.store.made import HOUR, NOON, SHOP, new_target, rows_of

from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import connect
from pgadvisor.records.catalog import Catalog, Column, ForeignKey, Index, Table
from pgadvisor.records.server import Setting
from pgadvisor.store import Store
from pgadvisor.store.catalog import current_settings, load_catalog, save_catalog, save_settings
from pgadvisor.store.targets import save_names

OBJECTS = """select kind, object, since, until from catalog_objects
             where target_id = %s and kind <> 'search_path' order by kind, object, since"""


@pytest.fixture
def target(store: Store) -> int:
    return new_target(store)


@pytest.fixture
def conn(store: Store, target: int) -> Iterator[psycopg.Connection[TupleRow]]:
    with store.transaction() as opened:
        yield opened


def column(name: str, attnum: int, **differing: Any) -> Column:
    whole: dict[str, Any] = {
        "attnum": attnum,
        "name": name,
        "type_name": "text",
        "not_null": True,
        "collation": "C",
        "btree": False,
        "null_frac": 0.125,
        "avg_width": 11,
        "n_distinct": -0.25,
        "correlation": -0.5,
        "most_common_freqs": (0.5, 0.25),
        **differing,
    }
    return Column(**whole)


def table(oid: int, name: str, **differing: Any) -> Table:
    whole: dict[str, Any] = {
        field.name: number + 100
        for number, field in enumerate(fields(Table))
        if field.type in (int, "int")
    }
    whole |= {
        "oid": oid,
        "schema": "public",
        "name": name,
        "relkind": "r",
        "owner": "me",
        "reltuples": 1e6,
        "columns": (
            column("id", 1),
            column("größe \"'", 3, n_distinct=None, null_frac=None, avg_width=None,
                   correlation=None, most_common_freqs=()),
        ),
        "is_partition": True,
        "row_security": True,
        "last_analyze_at": NOON,
        **differing,
    }  # fmt: skip
    return Table(**whole)


INDEX = Index(
    oid=900,
    table_oid=1,
    schema="public",
    name="i",
    access_method="btree",
    key_columns=("id", None),
    include_columns=("größe \"'",),
    descending=(True, False),
    is_unique=True,
    is_valid=False,
    predicate="id > 0",
    definition="CREATE ...",
    total_bytes=8192,
    idx_scan=7,
)
KEY = ForeignKey(
    name="fk", table_oid=1, columns=("id",), referenced_oid=2, referenced_columns=("id",),
    on_delete="c", is_validated=False,
)  # fmt: skip
CATALOG = Catalog(
    captured_at=NOON,
    database="shop",
    dbid=SHOP,
    tables={1: table(1, "orders"), 2: table(2, "customers", last_analyze_at=None)},
    indexes=(INDEX,),
    foreign_keys=(KEY,),
    search_path=("app", "public"),
    role_settings={"app": {"work_mem": "64MB"}},
)


def test_what_was_never_saved_is_none(conn: psycopg.Connection[TupleRow], target: int) -> None:
    assert load_catalog(conn, target, "shop") is None
    assert load_catalog(conn, target, "nowhere") is None
    assert current_settings(conn, target) == {}


def test_every_field_comes_back(conn: psycopg.Connection[TupleRow], target: int) -> None:
    save_catalog(conn, target, CATALOG)
    assert load_catalog(conn, target, "shop") == CATALOG


def test_the_same_again_changes_nothing(conn: psycopg.Connection[TupleRow], target: int) -> None:
    save_catalog(conn, target, CATALOG)
    before = rows_of(conn, OBJECTS, [target])
    save_catalog(conn, target, replace(CATALOG, captured_at=NOON + HOUR))
    assert rows_of(conn, OBJECTS, [target]) == before
    counted = rows_of(conn, "select oid, count(*)::int from relation_statistics group by 1")
    assert sorted(counted) == [(1, 1), (2, 1), (900, 1)]


def test_changes_are_kept_with_their_time(conn: psycopg.Connection[TupleRow], target: int) -> None:
    """A table changes, one is dropped, one is new, an index goes; counters alone are no change."""
    save_catalog(conn, target, CATALOG)
    changed = replace(CATALOG.tables[1], name="orders_2", seq_scan=9999)
    later = replace(
        CATALOG,
        captured_at=NOON + HOUR,
        tables={1: changed, 3: table(3, "items")},
        indexes=(),
        foreign_keys=(),
    )
    save_catalog(conn, target, later)
    assert load_catalog(conn, target, "shop") == later
    assert rows_of(conn, OBJECTS, [target]) == [
        ("foreign_key", "1 fk", NOON, NOON + HOUR),
        ("index", "900", NOON, NOON + HOUR),
        ("table", "1", NOON, NOON + HOUR),
        ("table", "1", NOON + HOUR, None),
        ("table", "2", NOON, NOON + HOUR),
        ("table", "3", NOON + HOUR, None),
    ]
    again = replace(CATALOG, captured_at=NOON + 2 * HOUR)  # the index is back with the same oid
    save_catalog(conn, target, again)
    assert load_catalog(conn, target, "shop") == again


def test_a_clock_set_back_does_no_harm(conn: psycopg.Connection[TupleRow], target: int) -> None:
    save_catalog(conn, target, CATALOG)
    renamed = {1: replace(CATALOG.tables[1], name="renamed")}
    back = replace(CATALOG, captured_at=NOON - HOUR, tables=renamed)
    save_catalog(conn, target, back)
    loaded = load_catalog(conn, target, "shop")
    assert loaded is not None
    assert loaded.tables[1].name == "renamed"
    assert loaded.tables.keys() == {1}


def test_statistics_that_are_no_longer_shown_do_not_hide_the_column(
    conn: psycopg.Connection[TupleRow], target: int
) -> None:
    save_catalog(conn, target, CATALOG)
    bare = tuple(
        Column(attnum=c.attnum, name=c.name, type_name=c.type_name, not_null=c.not_null)
        for c in CATALOG.tables[1].columns
    )
    tables = {1: replace(CATALOG.tables[1], columns=bare)}
    save_catalog(conn, target, replace(CATALOG, captured_at=NOON + HOUR, tables=tables))
    loaded = load_catalog(conn, target, "shop")
    assert loaded is not None
    assert [c.name for c in loaded.tables[1].columns] == [c.name for c in bare]


def test_a_real_catalog_comes_back(
    store: Store, target: int, target_conn: psycopg.Connection[TupleRow], target_dsn: str
) -> None:
    target_conn.execute(
        """create table customers (id integer primary key, email text collate "C", at date);
           create table orders (id bigint primary key, customer integer references customers
               on delete cascade, doc jsonb, price numeric(10, 2), tags text[]);
           create index on orders (lower(doc ->> 'a'), price desc) include (id) where price > 5;
           create materialized view totals as select customer, sum(price) from orders group by 1;
           create table events (at date, n int) partition by range (at);
           create table events_1 partition of events for values from ('2026-01-01')
               to ('2027-01-01');
           insert into customers select i, 'c' || i % 50, now() from generate_series(1, 500) i;
           insert into orders select i, 1 + i % 100, '{"a": "b"}', i % 20, '{x, y}'
               from generate_series(1, 1000) i;
           analyze"""
    )
    with connect(target_dsn) as opened:
        found = fetch_catalog(opened)
        settings = fetch_settings(opened)
    assert len(found.tables) == 5
    assert any(c.most_common_freqs for table in found.tables.values() for c in table.columns)
    with store.transaction() as conn:
        save_names(conn, target, databases={found.dbid: found.database}, roles={}, now=NOON)
        save_catalog(conn, target, found)
        loaded = load_catalog(conn, target, found.database)
        save_settings(conn, target, settings, now=NOON)
        kept = current_settings(conn, target)
    assert loaded is not None
    assert loaded.tables == found.tables
    assert set(loaded.indexes) == set(found.indexes)
    assert replace(loaded, indexes=found.indexes) == found
    assert {one.name: one.setting for one in settings} == {n: s.setting for n, s in kept.items()}
    assert len(kept) > 300


def test_settings_are_kept_as_changes(conn: psycopg.Connection[TupleRow], target: int) -> None:
    def one(setting: str, source: str = "default") -> Setting:
        return Setting(name="work_mem", setting=setting, unit="kB", source=source)

    stays = Setting(name="jit", setting="on", unit=None, source="default")
    for hour, listed in enumerate(
        ([one("4096"), stays], [one("4096"), stays], [one("8192"), stays], [stays])
    ):
        save_settings(conn, target, listed, now=NOON + hour * HOUR)
    kept = rows_of(conn, "select name, setting, since, until from settings order by 1, 3")
    assert kept == [
        ("jit", "on", NOON, None),
        ("work_mem", "4096", NOON, NOON + 2 * HOUR),
        ("work_mem", "8192", NOON + 2 * HOUR, NOON + 3 * HOUR),
    ]
    assert list(current_settings(conn, target)) == ["jit"]
