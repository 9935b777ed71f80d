"""Renders the tables of docs/views.md from the comments in the store.

Refresh it with ``PYTHONPATH=. .venv/bin/python tests/documented/views_reference.py``.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.records.statement import COUNTER_NAMES
from pgadvisor.store import migrate

PAGE = Path(__file__).parents[2] / "docs" / "views.md"
START, END = "<!-- views: begin -->", "<!-- views: end -->"

_VIEWS = """
select c.relname, obj_description(c.oid, 'pg_class')
from pg_class c
where c.relnamespace = 'pgadvisor'::regnamespace and c.relkind = 'v'
order by c.relname
"""
_COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod),
       coalesce(col_description(c.oid, a.attnum), '')
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'pgadvisor'::regnamespace and c.relname = %s
order by a.attnum
"""
_TYPES = {"timestamp with time zone": "timestamptz", "double precision": "float8"}


def render(conn: psycopg.Connection[TupleRow]) -> str:
    """A section a view: what a row is, and its columns."""
    parts = []
    for name, comment in conn.execute(_VIEWS).fetchall():
        columns = conn.execute(_COLUMNS, [name]).fetchall()
        rows = [f"| `{column}` | {_type(kind)} | {text} |" for column, kind, text in _told(columns)]
        table = "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])
        parts.append(f"### {name}\n\n{comment}\n\n{table}\n")
    return "\n".join(parts)


def _told(columns: list[TupleRow]) -> list[TupleRow]:
    """Counters without a comment are those of pg_stat_statements: one line for all of them."""
    plain = [c for c in columns if c[0] in COUNTER_NAMES and not c[2]]
    if len(plain) < 20:
        return columns
    names = "`, `".join(column for column, _, _ in plain)
    line = (names, "bigint or float8", "As in pg_stat_statements 1.12; never null.")
    first = columns.index(plain[0])
    rest = [c for c in columns[first:] if c not in plain]
    return [*columns[:first], line, *rest]


def _type(kind: str) -> str:
    return _TYPES.get(kind, kind)


def with_tables(page: str, tables: str) -> str:
    """The page with these tables between its marks."""
    pattern = re.compile(f"{START}.*{END}", re.DOTALL)
    return pattern.sub(lambda _: f"{START}\n\n{tables}\n{END}", page)


def main() -> None:
    with Cluster.temporary(embedded_binaries()) as cluster, psycopg.connect(cluster.dsn()) as conn:
        migrate.apply(conn, now=datetime.now(UTC))
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), render(conn)), "utf-8")


if __name__ == "__main__":
    main()
