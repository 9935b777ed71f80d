"""Every .sql file of the store is planned on the oldest and the newest PostgreSQL."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from pgadvisor.records.statement import COUNTER_NAMES
from pgadvisor.store import migrate
from pgadvisor.store import queries as loader
from pgadvisor.store.counters import COUNTER_COLUMNS

FILES = sorted(path.stem for path in (Path(loader.__file__).parent / "sql").glob("*.sql"))
#: they make the temporary tables that others read
DEFINITIONS = tuple(name for name in FILES if name.startswith("incoming_"))
PARTS = {
    "spent": sql.SQL(loader.load("spent_in_hours")),
    "counters": COUNTER_COLUMNS,
    "columns": sql.SQL("statement_id, min_exec_time, max_exec_time, {}").format(COUNTER_COLUMNS),
    "values": COUNTER_COLUMNS,
    "sums": sql.SQL(", ").join(sql.SQL("sum({})").format(sql.Identifier(n)) for n in COUNTER_NAMES),
    "updates": sql.SQL("calls = 1"),
    "table": sql.Identifier("gaps"),
    "column": sql.Identifier("until"),
}


@pytest.fixture(scope="module")
def schemas(
    request: pytest.FixtureRequest,
) -> Iterator[dict[str, psycopg.Connection[TupleRow]]]:
    """A connection to a migrated store of each version, in a transaction that is rolled back."""
    opened: dict[str, psycopg.Connection[TupleRow]] = {}
    clusters = {
        "installed": request.getfixturevalue("target_cluster"),
        "embedded": request.getfixturevalue("store_cluster"),
    }
    for name, cluster in clusters.items():
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create database statement_files")
        opened[name] = psycopg.connect(cluster.dsn("statement_files"))
        migrate.apply(opened[name], now=datetime.now(UTC))
        for definition in DEFINITIONS:
            opened[name].execute(loader.load(definition))
    yield opened
    for name, cluster in clusters.items():
        opened[name].close()
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("drop database statement_files with (force)")


@pytest.mark.parametrize("name", [name for name in FILES if name not in DEFINITIONS])
@pytest.mark.parametrize("version", ["installed", "embedded"])
def test_statement_is_planned(
    schemas: dict[str, psycopg.Connection[TupleRow]], version: str, name: str
) -> None:
    text = loader.load(name)
    parts = {part: PARTS[part] for part in set(re.findall(r"{(\w+)}", text))}
    query = sql.SQL(text).format(**parts) if parts else sql.SQL(text)
    # of the parts, too
    names = re.findall(r"%\((\w+)\)s", query.as_string(None))
    values: dict[str, Any] = dict.fromkeys(names)
    with schemas[version].transaction(force_rollback=True):
        cursor = psycopg.ClientCursor(schemas[version])
        plan = cursor.execute(sql.SQL("explain {}").format(query), values or None).fetchall()
    assert plan


@pytest.mark.parametrize("name", FILES)
def test_first_line_says_what_a_row_is(name: str) -> None:
    assert loader.load(name).startswith("-- one row: ")


def test_every_file_is_loaded_somewhere() -> None:
    source = Path(loader.__file__).parents[1]
    code = "".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))
    unused: Callable[[str], bool] = lambda name: f'"{name}"' not in code  # noqa: E731
    assert [name for name in FILES if unused(name)] == []
