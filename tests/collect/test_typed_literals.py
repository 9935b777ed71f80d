import pytest

from pgadvisor.collect.typed_literals import mended


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select date $1", "select CAST($1 AS date)"),
        ("select TIMESTAMP WITH TIME ZONE $1", "select CAST($1 AS TIMESTAMP WITH TIME ZONE)"),
        ("select interval $1 day to second", "select CAST($1 AS interval)"),
        ("select interval(3) $1", "select CAST($1 AS interval(3))"),
        ("select interval $1 dayroom", "select CAST($1 AS interval) dayroom"),
        ("select extract( $1 FROM d)", "select date_part($1, d)"),
        ("select 'date $1', \"date $2\"", "select 'date $1', \"date $2\""),
        ("select 1 /* date $1 */ -- date $2", "select 1 /* date $1 */ -- date $2"),
        ("select update $1", "select update $1"),
        ("select a from t where a = $1 limit $2", "select a from t where a = $1 limit $2"),
    ],
)
def test_only_typed_literals_change(query: str, expected: str) -> None:
    assert mended(query) == expected
