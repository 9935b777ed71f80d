from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.target import Target, connect
from pgadvisor.records.catalog import Catalog, Index, Table

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]
Flush = Callable[[Callable[[], bool]], None]


def _table(catalog: Catalog, name: str) -> Table:
    found = catalog.table(name)
    assert found is not None
    return found


def _index(catalog: Catalog, name: str) -> Index:
    return next(index for index in catalog.indexes if index.name == name)


def test_tables_with_their_counters(target_conn: Conn, target: Target, flush: Flush) -> None:
    target_conn.execute(
        "create table orders as select i as id, i %% 10 as kind from generate_series(1, 1000) i"
        " where %s",
        [True],
    )
    flush(lambda: _table(fetch_catalog(target), "orders").n_tup_ins == 1000)
    target_conn.execute("analyze orders")
    target_conn.execute("update orders set kind = 11 where id <= 5")
    flush(lambda: _table(fetch_catalog(target), "orders").n_tup_upd == 5)

    orders = _table(fetch_catalog(target), "orders")

    assert (orders.schema, orders.relkind, orders.owner) == ("public", "r", "postgres")
    assert orders.reltuples == 1000
    assert orders.n_tup_ins == 1000
    assert orders.n_tup_upd == 5
    assert orders.n_mod_since_analyze == 5
    assert orders.last_analyze_at is not None
    assert orders.seq_scan >= 1
    assert 8192 <= orders.table_bytes <= orders.total_bytes < 1_000_000


def test_relations_that_are_no_tables_of_the_user_are_left_out(
    target_conn: Conn, target: Target
) -> None:
    target_conn.execute(
        "create temporary table fleeting (a int); create view seen as select 1 as a;"
        "create materialized view kept as select 1 as a; create sequence numbers;"
        "create table parted (a int) partition by range (a);"
        "create table parted_1 partition of parted for values from (0) to (10)"
    )

    kinds = {table.name: table.relkind for table in fetch_catalog(target).tables.values()}

    assert kinds == {"kept": "m", "parted": "p", "parted_1": "r"}


def test_partitions(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create table parted (a int) partition by range (a);"
        "create table parted_1 partition of parted for values from (0) to (100);"
        "insert into parted select generate_series(0, 99); analyze parted"
    )

    catalog = fetch_catalog(target)

    parted, partition = _table(catalog, "parted"), _table(catalog, "parted_1")
    assert (parted.is_partition, partition.is_partition) == (False, True)
    assert parted.total_bytes == 0
    assert parted.columns[0].n_distinct == partition.columns[0].n_distinct == -1.0


def test_column_statistics_without_values(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create table people as select 'confidential' || i %% 3 as name, null::int as age"
        " from generate_series(1, 900) i where %s",
        [True],
    )
    target_conn.execute("analyze people")

    catalog = fetch_catalog(target)

    name, age = _table(catalog, "people").columns
    assert (name.name, name.type_name, name.collation) == ("name", "text", "default")
    assert name.n_distinct == 3
    assert name.null_frac == 0
    assert name.correlation is not None
    assert name.most_common_freqs == pytest.approx((1 / 3, 1 / 3, 1 / 3), abs=0.01)
    assert age.null_frac == 1
    assert "confidential" not in repr(catalog)


def test_column_statistics_are_hidden_from_a_role_without_select(
    target_conn: Conn, new_role: NewRole
) -> None:
    target_conn.execute("create table people as select 1 as a; analyze people")

    with connect(new_role("pg_monitor")) as target:
        hidden = _table(fetch_catalog(target), "people").columns[0]
    with connect(new_role("pg_monitor", "pg_read_all_data")) as target:
        visible = _table(fetch_catalog(target), "people").columns[0]

    assert hidden.n_distinct is None
    assert visible.n_distinct is not None


