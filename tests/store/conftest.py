"""One store for all tests here, emptied for each: copying a database costs half a second."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pgadvisor.cluster import Cluster
from pgadvisor.store.partitions import PARTITIONED

TABLES = """select relname from pg_class
            where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
              and not relispartition and relname <> 'schema_migrations'"""
PARTITIONS = """select c.relname from pg_inherits join pg_class c on c.oid = inhrelid
                where inhparent = to_regclass(%s) and c.relispartition"""


@pytest.fixture(scope="session")
def shared_store(store_cluster: Cluster, store_template: str) -> str:
    name = "shared_store"
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(store_template)
            )
        )
    return store_cluster.dsn(name)


@pytest.fixture
def store_dsn(shared_store: str) -> Iterator[str]:
    """An empty, migrated store; ids begin at one."""
    yield shared_store
    with psycopg.connect(shared_store) as conn:
        conn.execute("drop function if exists die cascade")  # of test_snapshots.py
        partitions = [
            row[0] for name in PARTITIONED for row in conn.execute(PARTITIONS, [name]).fetchall()
        ]
        for partition in partitions:
            conn.execute(sql.SQL("drop table {}").format(sql.Identifier(partition)))
        tables = [sql.Identifier(name) for (name,) in conn.execute(TABLES).fetchall()]
        conn.execute(
            sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(tables))
        )
