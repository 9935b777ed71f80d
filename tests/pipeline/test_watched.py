"""The database filter, the catalogs of all databases, and what is left of a deleted target."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgadvisor import pipeline
from pgadvisor.config import load_settings
from pgadvisor.errors import TargetUnreachable
from pgadvisor.records.database_filter import DatabaseFilter
from pgadvisor.store import Store
from pgadvisor.store.queries import load
from pgadvisor.store.targets import DueDatabase, delete_target


def now() -> datetime:
    return datetime.now(UTC)


def one(store: Store, statement: str, *parameters: Any) -> Any:
    with store.transaction() as conn:
        row = conn.execute(statement.encode(), parameters).fetchone()
    return None if row is None else row[0]


CALLS = """
select coalesce(sum(d.calls), 0)::int from statement_deltas d
join statements s on s.id = d.statement_id
join databases b on (b.target_id, b.dbid) = (s.target_id, s.dbid)
where b.datname = %s
"""
TEXTS = """
select count(*) from queries q join databases b on (b.target_id, b.dbid) = (q.target_id, q.dbid)
where b.datname = %s
"""


def run(dsn: str, times: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(times):
            conn.execute("select count(*) from pg_class where relname = 'watched or not'")


def test_what_is_not_watched_is_not_stored_and_begins_when_it_is(
    store: Store, target_dsn: str, new_database: Callable[[], str]
) -> None:
    other_dsn = new_database()
    other = str(conninfo_to_dict(other_dsn)["dbname"])
    own = str(conninfo_to_dict(target_dsn)["dbname"])
    only_own = pipeline.Watched(DatabaseFilter(include=(own,)))
    both = pipeline.Watched(DatabaseFilter(include=(own, other)))
    with pipeline.connect_target(target_dsn, load_settings()) as target:
        target_id = pipeline.register_target(store, target, target_dsn, now=now())
        pipeline.observe_statements(target, store, target_id, now=now(), watched=only_own)
        run(other_dsn, 3)
        run(target_dsn, 3)
        pipeline.observe_statements(target, store, target_id, now=now(), watched=only_own)
        assert one(store, TEXTS, other) == 0
        assert one(store, CALLS, other) == 0
        assert one(store, CALLS, own) >= 3
        # watched from now on: the three calls before are not load of this interval
        pipeline.observe_statements(target, store, target_id, now=now(), watched=both)
        assert one(store, CALLS, other) == 0
        run(other_dsn, 4)
        pipeline.observe_statements(target, store, target_id, now=now(), watched=both)
        assert one(store, CALLS, other) == 4


def test_a_deleted_target_leaves_nothing(store: Store, target_dsn: str) -> None:
    with pipeline.connect_target(target_dsn, load_settings()) as target:
        target_id = pipeline.register_target(store, target, target_dsn, now=now())
        for _ in range(2):
            run(target_dsn, 2)
            pipeline.observe_statements(target, store, target_id, now=now())
            pipeline.observe_activity(target, store, target_id, now=now())
            pipeline.observe_catalog(target, store, target_id, now=now())
    with store.transaction() as conn:
        tables = [
            str(name)
            for (name,) in conn.execute(
                """select c.relname from pg_class c
                   join pg_attribute a on a.attrelid = c.oid and a.attname = 'target_id'
                   where c.relkind in ('r', 'p') and not c.relispartition
                       and c.relnamespace = current_schema()::regnamespace"""
            )
        ]
        assert {name for (name,) in conn.execute(load("tables_of_targets"))} < set(tables)
        delete_target(conn, target_id)
    assert [name for name in tables if one(store, f"select count(*) from {name}")] == []
    assert one(store, "select count(*) from targets") == 0


def test_a_database_that_may_not_be_read_says_why(
    store: Store, target_dsn: str, new_database: Callable[[], str]
) -> None:
    closed = str(conninfo_to_dict(new_database())["dbname"])
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        conn.execute("create role closed_out login")
        conn.execute("grant pg_monitor to closed_out")
        conn.execute(f"revoke connect on database {closed} from public".encode())
    dsn = f"{target_dsn} user=closed_out"
    try:
        settings = load_settings()
        with pipeline.connect_target(dsn, settings) as target:
            target_id = pipeline.register_target(store, target, dsn, now=now())
        due = pipeline.due_databases(store, settings, now=now())
        found = next(one for one in due if one.datname == closed)
        assert isinstance(found, DueDatabase)
        with pytest.raises(TargetUnreachable):
            pipeline.study_database(dsn, store, settings, found, now=now())
        problem = one(
            store, "select problem from databases where target_id = %s and datname = %s",
            target_id, closed,
        )  # fmt: skip
        assert f"GRANT CONNECT ON DATABASE {closed}" in problem
        # tried: it is not due again before the catalog interval is over
        assert closed not in {
            one.datname for one in pipeline.due_databases(store, settings, now=now())
        }
    finally:
        with psycopg.connect(target_dsn, autocommit=True) as conn:
            conn.execute("drop role closed_out")
