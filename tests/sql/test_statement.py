"""Kinds of statements, and what may be done with them."""

import pytest

from pgadvisor.errors import NotParsable
from pgadvisor.sql import (
    MARKER,
    StatementKind,
    is_explainable,
    is_own,
    is_read_only,
    is_utility,
    max_parameter,
    parse,
    statement_kind,
)

READ_ONLY = [
    "select 1",
    "table t",
    "values (1), (2)",
    "with x as (select 1) select * from x",
    "select * from t where id in (select id from u)",
    "select 1 union all select 2 order by 1",
    "select 1 union all values (2)",
]
WRITING_SELECTS = [
    "select * from t for update",
    "select * from t for share skip locked",
    "select * from (select * from t for no key update) x",
    "with x as (delete from t returning *) select * from x",
    "with x as (insert into t values (1) returning *) select * from x",
    "with x as (update t set a = 1 returning *) select 1",
    "select 1 from t where a in (select a from u for update)",
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", StatementKind.SELECT),
        ("values (1)", StatementKind.VALUES),
        ("values (1) union select 2", StatementKind.SELECT),
        ("insert into t values (1)", StatementKind.INSERT),
        ("update t set a = 1", StatementKind.UPDATE),
        ("delete from t", StatementKind.DELETE),
        (
            "merge into t using u on t.a = u.a when matched then do nothing",
            StatementKind.MERGE,
        ),
        ("select 1 into t", StatementKind.SELECT_INTO),
        ("select 1 into t union select 2", StatementKind.SELECT_INTO),
        ("copy t to stdout", StatementKind.COPY),
        ("declare c cursor for select 1", StatementKind.CURSOR),
        ("fetch 10 from c", StatementKind.CURSOR),
        ("explain select 1", StatementKind.EXPLAIN),
        ("execute p(1)", StatementKind.EXECUTE),
        ("prepare p as select 1", StatementKind.EXECUTE),
        ("call p()", StatementKind.CALL),
        ("do $$ begin end $$", StatementKind.CALL),
        ("begin", StatementKind.TRANSACTION),
        ("rollback to savepoint a", StatementKind.TRANSACTION),
        ("set work_mem = '1GB'", StatementKind.SETTING),
        ("show work_mem", StatementKind.SETTING),
        ("create table t (a int)", StatementKind.UTILITY),
        ("create table t as select 1", StatementKind.UTILITY),
        ("vacuum t", StatementKind.UTILITY),
        ("refresh materialized view v", StatementKind.UTILITY),
    ],
)
def test_statement_kind(text: str, kind: StatementKind) -> None:
    statement = parse(text)
    assert statement_kind(statement) == kind
    assert is_utility(statement) is not is_explainable(statement)
    planned = {"select", "values", "insert", "update", "delete", "merge"}
    assert is_explainable(statement) is (kind.value in planned)


@pytest.mark.parametrize("text", READ_ONLY)
def test_is_read_only(text: str) -> None:
    assert is_read_only(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        *WRITING_SELECTS,
        "select 1 into t",
        "select 1 into t union select 2",
        "delete from t",
        "explain select 1",
        "explain analyze delete from t",
        "set a = 1",
    ],
)
def test_is_not_read_only(text: str) -> None:
    assert not is_read_only(parse(text))


def test_is_own() -> None:
    assert is_own(f"select {MARKER} 1")
    assert not is_own("select 1 -- pgadvisor")


@pytest.mark.parametrize(
    ("text", "highest"),
    [
        ("select 1", 0),
        ("select $1", 1),
        ("select $2, $10, $3", 10),
        ("select '$9', $$ $8 $$, \"$7\", $1 -- $6", 1),
        ("select é, $12 /* $99 */", 12),
        ("select a$5 from t", 0),
        ("not sql at all $3", 3),
    ],
)
def test_max_parameter(text: str, highest: int) -> None:
    assert max_parameter(text) == highest


def test_max_parameter_refuses_unbalanced_quotes() -> None:
    with pytest.raises(NotParsable, match="cut off"):
        max_parameter("select $1, 'a")
