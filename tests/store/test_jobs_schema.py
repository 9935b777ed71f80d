"""The job queue's tables: made beside ours, upgraded by procrastinate's own migrations."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from pgadvisor.errors import SchemaOutdated
from pgadvisor.store import jobs_schema

OBJECTS = """
select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'procrastinate'::regnamespace and c.relkind in ('r', 'c')
union all
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = 'procrastinate'::regnamespace
order by 1
"""


def objects(conn: psycopg.Connection[Any]) -> list[str]:
    return [name for (name,) in conn.execute(OBJECTS.encode())]


def test_an_older_queue_becomes_the_same_as_a_new_one(new_database: Callable[[], str]) -> None:
    with psycopg.connect(new_database()) as conn:
        jobs_schema.apply(conn)
        jobs_schema.check(conn)
        new = objects(conn)
        assert len(new) > 30
    older = new_database()
    with psycopg.connect(older, autocommit=True) as conn:
        conn.execute("create schema procrastinate")
        conn.execute("set search_path to procrastinate")
        folder = files("procrastinate.sql") / "migrations"
        names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".sql"))
        for name in names:
            if name < "03.04":
                conn.execute((folder / name).read_bytes())
        conn.execute("comment on schema procrastinate is 'procrastinate 3.3.0'")
    with psycopg.connect(older) as conn:
        with pytest.raises(SchemaOutdated, match="older"):
            jobs_schema.check(conn)
        jobs_schema.apply(conn)
        jobs_schema.check(conn)
        assert objects(conn) == new
        jobs_schema.apply(conn)  # nothing to do


def test_a_newer_queue_is_refused(new_database: Callable[[], str]) -> None:
    with psycopg.connect(new_database()) as conn:
        jobs_schema.apply(conn)
        conn.execute("comment on schema procrastinate is 'procrastinate 99.0.0'")
        for act in (jobs_schema.apply, jobs_schema.check):
            with pytest.raises(SchemaOutdated, match=r"99\.0\.0"):
                act(conn)
