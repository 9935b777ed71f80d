import re
from importlib.resources import files
from typing import Any

import pglast
import pytest

from pgadvisor.collect import queries
from pgadvisor.collect.target import Target
from pgadvisor.records.statement import COUNTER_NAMES
from pgadvisor.sql import is_own

SQL = files("pgadvisor.collect").joinpath("sql")
FILES = sorted(file.name for file in SQL.iterdir() if file.name.endswith(".sql"))
STATEMENT_VERSIONS = [(1, 8), (1, 9), (1, 10), (1, 11), (1, 12)]
HEAD = [
    *("dbid", "userid", "queryid", "toplevel", "min_exec_time", "max_exec_time", "stats_since"),
    *("state", "ordinality"),
]
PARAMETER = re.compile(r"%\(\w+\)[sb]")


def _columns(text: str) -> list[str]:
    select: Any = pglast.parse_sql(PARAMETER.sub("null", text).format(schema="public"))[0].stmt
    return [target.name or target.val.fields[-1].sval for target in select.targetList]


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_what_a_row_is(name: str) -> None:
    assert SQL.joinpath(name).read_text().lower().startswith("-- one row")


@pytest.mark.parametrize("name", FILES)
def test_the_marker_is_inside_the_statement_where_postgres_18_keeps_it(name: str) -> None:
    text = queries.load(name.split(".")[0], server=18, extension=(99,))
    bound = PARAMETER.sub("null", text).replace("{schema}", "s")
    statement = pglast.parse_sql(bound)[0]

    assert is_own(bound[statement.stmt_location :])


@pytest.mark.parametrize("version", STATEMENT_VERSIONS)
def test_statement_columns_are_fields_of_the_record(version: tuple[int, int]) -> None:
    columns = _columns(queries.load("statements", server=18, extension=version))

    assert columns[: len(HEAD)] == HEAD
    assert set(columns[len(HEAD) :]) <= set(COUNTER_NAMES)
    assert len(columns) == len(set(columns))


def test_newer_extensions_have_more_columns() -> None:
    counts = [
        len(_columns(queries.load("statements", server=18, extension=version)))
        for version in STATEMENT_VERSIONS
    ]

    assert counts == sorted(counts)
    assert counts[-1] == len(HEAD) + len(COUNTER_NAMES)


@pytest.mark.parametrize(
    ("extension", "has_toplevel"), [((1, 8), False), ((1, 9), True), ((1, 99), True)]
)
def test_the_extension_decides_not_the_server(
    extension: tuple[int, int], has_toplevel: bool
) -> None:
    text = queries.load("statements", server=18, extension=extension)

    assert ("true AS toplevel" not in text) is has_toplevel


def test_the_server_decides_where_no_extension_is_read() -> None:
    assert "query_id" not in queries.load("activity", server=13)
    assert "query_id" in queries.load("activity", server=14)
    assert "has_parameter_privilege" in queries.load("quiet", server=18)


def test_the_server_knows_our_statements_by_the_marker(target: Target) -> None:
    shown = target.conn.execute(
        queries.marked("select query from pg_stat_activity where pid = pg_backend_pid()")
    ).fetchone()

    assert shown is not None
    assert is_own(shown[0])
