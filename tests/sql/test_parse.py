"""One statement or NotParsable with a position; nothing ends the process."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.errors import NotParsable
from pgadvisor.sql import fingerprint, is_read_only, normalized_query, parse, references, render


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "text has no statement", None),
        (" \n-- nothing\n;", "text has no statement", None),
        ("select 1; select 2", "text has 2 statements", 10),
        ("select 'é'; select 2", "text has 2 statements", 12),
        ("select é, a from t whre x = 3 4", 'syntax error at or near "x"', 24),
        ("selec 1", 'syntax error at or near "selec"', 0),
        ("select * from t where a = ? and b", 'syntax error at or near "and"', 28),
        ("select 1\0; drop table t", "text contains a zero byte", 8),
        ("select '\ud800'", "text is not valid Unicode", 8),
        ("<insufficient privilege>", "the server hides the text: <insufficient privilege>", None),
        ("<command string not enabled>", "the server hides the text", None),
    ],
)
def test_refuses_with_position(text: str, message: str, position: int | None) -> None:
    with pytest.raises(NotParsable) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.hint.endswith(".")
    if position is not None or caught.value.message.startswith("text has no"):
        assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "select a, b from t where",
        "select a from t where x = 'ab",
        'select "a',
        "select 1 /* why",
        "select $$body",
        "insert into t values (1, ",
    ],
)
def test_cut_off_is_said(text: str) -> None:
    with pytest.raises(NotParsable, match="text is cut off") as caught:
        parse(text)
    assert "track_activity_query_size" in caught.value.hint
    assert caught.value.position is not None


def test_cut_text_that_still_parses_is_refused_by_its_size() -> None:
    text = "select * from t where name = 'ä' and b = 2"
    size = len(text.encode())
    assert parse(text, size_limit=size + 5).text == text
    for missing in range(4):  # the server cuts at a character, up to three bytes early
        with pytest.raises(NotParsable, match="cut off"):
            parse(text, size_limit=size + 1 + missing)


@pytest.mark.parametrize(
    "text",
    [
        "select interval $1",
        "select * from t where d > now() - interval $2",
        "select a from t limit $1 offset $2",
        "select * from t where a in ($1 /*, ... */)",
        "set x = $1",
        " ; select 1 ;",
        "copy t from stdin",
        "select date $1, extract($2 from x), substring(x from $3 for $4)",
    ],
)
def test_normalized_texts_of_pg_stat_statements_parse(text: str) -> None:
    assert parse(text).text == text


@pytest.mark.parametrize("depth", [3_000, 30_000, 400_000])
@pytest.mark.parametrize(
    ("head", "level"),
    [
        ("select 1", "+1"),
        ("select 1", " union select 1"),
        ("select * from t", " cross join t"),
        ("select 1", "::int"),
        ("create view v as select 1", "+1"),
        ("select ", "("),
        ("select ", "not "),
    ],
)
def test_deep_nesting_is_an_error_not_a_crash(head: str, level: str, depth: int) -> None:
    """pglast alone ends the process with SIGSEGV here."""
    with pytest.raises(NotParsable):
        parse(head + level * depth)


@pytest.mark.parametrize("depth", [100, 200, 400, 900])
def test_recursion_limit_does_not_escape(depth: int) -> None:
    assert sys.getrecursionlimit() <= 5_000
    text = "select " + "abs(" * depth + "a" + ")" * depth + " from t"
    for use in (
        lambda: references(parse(text), lambda schema, table: None),
        lambda: is_read_only(parse(text)),
        lambda: render(text),
    ):
        try:
            use()
        except NotParsable as exc:
            assert exc.message == "statement is nested too deeply"


def test_a_megabyte_of_list_is_fine() -> None:
    text = f"select * from t where a in ({','.join(map(str, range(150_000)))})"
    found = references(parse(text), lambda schema, table: ["a", "b"])
    assert found.tables[0].equalities[0].items == 150_000
    assert fingerprint(text) == fingerprint("select * from t where a in (1)")


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(NotParsable, match="bytes"):
        parse("select '" + "x" * 5_000_000 + "'")


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    for use in (parse, fingerprint, normalized_query):
        try:
            use(text)
        except NotParsable as exc:
            assert exc.position is None or 0 <= exc.position <= len(text)
    assert render(text) is not None


@given(st.integers(min_value=1, max_value=92))
def test_any_cut_of_a_statement_parses_or_is_refused(length: int) -> None:
    text = (
        "with x as (select 'é', 1 from t where a = 'b''c')"
        " update u set a = $1 from x where u.id < 3"
    )
    try:
        parse(text[:length])
    except NotParsable as exc:
        assert exc.position is None or exc.position <= length
