"""A masked plan is the same plan without the values in its expressions."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgadvisor.plans import PARAMETERS, mask_explained, mask_plan, parse_plan, shape
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.sql import ValueMask, mask_expression

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))
HASH = partial(mask_expression, mask=ValueMask(ParameterMode.HASH, b"salt"))
DROP = partial(mask_expression, mask=ValueMask(ParameterMode.DROP, b"salt"))


def explained(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    one: dict[str, Any] = found[0] if isinstance(found, list) else found
    return one


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("mask", [HASH, DROP], ids=["hash", "drop"])
def test_shape_and_numbers_stay(path: Path, mask: Any) -> None:
    before = explained(path)
    after = {
        **mask_explained({k: v for k, v in before.items() if k != "Plan"}, mask),
        "Plan": mask_plan(before["Plan"], mask),
    }
    one, two = parse_plan(before), parse_plan(after)
    assert shape(one) == shape(two)
    for old, new in zip(one.walk(), two.walk(), strict=True):
        assert (old.total_cost, old.plan_rows, old.actual_rows, old.alias, old.subplan_name) == (
            new.total_cost, new.plan_rows, new.actual_rows, new.alias, new.subplan_name
        )  # fmt: skip


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_no_string_constant_stays(path: Path) -> None:
    masked = mask_plan(explained(path)["Plan"], DROP)
    found = [one for text in strings(masked) for one in re.findall("'(?:[^']|'')*'", text)]
    assert set(found) <= {"'***'"}


@pytest.mark.parametrize(
    ("expression", "masked"),
    [
        ("(id = 123456)", "(id = 120000)"),
        ("(id = 42)", "(id = 42)"),
        ("(t1.col2 = t2.col3456)", "(t1.col2 = t2.col3456)"),
        ("(\"Total 2024\" > '4711'::bigint)", "(\"Total 2024\" > '4700'::bigint)"),
        ("(d < '2024-05-17'::date)", "(d < '2024-05-01'::date)"),
        (
            "(at < '2024-05-17 13:14:15+00'::timestamp with time zone)",
            "(at < '2024-05-17 13:00:00+00'::timestamp with time zone)",
        ),
        ("(x = ANY ('{1234,2}'::integer[]))", "(x = ANY ('{1200,2}'::integer[]))"),
        ("((a)::character varying(255) = $1)", "((a)::character varying(255) = $1)"),
        ("(InitPlan 1234).col1", "(InitPlan 1234).col1"),
        ("(hashed SubPlan 1234)", "(hashed SubPlan 1234)"),
        ("(code = ''::text)", "(code = ''::text)"),
        ("(flag = 'true'::boolean)", "(flag = 'true'::boolean)"),
        ("date_trunc('month'::text, at)", "date_trunc('month'::text, at)"),
        ("(a = 'x'::text)", None),
    ],
)
def test_expressions(expression: str, masked: str | None) -> None:
    found = HASH(expression)
    if masked is None:
        assert re.search(r"'#[0-9a-f]{16}'::text", found)
    else:
        assert found == masked


def test_equal_values_stay_equal_and_arrays_keep_their_length() -> None:
    found = HASH("(a = ANY ('{Ann,\"O''Hara, B\",NULL,Ann}'::text[])) AND (b = 'Ann'::text)")
    one, two, none, again, alone = re.findall(r"#[0-9a-f]{16}|NULL", found)
    assert one == again == alone != two
    assert none == "NULL"
    assert HASH("(a = 'O''Hara, B'::text)") == f"(a = '{two}'::text)"


def test_parameters_are_left_out_and_settings_stay_readable() -> None:
    masked = mask_explained(
        {
            PARAMETERS: "$1 = 'secret'",
            "Settings": {"work_mem": "65536kB", "app.user": "'secret'", "search_path": '"$user"'},
            "Triggers": [{"Trigger Name": "audit_2024", "Relation": "t", "Time": 1.5, "Calls": 2}],
            "JIT": {"Functions": 4711, "Options": {"Inlining": True}},
        },
        DROP,
    )
    assert masked == {
        "Settings": {"work_mem": "65536kB", "app.user": "'***'", "search_path": '"$user"'},
        "Triggers": [{"Trigger Name": "audit_2024", "Relation": "t", "Time": 1.5, "Calls": 2}],
        "JIT": {"Functions": 4711, "Options": {"Inlining": True}},
    }


def test_what_nobody_knows_is_an_expression() -> None:
    plan = {
        "Node Type": "Foreign Scan",
        "Remote SQL": "SELECT id FROM t WHERE ((name = 'secret'))",
        "Some Extension": {"Key": ["'secret'", 3]},
        "Function Call": "f('secret'::text)",
        "Conflict Filter": "(name = 'secret'::text)",
        "Sampling Parameters": ["'12.5'::real"],
    }
    assert "secret" not in json.dumps(mask_plan(plan, HASH))


SETUP = """
create table t (id int primary key, name text, day date, kind text, tags text[]);
insert into t select g, 'secret ' || g, date '2024-01-01' + g % 500, 'secret' || g % 3, '{secret}'
from generate_series(1, 5000) g;
create index on t (kind);
create index on t (lower(name)) where kind <> 'secret9';
analyze t
"""
QUERIES = [
    "select * from t where kind = 'secret1' and name like 'secret 1%' or id in (1234, 2345)",
    "select case when name = 'secret' then 'secret' end from t where lower(name) = 'secret 7'"
    " and kind <> 'secret9'",
    "select * from t a join t b on a.name = b.kind || 'secret' where a.tags && '{secret,x}'",
    "select kind || 'secret', count(*) filter (where name > 'secret') from t group by 1 having"
    " max(name) <> 'secret' order by kind || 'secret' limit 4321",
    "with r as materialized (select * from t where kind = 'secret2') select * from r"
    " where name = (select max(name) from r where name < 'secret 5') and name not in"
    " (select name from t where kind = 'secret0')",
    "select * from unnest(array['secret', 'secret2']) u left join t on t.kind = u",
    "update t set name = 'secret' where kind = 'secret1' returning name || 'secret'",
    "insert into t (id, name) values (1, 'secret') on conflict (id) do update set name = 'secret'"
    " where t.kind = 'secret'",
    "select sum(id) over (partition by kind || 'secret' order by day range '3 days' preceding)"
    " from t tablesample bernoulli (12.5) where 'secret' = 'secret'",
]


@pytest.mark.parametrize("mask", [HASH, DROP], ids=["hash", "drop"])
def test_plans_of_a_server(target_conn: psycopg.Connection[Any], mask: Any) -> None:
    target_conn.execute(SETUP.encode())
    for query in QUERIES:
        text = f"explain (verbose, settings, format json) {query}"
        row = target_conn.execute(text.encode()).fetchone()
        assert row is not None
        plan = row[0][0]["Plan"]
        assert "secret" in json.dumps(plan)
        masked = mask_plan(plan, mask)
        assert "secret" not in json.dumps(masked)
        assert shape(parse_plan({"Plan": masked})) == shape(parse_plan({"Plan": plan}))
