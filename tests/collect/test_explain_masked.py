"""What masking leaves of a statement is still planned by a server, and about as before."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.explain import explain
from pgadvisor.collect.known_values import fetch_known_values
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import NotExplainable
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.sql import ValueMask, mask_text, with_values

SETUP = """
create type mood as enum ('sad', 'ok', 'happy');
create table t (id int primary key, big bigint, total numeric(12, 2), real8 float8, name text,
    code varchar(20), fixed char(5), flag boolean, day date, at timestamptz, naive timestamp,
    clock time, span interval, uid uuid, address inet, doc jsonb, raw bytea, bits bit(4),
    tags text[], numbers int[], feeling mood, range int4range);
insert into t (id, big, total, name, code, flag, day, at, naive, feeling, doc, tags)
select g, g * 1000, g / 7.0, 'name ' || g, case when g % 50 = 0 then 'rare' else 'common' end,
       g % 2 = 0, date '2020-01-01' + g % 1500, timestamptz '2020-01-01Z' + g * interval '1 hour',
       timestamp '2020-01-01' + g * interval '1 hour',
       (array['sad', 'ok', 'happy'])[1 + g % 3]::mood,
       jsonb_build_object('kind', 'k' || g % 5), array['a', 'b']
from generate_series(1, 20000) g;
create index t_open on t (id) where code = 'rare';
analyze t
"""
TEXTS = [
    "select * from t where name = 'x' and code in ('a', 'b') and fixed = 'abc' and id = 12345",
    "select * from t where total > 1234.56 and real8 < -1e5 and big between 1234567 and 2345678",
    "select * from t where day >= date '2021-05-17' and day < date '2021-05-17' + 1",
    "select * from t where day < date '2021-12-01' - interval '90' day",
    "select * from t where at > '2021-05-17 13:14:15+02' and naive < timestamp '2021-05-17 13:14'",
    "select * from t where at > now() - interval '90 days' and at < now() - '1 day'::interval",
    "select * from t where clock > '13:14' and clock < time '15:16:17'",
    "select * from t where span > interval '3' hour",
    "select * from t where uid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' or uid = uuid"
    " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    "select * from t where address << inet '10.1.0.0/16' or address = '10.1.2.3'",
    "select * from t where doc @> '{\"kind\": \"k1\"}' and doc ->> 'kind' = 'k1' and doc ? 'kind'",
    "select doc -> 'kind', doc #>> '{a,b}' from t where doc @? '$.kind'",
    "select * from t where raw = '\\xdeadbeef' or bits = B'0101' or raw = decode('ff', 'hex')",
    "select * from t where tags @> '{a,b}' or tags && array['x', 'y'] or 'a' = any (tags)",
    "select * from t where numbers @> '{1,2}' and numbers[1234] = 5 and range @> 4711",
    "select * from t where feeling = 'happy' and feeling in ('ok', 'sad') and flag = 'true'",
    "select * from t where name like 'name 1%' or name ilike '%x%' or name ~ '^n.*1$'",
    "select * from t where name not like 'a!%' escape '!' and name similar to '(a|b)%'",
    "select to_char(at, 'YYYY-MM \"x\"') m, count(*) from t group by to_char(at, 'YYYY-MM \"x\"')",
    "select date_trunc('month', at), extract(year from day), date_part('dow', day) from t",
    "select extract('year' from day), at at time zone 'Europe/Berlin' from t",
    "select case code when 'rare' then 'R' else 'C' end, count(*) from t group by 1 order by 2",
    "select case when code = 'rare' then 'R' else 'C' end, count(*) from t"
    " group by case when code = 'rare' then 'R' else 'C' end",
    "select 'x' || name, name || ' ' || code, coalesce(name, 'none'), nullif(code, '') from t",
    "select concat('a', name), format('%s', name), jsonb_build_object('k', name), 'label' from t",
    "select string_agg(name, ', ' order by id), count(*) filter (where code = 'rare') from t",
    "select jsonb_agg(jsonb_build_object('id', id, 'name', 'x' || name)) from t",
    "select 'a' as kind, id from t union all select 'b', id from t order by 1, 2 limit 100",
    "select * from t order by (code = 'rare') desc, id limit 1000 offset 123456",
    "select * from t fetch first 500 rows only",
    "select id, lag(id, 1, 4711) over (partition by code order by at range between '1 day'"
    " preceding and current row) from t",
    "select * from (values ('a', 1), ('b', 2222)) v (x, y) join t on t.name = v.x",
    "select * from generate_series('2021-01-01'::date, '2021-12-31'::date, '1 day') g (d)",
    "select * from generate_series(1, 12345) g join t on t.id = g",
    "select * from unnest('{a,b}'::text[]) u join t on t.code = u",
    "select * from t where (code, name) = ('rare', 'x') or (id, big) > (12345, 67890)",
    "select * from t where to_tsvector('english', name) @@ plainto_tsquery('english', 'red')",
    "select substring(name from '[0-9]+'), position('a' in name), overlay(name placing 'x' from 1),"
    " trim(both 'x' from name), regexp_replace(name, 'a', 'b', 'g'), left(name, 5) from t",
    "select cast('2021-05-17' as date), '42'::int, numeric(10, 2) '1234.5', double precision '1e3',"
    " int '42', text 'x', name::varchar(300), N'n' from t",
    "select x'ff'::int, 1_000_000, 0xFFFF, -5, - 12345, id - 12345 from t",
    "insert into t (id, name, day, feeling) values (123456, 'x', '2021-01-01', 'ok')"
    " on conflict (id) do update set name = 'y'",
    "update t set name = 'x', doc = doc || '{\"a\": 1}', day = '2021-05-05' where code = 'rare'",
    "delete from t where name = 'x' and id in (123, 4567, 8910)",
    "with c as materialized (select * from t where code = 'rare') select count(*) from c",
    "select exists (select from t where name = 'x'), (select max(id) from t where code = 'y')",
    "select make_interval(days => 90), age(at, '2020-01-01'), to_date('17.05.2021', 'DD.MM.YYYY'),"
    " to_timestamp('x', 'YYYY'), encode(raw, 'hex'), md5('x'), length('x') from t",
    "select row('a', 1), array['a', 'b'], greatest(name, 'm') from t",
]
#: since PostgreSQL 16
NEW_NUMBERS = "1_000_000"
#: what cannot be planned without a number: nor can pg_stat_statements' own text of it
NOT_WITHOUT_NUMBERS = "from generate_series(1, 12345)"


@pytest.fixture
def given(target_conn: psycopg.Connection[Any], target: Target) -> Target:
    target_conn.execute(SETUP.encode())
    return target


@pytest.mark.parametrize("mode", [ParameterMode.HASH, ParameterMode.DROP])
def test_masked_statements_are_planned(given: Target, mode: ParameterMode) -> None:
    mask = ValueMask(mode, b"salt")
    left_out = {NEW_NUMBERS} if given.major < 16 else set()
    left_out |= {NOT_WITHOUT_NUMBERS} if mode is ParameterMode.DROP else set()
    refused = []
    for text in TEXTS:
        if any(part in text for part in left_out):
            continue
        explain(given, text)
        masked = mask_text(text, mask).text
        try:
            explain(given, masked)
        except NotExplainable as exc:
            refused.append((masked, exc.message))
    assert refused == []


def estimated(target: Target, text: str) -> float:
    return float(explain(target, text)["Plan"]["Plan Rows"])


@pytest.mark.parametrize(
    "text",
    [
        "select * from t where id between 12345 and 12445",
        "select * from t where id < 12345 and total > 1000.5",
        "select * from t where day >= '2021-05-17' and day < '2021-06-17'",
        "select * from t where at > timestamp '2021-05-17 13:14:15'",
        "select * from t where big in (12345000, 12346000, 12347000)",
        "select * from t where day < date '2022-12-17' - interval '90' day",
    ],
)
def test_estimates_of_ranges_stay_about_right(given: Target, text: str) -> None:
    masked = mask_text(text, ValueMask(ParameterMode.HASH, b"salt")).text
    assert masked != text
    assert estimated(given, masked) == pytest.approx(estimated(given, text), rel=0.2, abs=5)


def test_a_common_value_is_found_again_by_its_hash(given: Target) -> None:
    mask = ValueMask(ParameterMode.HASH, b"salt")
    text = "select * from t where code = 'rare' and doc ->> 'kind' = 'k1' and name = 'name 77'"
    masked = mask_text(text, mask)
    catalog = fetch_catalog(given)
    known = {mask.hash_of(v): v for v in fetch_known_values(given, catalog.tables)}
    values = {n: known[v.hash] for n, v in masked.values.items() if v.hash in known}
    assert set(values.values()) == {"rare"}
    restored = with_values(masked.text, values)
    assert restored == "select * from t where code = 'rare' and doc ->> $1 = $2 and name = $3"
    only_code = "select * from t where code = {}"
    assert (
        estimated(given, only_code.format("'rare'"))
        < 1000
        < estimated(given, only_code.format("$1"))
    )


def test_constants_of_the_catalog_are_known_too(
    target_conn: psycopg.Connection[Any], target: Target
) -> None:
    target_conn.execute(
        """create table u (id int, doc jsonb, kind text) partition by list (kind);
           create table u_1 partition of u for values in ('first', 'it''s');
           create index on u ((doc ->> 'campaign'));
           create index on u (id) where kind = 'open' or kind in ('late', 'later')"""
    )
    catalog = fetch_catalog(target)
    assert fetch_known_values(target, catalog.tables) == {
        *("first", "it's", "campaign", "open", "late", "later")
    }


def test_values_that_our_role_may_not_see_are_not_known(
    given: Target, new_role: Callable[..., str]
) -> None:
    tables = fetch_catalog(given).tables
    with connect(new_role("pg_monitor")) as stranger:
        assert "common" not in fetch_known_values(stranger, tables)
    assert "common" in fetch_known_values(given, tables)