@pytest.mark.parametrize(
    ("type_name", "btree"),
    [
        ("integer", True),
        ("varchar(10)", True),
        ("cidr", True),
        ("text[]", True),
        ("int4range", True),
        ("mood", True),
        ("word_of_words", True),
        ("jsonb", True),
        ("json", False),
        ("json[]", False),
        ("point", False),
        ("xml", False),
        ("tsvector", True),
    ],
)
def test_what_a_btree_takes(target_conn: Conn, target: Target, type_name: str, btree: bool) -> None:
    target_conn.execute(
        "create type mood as enum ('sad'); create domain word as text;"
        "create domain word_of_words as word;"
        f"create table typed (a {type_name})".encode()
    )

    (column,) = _table(fetch_catalog(target), "typed").columns

    assert column.btree is btree
    if type_name == "json[]":  # PostgreSQL notices with the second row only
        target_conn.execute("insert into typed values ('{1}'), ('{2}')")
    if btree:
        target_conn.execute("create index on typed (a)")
    else:
        with pytest.raises((psycopg.errors.UndefinedObject, psycopg.errors.UndefinedFunction)):
            target_conn.execute("create index on typed (a)")


def test_indexes(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create table t (a int primary key, b text, c int, d int, e int, unique (b));"
        "create index mixed on t (c desc, d) include (e);"
        "create index partial on t (c) where d > 3;"
        "create index expressive on t (lower(b), c);"
        "create index hashed on t using hash (c)"
    )

    catalog = fetch_catalog(target)

    t = _table(catalog, "t")
    assert len(catalog.indexes_of(t.oid)) == 6
    key, mixed = _index(catalog, "t_pkey"), _index(catalog, "mixed")
    assert (key.is_primary, key.is_unique, key.is_constraint) == (True, True, True)
    assert _index(catalog, "t_b_key").is_constraint
    assert mixed.key_columns == ("c", "d")
    assert mixed.include_columns == ("e",)
    assert mixed.descending == (True, False)
    assert (mixed.is_constraint, mixed.is_unique, mixed.is_plain) == (False, False, True)
    assert mixed.total_bytes == 8192
    assert mixed.definition.startswith("CREATE INDEX mixed ON public.t")
    assert _index(catalog, "partial").predicate == "(d > 3)"
    assert _index(catalog, "expressive").key_columns == (None, "c")
    assert _index(catalog, "hashed").access_method == "hash"
    assert hash(mixed)


def test_an_index_that_failed_to_build_is_invalid(target_conn: Conn, target: Target) -> None:
    target_conn.execute("create table twice as select 1 as a from generate_series(1, 2)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        target_conn.execute("create unique index concurrently broken on twice (a)")

    assert not _index(fetch_catalog(target), "broken").is_valid


def test_foreign_keys(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create table parent (a int, b int, primary key (a, b)) partition by range (a);"
        "create table parent_1 partition of parent for values from (0) to (10);"
        "create table child (x int, y int, constraint to_parent foreign key (y, x)"
        " references parent (a, b) on delete cascade)"
    )

    catalog = fetch_catalog(target)

    (key,) = catalog.foreign_keys
    assert key.name == "to_parent"
    assert key.table_oid == _table(catalog, "child").oid
    assert key.referenced_oid == _table(catalog, "parent").oid
    assert (key.columns, key.referenced_columns) == (("y", "x"), ("a", "b"))
    assert (key.on_delete, key.on_update, key.is_validated) == ("c", "a", True)


def test_a_locked_table_keeps_nobody_waiting(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create table busy as select generate_series(1, 10000) as a;"
        "create index on busy (a) where a > 5; create table free as select 1 as a; analyze"
    )
    with target_conn.transaction():
        target_conn.execute("lock table busy in access exclusive mode")
        catalog = fetch_catalog(target)

    busy = _table(catalog, "busy")
    assert busy.table_bytes == busy.relpages * 8192 > 0
    assert _table(catalog, "free").table_bytes == 8192
    assert not _index(catalog, "busy_a_idx").is_plain
    assert _index(catalog, "busy_a_idx").total_bytes == 0


def test_the_database_and_its_search_path(target_conn: Conn, target_dsn: str) -> None:
    target_conn.execute(
        f"create schema app; alter database {target_conn.info.dbname}"
        ' set search_path = app, "$user", public'.encode()
    )
    with connect(target_dsn) as target:
        catalog = fetch_catalog(target)

    assert catalog.search_path == ("app", "public")
    assert catalog.database == target_conn.info.dbname


def test_every_read_works_on_newer_servers(newer_cluster: Cluster) -> None:
    with psycopg.connect(newer_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create table if not exists t (a int primary key, b int references t)")
    with connect(newer_cluster.dsn()) as target:
        catalog = fetch_catalog(target)

    assert _table(catalog, "t").columns[0].not_null
    assert len(catalog.foreign_keys) == 1
