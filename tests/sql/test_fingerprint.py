"""Fingerprints group queries by shape."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.errors import NotParsable
from pgadvisor.sql import fingerprint, normalized_query


def test_is_16_hex_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", fingerprint("select 1"))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("select * from t where a = 1", "SELECT  * FROM t WHERE a = 'x' -- tag"),
        ("select * from t where a = 1", "select * from t where a = $1"),
        ("select * from t where a in (1, 2)", "select * from t where a in ($1, $2, $3)"),
        ("select a, b from t", "select b, a from t"),
        ("select * from s.t", "select * from t"),
    ],
)
def test_agrees(one: str, two: str) -> None:
    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("select * from t where a = 1", "select * from t where b = 1"),
        ("select * from t", "select * from u"),
        ("select * from t", "select * from t x"),
        ("select * from t where a = 1", "select * from t where a < 1"),
    ],
)
def test_differs(one: str, two: str) -> None:
    assert fingerprint(one) != fingerprint(two)


@pytest.mark.parametrize("text", ["", "selec 1", "select 1; select 2", "<insufficient privilege>"])
def test_refuses(text: str) -> None:
    for use in (fingerprint, normalized_query):
        with pytest.raises(NotParsable):
            use(text)


def test_normalized_query_continues_given_parameters() -> None:
    assert normalized_query("select 5 from t where a = $1") == "select $2 from t where a = $1"


def test_a_utility_statement_with_inner_semicolons_is_one() -> None:
    text = "create procedure p() begin atomic insert into t values (1); select 2; end"
    assert fingerprint(text)


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1), st.text("abcé'", max_size=20))
def test_constants_never_count(number: int, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    query = f"select * from t where a = {number} and b = {quoted}"
    assert fingerprint(query) == fingerprint("select * from t where a = $1 and b = $2")
    assert fingerprint(normalized_query(query)) == fingerprint(query)
