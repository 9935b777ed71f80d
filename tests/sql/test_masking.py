"""A masked statement is the same query without its values."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pglast import parser

from pgadvisor.errors import NotParsable
from pgadvisor.records.parameter import MaskedValue, ParameterMode
from pgadvisor.sql import MARKER, ValueMask, fingerprint, mask_text, parse, with_values
from pgadvisor.sql.buckets import buckets
from pgadvisor.sql.masking import MaskedText

HASH = ValueMask(ParameterMode.HASH, b"salt of a test")
DROP = ValueMask(ParameterMode.DROP, b"salt of a test")
KEEP = ValueMask(ParameterMode.KEEP, b"salt of a test")
BOTH = pytest.mark.parametrize("mask", [HASH, DROP], ids=["hash", "drop"])

# Each value that somebody could mind is a word with SECRET in it, or the number 987654321.
PLANNED = [
    "select * from t where name = 'SECRET' and id = 987654321",
    "select * from t where name in ('SECRET1', 'SECRET2') or name like 'SECRET%' escape '!'",
    "select * from t where a between -987654321 and 987654321.987654321",
    "select date '1998-12-01' - interval '90' day, timestamp '2024-05-17 13:14:15', x from t",
    "select timestamp(3) with time zone '2024-05-17 13:14:15+02', time '13:14' from t",
    "select numeric(10, 2) '987654321', double precision '9.87654321e10', text 'SECRET' from t",
    "select 'SECRET'::text, cast('SECRET' as varchar(255)), x::numeric(10,2) from t",
    "select E'SEC\\'RET', U&'SECRET' uescape '!', B'0101', X'ff', N'SECRET', $x$SECRET$x$ from t",
    "select 'SEC'\n  'RET' from t",
    "select $1, 'SECRET', $2 from t where a = $3",
    "select to_char(d, 'YYYY SECRET') from t group by to_char(d, 'YYYY SECRET') order by 1",
    "select extract('year' from d), extract(month from d), date_trunc('day', d) from t",
    "select data ->> 'SECRET' from t where data @> '{\"k\": \"SECRET\"}' and data ? 'SECRET'",
    "select now() at time zone 'SECRET', position('SECRET' in a), trim(both 'S' from a) from t",
    "select substring(a from 'SECRET' for 3), overlay(a placing 'SECRET' from 1) from t",
    "select a operator(pg_catalog.=) 'SECRET' and b is distinct from 'SECRET' from t",
    "select case a when 'SECRET' then 'SECRET' else 'SECRET' end, row('SECRET') from t",
    "select array['SECRET', 'b'], '{SECRET,b}'::text[], a[987], f(x => 'SECRET') from t",
    "select jsonb_build_object('SECRET', a), concat('SECRET', a), format('SECRET %s', a) from t",
    "select * from t tablesample system (12.5) repeatable (987654321) limit 987 offset 987654",
    "select * from t fetch first 5 rows only",
    "select sum(a) over (order by d range between '1 day' preceding and current row) from t",
    "select * from xmltable('/SECRET' passing 'SECRET' columns b text path 'SECRET') x",
    "select x'ff'::int, b'01' || 'SECRET', -5, - 987654321, a - 5, (a) -987654321 from t",
    "select 0xDEADBEEF, 1_000_000, .5, 5., 1e300, 98765432109876543210987654321 from t",
    "insert into t (a, b) values ('SECRET', 987654321), ('SECRET', 2) on conflict do nothing",
    "update t set a = 'SECRET' where b = 'SECRET' returning 'SECRET'",
    "delete from t where a = any('{SECRET}') or a = all(array['SECRET'])",
    "merge into t using u on t.id = u.id when matched then update set a = 'SECRET'",
    "with x as (select 'SECRET' as a) select * from x union all values ('SECRET')",
    "(select 'SECRET') union (select 'SECRET')",
    "table t",
    "select 'SECRET'as a,'SECRET'b from t where'SECRET'=a and a in('SECRET')and true",
    "select * from t -- SECRET\nwhere a = 1 /* user='SECRET' /* nested */ */ and b/* SECRET */= 2",
    "select * from t where a = 'ö SECRET é' and b = '日本 SECRET'",
]
UTILITY = [
    "alter role someone password 'SECRET'",
    "create role someone login password 'SECRET' valid until '2031-01-01'",
    "set app.secret = 'SECRET'",
    "set app.secret to SECRET",
    "set local app.secret = SECRET, 'SECRET'",
    "alter role someone set app.secret to SECRET",
    "alter system set app.secret = 'SECRET'",
    "copy t from '/SECRET' with (format csv)",
    "copy t from program 'curl SECRET'",
    "copy (select * from t where a = 'SECRET') to stdout",
    "do $$ begin perform 'SECRET'; end $$",
    "create function f() returns int language sql as $x$ select 1 -- SECRET $x$",
    "create user mapping for u server s options (user 'SECRET', password 'SECRET')",
    "create subscription s connection 'host=x password=SECRET' publication p",
    "comment on table t is 'SECRET'",
    "notify channel, 'SECRET'",
    "execute p('SECRET', 987654321)",
    "prepare p as select 'SECRET'",
    "explain select * from t where a = 'SECRET'",
    "declare c cursor for select 'SECRET'",
    "create table x as select 'SECRET'",
    "create table p partition of t for values from ('SECRET') to ('SECRET')",
    "call f('SECRET', 987654321)",
    "prepare transaction 'SECRET'",
    "create view v as select * from t where a = 'SECRET'",
    "begin; update t set a = 'SECRET' where b = 987654321; commit",
]
BROKEN = [
    "select * from t where a = 'SECRET",
    "select * from t where a = $$SECRET",
    "select * from t where a = 987654321 and /* SECRET",
    "selec 'SECRET' fro t -- SECRET",
    "set user = SECRET",
    r"select 'it\'s SECRET', 'x', SECRET",  # standard_conforming_strings = off
    "select * from t where \"unterminated = 'SECRET'",
    "select E'SECRET\\",
    "select 'SECRET' \0 from t",
]
TEXTS = [*PLANNED, *UTILITY, *BROKEN]


def demo_texts() -> Iterator[str]:
    for file in files("pgadvisor.demo").joinpath("queries").iterdir():
        text = re.sub(r"(?<=in )%\(\w+\)s", "('SECRET')", file.read_text(encoding="utf-8"))
        text = re.sub(r"%\(\w+\)s", "'SECRET'", text)
        yield text.replace("%%", "%")


def words_of(masked: MaskedText) -> str:
    return masked.text + repr(masked.values)


@BOTH
@pytest.mark.parametrize("text", TEXTS)
def test_no_value_stays(text: str, mask: ValueMask) -> None:
    found = words_of(mask_text(text, mask))
    assert "SECRET" not in found.replace("app.secret", "").upper()
    assert "98765" not in found


@BOTH
@pytest.mark.parametrize("text", [*PLANNED, *demo_texts()])
def test_a_query_keeps_its_fingerprint(text: str, mask: ValueMask) -> None:
    masked = mask_text(text, mask).text
    assert parser.fingerprint(masked) == parser.fingerprint(text)
    assert "SECRET" not in masked


@BOTH
@pytest.mark.parametrize("text", UTILITY)
def test_a_utility_statement_still_parses(text: str, mask: ValueMask) -> None:
    masked = mask_text(text, mask).text
    assert parser.fingerprint(masked)


@BOTH
@pytest.mark.parametrize("text", BROKEN)
def test_what_does_not_parse_does_not_parse_afterwards(text: str, mask: ValueMask) -> None:
    with pytest.raises(NotParsable):
        parse(mask_text(text, mask).text)


@pytest.mark.parametrize("text", TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask_text(text, HASH).text
    assert mask_text(once, HASH).text == once


@pytest.mark.parametrize("text", TEXTS)
def test_keep_keeps(text: str) -> None:
    assert mask_text(text, KEEP) == MaskedText(text, {})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("select 1 from t where a = 'x' and b = $2", "select 1 from t where a = $3 and b = $2"),
        ("select a from t where b = 1234 limit 10", "select a from t where b = 1200 limit 10"),
        ("select a, count(*) from t group by 1 order by 2 desc", None),
        ("select null, true, '' from t where a is not false", None),
        ("select cast(a as numeric(1000, 500)), b::varchar(4711), c::vector(1536) from t", None),
        ("select date '2024-05-17'", "select date '2024-05-01'"),
        ("select interval '1 year 2 mons 3 days'", "select interval '1 year'"),
        ("select 1 from t where d > '2024-05-17'", "select 1 from t where d > '2024-05-01'"),
        (
            "select 'a' || x, x from t group by 'a' || x",
            "select $1 || x, x from t group by $1 || x",
        ),
        (f"select {MARKER} 'x'", f"select {MARKER} $1"),
        ("select 1 /* a */ -- b", "select 1"),
        ("/*+ SeqScan(t) */ select 1 from t", None),
        ("set search_path to a, b", None),
        ("set work_mem = '64MB'", "set work_mem = '***'"),
        ("select concat('a', x) from t", "select concat('***', x) from t"),
    ],
)
def test_what_stands_there_afterwards(text: str, masked: str | None) -> None:
    assert mask_text(text, HASH).text == (text if masked is None else masked)


def test_a_text_without_values_is_handed_back() -> None:
    text = "select * from t where a = $1 and b is null order by 1"
    assert mask_text(text, HASH).text is text


def test_the_same_value_of_the_same_expression_is_one_parameter() -> None:
    text = "select to_char(d, 'a b'), 'a b' from t group by to_char(d, 'a b')"
    assert mask_text(text, HASH).text == "select to_char(d, $1), $2 from t group by to_char(d, $1)"


def test_values_are_described_beside_the_text() -> None:
    values = mask_text("select * from t where a = 'Ann' and b = $1 and c = '4711'", HASH).values
    assert set(values) == {2, 3}
    assert (values[2].type, values[2].length, values[2].bucket) == ("text", 3, None)
    assert (values[3].type, values[3].length, values[3].bucket) == ("integer", 4, "4700")
    assert (
        values[2].hash == HASH.hash_of("Ann") != ValueMask(ParameterMode.HASH, b"x").hash_of("Ann")
    )
    assert values[2].value is None
    dropped = mask_text("select * from t where a = 'Ann'", DROP).values[1]
    assert dropped == MaskedValue()


def test_put_back_it_is_the_same_statement() -> None:
    text = "select * from t where a = 'it''s' and b = $1 and c = 'x'"
    masked = mask_text(text, HASH)
    assert with_values(masked.text, {2: "it's", 3: "x"}) == text
    assert (
        with_values(masked.text, {3: "x"}) == "select * from t where a = $1 and b = $2 and c = 'x'"
    )


def test_a_range_keeps_its_width() -> None:
    masked = mask_text("select 1 from t where id between 123456 and 123556", HASH).text
    assert masked == "select 1 from t where id between 120000 and 120100"
    masked = mask_text("select 1 from t where d >= '2024-05-31' and d < '2024-06-01'", HASH).text
    assert masked == "select 1 from t where d >= '2024-05-01' and d < '2024-05-02'"


@given(st.lists(st.integers(min_value=0, max_value=10**15), min_size=1, max_size=5))
def test_buckets_of_numbers_are_near_and_in_order(numbers: list[int]) -> None:
    found = buckets(map(str, numbers))
    kept = [int(found[str(number)]) for number in sorted(numbers)]
    for number, one in zip(sorted(numbers), kept, strict=True):
        assert abs(one - number) <= 0.11 * number
    assert kept == sorted(kept)
    assert len(set(kept)) == len(set(numbers)) or max(numbers) > 100


WORDS = st.text("aZ '\"\\$-/*%ö\n;", max_size=12)


@given(WORDS, WORDS, st.integers(), st.sampled_from([HASH, DROP]))
def test_any_value_anywhere_is_masked(one: str, two: str, number: int, mask: ValueMask) -> None:
    def quoted(word: str) -> str:
        return "'SECRET" + word.replace("'", "''") + "'"

    text = (
        f"select {quoted(one)}, a from t /* {quoted(two).replace('*/', '')} */"
        f" where b = {quoted(two)} and c > {number} or d in ({quoted(one)}, 'x')"
    )
    masked = mask_text(text, mask).text
    assert "SECRET" not in masked
    try:
        identity = fingerprint(text)
    except NotParsable:
        return
    assert fingerprint(masked) == identity


@given(st.text(max_size=60), st.sampled_from([HASH, DROP]))
def test_no_text_breaks_it(text: str, mask: ValueMask) -> None:
    mask_text(text, mask)
    mask_text("select '" + text, mask)
