"""The tables of the job queue: procrastinate's own, in a schema of their own.

They are made from the files of the installed procrastinate, never copied here, and brought up to
it by its own migrations. The comment on the schema says which release they are of.
"""

import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from pgadvisor.errors import SchemaOutdated

__all__ = ["SCHEMA", "apply", "check"]

#: where procrastinate's tables live; its statements find them by search_path
SCHEMA: LiteralString = "procrastinate"

_COMMENT = re.compile(r"procrastinate (\d+)\.(\d+)\.(\d+)")
Release = tuple[int, int, int]


def apply(conn: psycopg.Connection[TupleRow]) -> None:
    """Make or upgrade the tables, all or nothing, in the connection's transaction.

    The caller holds the lock of migrations. Raises `SchemaOutdated` where a newer release of
    procrastinate has been here.
    """
    installed, applied = _installed(), _applied(conn)
    if applied == installed:
        return
    if applied is None:
        conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA)))
        texts = [_read("schema.sql")]
    else:
        _refuse_newer(applied, installed)
        texts = [_read("migrations", name) for name in _migrations_after(applied)]
    row = conn.execute("select current_setting('search_path')").fetchone()
    assert row is not None  # a function call returns one row
    conn.execute("select set_config('search_path', %s, true)", [SCHEMA])
    for text in texts:
        conn.execute(text)
    conn.execute("select set_config('search_path', %s, true)", [row[0]])
    release = ".".join(map(str, installed))
    conn.execute(
        sql.SQL("comment on schema {} is {}").format(
            sql.Identifier(SCHEMA),
            sql.Literal(
                f"Jobs of the workers: procrastinate {release}, made by pgadvisor migrate."
            ),
        )
    )


def check(conn: psycopg.Connection[TupleRow]) -> None:
    """Raise `SchemaOutdated` unless the tables are those of the installed procrastinate."""
    installed, applied = _installed(), _applied(conn)
    if applied is None or applied < installed:
        raise SchemaOutdated(
            "the store lacks the tables of the job queue, or has older ones",
            hint="Run `pgadvisor migrate`.",
        )
    _refuse_newer(applied, installed)


def _refuse_newer(applied: Release, installed: Release) -> None:
    if applied > installed:
        raise SchemaOutdated(
            f"the job queue of the store was made by procrastinate {'.'.join(map(str, applied))}, "
            f"newer than the installed {'.'.join(map(str, installed))}",
            hint="Install the same version of pgadvisor on all machines.",
        )


def _applied(conn: psycopg.Connection[TupleRow]) -> Release | None:
    row = conn.execute(
        """select obj_description(n.oid, 'pg_namespace') from pg_catalog.pg_namespace n
           where n.nspname = %s""",
        [SCHEMA],
    ).fetchone()
    found = _COMMENT.search(row[0] or "") if row else None
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


@cache
def _installed() -> Release:
    numbers = [int(number) for number in re.findall(r"\d+", version("procrastinate"))]
    major, minor, patch = (*numbers, 0, 0)[:3]
    return major, minor, patch


def _migrations_after(applied: Release) -> list[str]:
    """Names such as 03.04.00_50_post_x.sql sort by release, then by their number."""
    folder = files("procrastinate.sql") / "migrations"
    prefix = "{:02d}.{:02d}.{:02d}_".format(*applied)
    names = (path.name for path in folder.iterdir() if path.name.endswith(".sql"))
    return sorted(name for name in names if name[: len(prefix)] > prefix)


def _read(*path: str) -> LiteralString:
    # a file of procrastinate, nothing a user wrote
    text: LiteralString = files("procrastinate.sql").joinpath(*path).read_text(encoding="utf-8")
    return text
