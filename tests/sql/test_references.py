"""What a statement does with each of its tables."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.sql import parse, references
from pgadvisor.sql.uses import (
    Equality,
    Join,
    NullTest,
    Operand,
    References,
    SortColumn,
    TableUse,
)

TABLES = {
    "t": ["id", "a", "b", "c", "d", "ts", "name"],
    "u": ["id", "tid", "x", "y", "z"],
    "v": ["id", "uid", "p", "q"],
}


def columns_of(schema: str | None, table: str) -> Sequence[str] | None:
    return TABLES.get(table)


def nothing_of(schema: str | None, table: str) -> Sequence[str] | None:
    return None


def find(text: str, known: Any = columns_of) -> References:
    return references(parse(text), known)


def use(text: str, name: str = "t") -> TableUse:
    found = [table for table in find(text).tables if table.name == name]
    assert len(found) == 1
    return found[0]


def equal(table: TableUse) -> list[tuple[str, str]]:
    return [(equality.column, equality.value) for equality in table.equalities]


def ranged(table: TableUse) -> list[tuple[str, str, str]]:
    return [(range_.column, range_.operator, range_.value) for range_ in table.ranges]


def joined(table: TableUse) -> list[tuple[str, int | None, str | None, bool, bool]]:
    return [
        (join.column, join.other, join.other_column, join.is_correlated, join.is_lookup)
        for join in table.joins
    ]


def is_quiet(table: TableUse) -> bool:
    """No predicate of any kind."""
    return not (
        table.equalities
        or table.ranges
        or table.patterns
        or table.null_tests
        or table.others
        or table.expressions
        or table.disjunctions
        or table.joins
    )


class TestPredicates:
    def test_equalities(self) -> None:
        table = use("select 1 from t where a = 1 and $1 = b and c in (1, 2) and d = any($2)")
        assert table.equalities == (
            Equality(column="a", operand=Operand.CONSTANT, value="1"),
            Equality(column="b", operand=Operand.PARAMETER, value="$1"),
            Equality(column="c", operand=Operand.CONSTANT, value="", is_list=True, items=2),
            Equality(column="d", operand=Operand.PARAMETER, value="", is_list=True),
        )

    def test_array_constructor_counts_items(self) -> None:
        table = use("select 1 from t where a = any(array[1, 2, 3]::int[])")
        assert table.equalities[0].items == 3

    def test_ranges_have_the_column_on_the_left(self) -> None:
        table = use("select 1 from t where 5 > a and b >= $1 and ts between $2 and now()")
        assert ranged(table) == [
            ("a", "<", "5"),
            ("b", ">=", "$1"),
            ("ts", "BETWEEN", "$2 AND now()"),
        ]

    def test_operands(self) -> None:
        table = use(
            "select 1 from t where a = $1::int and b = 1::int and ts > now() - interval '1 day'"
            " and c = (select max(x) from u)"
        )
        assert [e.operand for e in table.equalities] == ["parameter", "constant", "subquery"]
        assert table.ranges[0].operand == Operand.EXPRESSION

    def test_row_comparison_is_one_range(self) -> None:
        table = use("select 1 from t where (a, b) > ($1, $2)")
        assert [(r.column, r.operator, r.row) for r in table.ranges] == [("a", ">", ("a", "b"))]
        turned = use("select 1 from t where ($1, $2) < (a, b)")
        assert turned.ranges[0].operator == ">" and turned.ranges[0].row == ("a", "b")

    def test_row_equality_is_an_and(self) -> None:
        assert equal(use("select 1 from t where (a, b) = (1, $1)")) == [("a", "1"), ("b", "$1")]

    def test_null_tests(self) -> None:
        table = use("select 1 from t where a is null and b is not null and not (c is null)")
        assert table.null_tests == (
            NullTest(column="a", is_null=True),
            NullTest(column="b", is_null=False),
            NullTest(column="c", is_null=False),
        )

    def test_booleans(self) -> None:
        table = use("select 1 from t where a and not b and c is true and d is false")
        expected = [("a", "true"), ("b", "false"), ("c", "true"), ("d", "false")]
        assert equal(table) == expected

    @pytest.mark.parametrize(
        ("condition", "prefix"),
        [
            ("name like 'ab%'", "ab"),
            (r"name like 'a\%b_c'", "a%b"),
            ("name like '%ab'", ""),
            ("name like $1", None),
            ("name ilike 'ab%'", "ab"),
            ("name similar to 'ab%'", "ab"),
            ("name ~ '^abc'", "abc"),
            ("name ~ '^ab*'", "a"),
            ("name ~ '^(a|b)'", ""),
            ("name ~ 'abc'", ""),
            ("name ^@ 'a%'", "a%"),
            ("name like 'a%' escape '#'", None),
        ],
    )
    def test_patterns(self, condition: str, prefix: str | None) -> None:
        table = use(f"select 1 from t where {condition}")
        assert [(p.column, p.prefix) for p in table.patterns] == [("name", prefix)]
        assert not table.leading_columns

    def test_other_operators(self) -> None:
        table = use("select 1 from t where a <> 1 and b @> $1 and $2 <@ c")
        assert [(o.column, o.operator) for o in table.others] == [
            ("a", "<>"),
            ("b", "@>"),
            ("c", "@>"),
        ]
        assert not table.leading_columns

    @pytest.mark.parametrize(
        ("condition", "expression", "operator", "cast_column"),
        [
            ("lower(t.name) = $1", "lower(name)", "=", None),
            ("$1 > a + b", "a + b", "<", None),
            ("b::text = 'x'", "CAST(b AS text)", "=", "b"),
            ("date_trunc('day', x.ts) between $1 and $2", None, "BETWEEN", None),
            ("coalesce(a, 0) in (1, 2)", "COALESCE(a, 0)", "IN", None),
            ("(name || 'x') is null", "name || 'x'", "IS NULL", None),
            ("upper(name) like 'A%'", "upper(name)", "LIKE", None),
            ("d ->> 'k' = 'v'", "d ->> 'k'", "=", None),
        ],
    )
    def test_expressions_are_no_column_predicates(
        self, condition: str, expression: str | None, operator: str, cast_column: str | None
    ) -> None:
        alias = "x" if "x.ts" in condition else "t"
        table = use(f"select 1 from t as {alias} where {condition}")
        assert len(table.expressions) == 1
        found = table.expressions[0]
        assert expression in (None, found.expression)
        assert f"{alias}." not in found.expression
        assert (found.operator, found.cast_column) == (operator, cast_column)
        assert set(found.columns) <= set(TABLES["t"])
        assert not table.equalities and not table.ranges and not table.leading_columns

    @pytest.mark.parametrize(
        "condition",
        [
            "a = b",
            "a < a + 1",
            "a = null",
            "a not in (1, 2)",
            "a not between 1 and 2",
            "name not like 'a%'",
            "a is distinct from 1",
            "a = all(array[1, 2])",
            "not (a = 1)",
            "not (a = 1 and b = 2)",
            "case when a = 1 then true end",
            "a in (b, 1)",
            "a between symmetric 1 and 2",
            "(a, b) <> (1, 2)",
            "a is unknown",
            "ctid = '(0,1)'",
            "a = 1 or true",
            "a = (select max(x) from u where tid = t.id)",
            "id not in (select tid from u)",
            "a > all(select x from u)",
            "$1 = any(t.name)",
            "exists (select 1 from u)",
        ],
    )
    def test_stays_silent(self, condition: str) -> None:
        found = find(f"select 1 from t where {condition}")
        assert is_quiet(found.tables[0])
        assert not found.unresolved

    def test_negations_that_the_planner_turns_round(self) -> None:
        table = use("select 1 from t where not (a < 1) and not (b > 2 or c <= 3)")
        assert ranged(table) == [("a", ">=", "1"), ("b", "<=", "2"), ("c", ">", "3")]


class TestDisjunctions:
    def test_arms_are_not_anded(self) -> None:
        table = use("select 1 from t where a = 1 or b > 2 and c is null")
        assert not table.leading_columns
        (disjunction,) = table.disjunctions
        assert [[type(p).__name__ for p in arm] for arm in disjunction.arms] == [
            ["Equality"],
            ["Range", "NullTest"],
        ]
        assert disjunction.columns == {"a", "b", "c"}

    def test_rows_in_a_list(self) -> None:
        table = use("select 1 from t where (a, b) in ((1, 2), (3, 4))")
        assert not table.leading_columns
        assert table.disjunctions[0].columns == {"a", "b"} and len(table.disjunctions[0].arms) == 2
        assert equal(use("select 1 from t where (a, b) in ((1, 2), (3, 2))")) == [("b", "2")]

    def test_an_arm_about_nothing_spoils_it(self) -> None:
        assert is_quiet(use("select 1 from t where a = 1 or b <> c"))

    def test_common_part_is_anded(self) -> None:
        table = use("select 1 from t where (a = 1 and b = 2) or (c = 3 and a = 1)")
        assert equal(table) == [("a", "1")]

    def test_restricts_each_table_that_stands_in_every_arm(self) -> None:
        text = "select 1 from t, u where t.id = u.tid and (t.a = 1 and u.x = 1 or t.a = 2)"
        found = find(text)
        assert len(found.tables[0].disjunctions) == 1
        assert not found.tables[1].disjunctions
        assert found.tables[0].disjunctions[0].columns == {"a"}


class TestJoins:
    def test_both_sides_of_an_inner_join(self) -> None:
        for text in (
            "select 1 from t join u on u.tid = t.id",
            "select 1 from t, u where t.id = u.tid",
            "select 1 from t cross join u where t.id = u.tid",
        ):
            found = find(text)
            assert joined(found.tables[0]) == [("id", 1, "tid", False, True)]
            assert joined(found.tables[1]) == [("tid", 0, "id", False, True)]

    def test_outer_join_narrows_only_the_side_that_may_be_missing(self) -> None:
        text = "select 1 from t left join u on u.tid = t.id and u.x = 3 and t.a = 4"
        left, right = find(text).tables
        assert not left.equalities and equal(right) == [("x", "3")]
        assert joined(left) == [("id", 1, "tid", False, False)]
        assert joined(right) == [("tid", 0, "id", False, True)]
        assert right.is_nullable and not left.is_nullable
        mirrored = find("select 1 from u right join t on u.tid = t.id and u.x = 3 and t.a = 4")
        assert equal(mirrored.tables[0]) == [("x", "3")] and not mirrored.tables[1].equalities

    def test_full_join_narrows_nothing(self) -> None:
        left, right = find("select 1 from t full join u on u.tid = t.id and t.a = 1").tables
        assert not left.equalities
        assert [join.is_lookup for join in (*left.joins, *right.joins)] == [False, False]

    def test_a_strict_where_makes_an_outer_join_inner(self) -> None:
        text = "select 1 from t left join u on u.tid = t.id left join v on v.uid = u.id"
        left, middle, right = find(f"{text} where v.p = 1").tables
        assert not middle.is_nullable and not right.is_nullable
        assert all(join.is_lookup for table in (left, middle, right) for join in table.joins)
        left = find(f"{text} where v.p is null").tables[0]
        assert not left.joins[0].is_lookup

    @pytest.mark.parametrize(
        ("where", "is_inner"),
        [
            ("u.x <> 1", True),
            ("not (u.x = 1)", True),
            ("u.x = u.y", True),
            ("u.x + 1 > 2", True),
            ("lower(u.x) like 'a%'", True),
            ("u.x in (select p from v)", True),
            ("u.x = 1 or u.y = 2", True),
            ("u.x = 1 or t.a = 2", False),
            ("coalesce(u.x, 0) = 1", False),
            ("u.x is null", False),
            ("not (u.x is not null)", False),
            ("u.x is distinct from 1", False),
            ("not (u.x = 1 and t.a = 2)", False),
            ("u.x is null or u.x > 1", False),
            ("mine(u.x)", False),
        ],
    )
    def test_strictness(self, where: str, is_inner: bool) -> None:
        left, right = find(f"select 1 from t left join u on u.tid = t.id where {where}").tables[:2]
        assert left.joins[0].is_lookup is is_inner
        assert right.is_nullable is not is_inner

    def test_is_null_behind_an_outer_join_is_no_filter(self) -> None:
        text = "select 1 from t left join u on u.tid = t.id where u.id is null and t.a is null"
        left, right = find(text).tables
        assert left.null_tests and not right.null_tests

    def test_a_filter_inside_a_subquery_leaves_the_join_outer(self) -> None:
        text = "select 1 from t left join (select * from u where x = 1) s on s.tid = t.id"
        left, right = find(text).tables
        assert (left.name, right.name) == ("t", "u")
        assert not left.joins[0].is_lookup and right.joins[0].is_lookup

    def test_using(self) -> None:
        found = find("select id from t join u using (id) where id = 3")
        assert joined(found.tables[0]) == [("id", 1, "id", False, True)]
        assert found.tables[0].equalities and not found.unresolved
        assert "id" in found.tables[1].columns

    def test_using_with_unknown_tables(self) -> None:
        found = find("select 1 from m join n using (k)", nothing_of)
        assert joined(found.tables[0]) == [("k", 1, "k", False, True)]
        three = find("select 1 from m join n using (k) join o using (j)", nothing_of)
        assert [name.name for name in three.unresolved] == ["j"]

    def test_natural(self) -> None:
        found = find("select 1 from u natural join v")
        assert joined(found.tables[1]) == [("id", 0, "id", False, True)]
        assert find("select 1 from u natural join v", nothing_of).unresolved

    def test_join_with_an_expression(self) -> None:
        left, right = find("select 1 from t join u on u.tid = t.id + 1").tables
        assert joined(right) == [("tid", None, None, False, True)] and not left.joins

    def test_range_joins(self) -> None:
        left, right = find("select 1 from t join u on t.ts between u.x and u.y").tables
        assert [(j.operator, j.other_column) for j in left.joins] == [(">=", "x"), ("<=", "y")]
        assert [(j.operator, j.column) for j in right.joins] == [("<=", "x"), (">=", "y")]
        left, right = find("select 1 from t join u on t.a < u.x").tables
        assert left.joins[0].operator == "<" and right.joins[0].operator == ">"

    def test_self_join(self) -> None:
        found = find("select one.a from t one join t two on two.id = one.b where two.a = 1")
        assert [table.alias for table in found.tables] == ["one", "two"]
        assert joined(found.tables[0]) == [("b", 1, "id", False, True)]
        assert equal(found.tables[1]) == [("a", "1")] and not found.tables[0].equalities


class TestSubqueries:
    def test_exists_joins_from_either_side(self) -> None:
        outer, inner = find(
            "select 1 from t where exists (select * from u where u.tid = t.id and x = 1)"
        ).tables
        assert joined(outer) == [("id", 1, "tid", False, True)]
        assert joined(inner) == [("tid", 0, "id", True, True)]
        assert inner.covering_columns == ("tid", "x")

    def test_not_exists_looks_up_inside_only(self) -> None:
        outer, inner = find(
            "select 1 from t where not exists (select 1 from u where tid = t.id)"
        ).tables
        assert is_quiet(outer) and joined(inner) == [("tid", 0, "id", True, True)]

    def test_in_subquery(self) -> None:
        outer, inner = find("select 1 from t where id in (select tid from u where x = $1)").tables
        assert joined(outer) == [("id", 1, "tid", False, True)]
        assert joined(inner) == [("tid", 0, "id", True, True)]

    def test_in_subquery_with_rows(self) -> None:
        outer, _ = find("select 1 from t where (a, b) in (select x, y from u)").tables
        assert [(j.column, j.other_column) for j in outer.joins] == [("a", "x"), ("b", "y")]

    def test_correlated_in_subquery_is_no_join(self) -> None:
        outer, inner = find("select 1 from t where a in (select x from u where tid = t.id)").tables
        assert not outer.joins and joined(inner) == [("tid", 0, "id", True, True)]

    def test_in_grouped_subquery_has_no_inner_lookup(self) -> None:
        text = "select 1 from t where id in (select tid from u group by tid having count(*) > 1)"
        outer, inner = find(text).tables
        assert joined(outer) == [("id", None, None, False, True)] and not inner.joins

    def test_scalar_subquery_is_correlated(self) -> None:
        found = find("select (select max(x) from u where u.tid = t.id) from t order by 1")
        assert joined(found.tables[1]) == [("tid", 0, "id", True, True)]
        assert found.tables[1].extremes == ("x",)
        assert found.blocks[1].parent == 0

    def test_inner_scope_wins(self) -> None:
        found = find("select 1 from t where exists (select 1 from u where id = 5 and a = 1)")
        assert equal(found.tables[1]) == [("id", "5")]
        assert is_quiet(found.tables[0]) and found.tables[0].columns == ("a",)

    def test_lateral(self) -> None:
        text = (
            "select * from t, lateral (select * from u where u.tid = t.id"
            " order by y desc limit 1) l where l.x = 3"
        )
        inner = find(text).tables[1]
        assert joined(inner) == [("tid", 0, "id", True, True)]
        assert inner.order_by[0].descending and inner.has_limit and not inner.equalities

    def test_without_lateral_the_neighbours_are_not_seen(self) -> None:
        found = find("select * from t, (select 1 from u where a = 1) l")
        assert [name.name for name in found.unresolved] == ["a"]

    def test_simple_subqueries_are_pulled_up(self) -> None:
        text = "select * from (select id as k, a from t) s join u on u.tid = s.k where s.a = 3"
        found = find(f"{text} order by s.k")
        table = found.tables[0]
        assert equal(table) == [("a", "3")] and joined(table) == [("id", 1, "tid", False, True)]
        assert table.order_by == (SortColumn(column="id", expression="id"),)

    def test_grouping_lets_only_its_keys_through(self) -> None:
        text = "select * from (select a, b, count(*) n from t group by a, b) s where {} = 3"
        assert equal(use(text.format("s.a"))) == [("a", "3")]
        assert is_quiet(use(text.format("s.n")))
        joining = "select 1 from (select a, count(*) from t group by a) s join u on u.tid = s.a"
        grouped, plain = find(joining).tables
        assert not grouped.joins and joined(plain) == [("tid", None, None, False, True)]

    @pytest.mark.parametrize(
        ("body", "passes"),
        [
            ("select a from t limit 5", False),
            ("select a from t order by b", True),
            ("select distinct a from t", True),
            ("select distinct on (b) a from t", False),
            ("select distinct on (a) a from t", True),
            ("select a, rank() over (partition by a order by b) from t", True),
            ("select a, rank() over (order by b) from t", False),
            ("select a from t for update", False),
            ("select a, random() from t", False),
            ("select a from t union all select x from u", True),
            ("(select a from t limit 5) union all select x from u", False),
            ("select * from t", True),
        ],
    )
    def test_pushdown(self, body: str, passes: bool) -> None:
        table = use(f"select * from ({body}) s where a = 3")
        assert (equal(table) == [("a", "3")]) is passes

    def test_union_pushes_into_every_arm(self) -> None:
        found = find("select * from (select a from t union all select x from u) s where a = 3")
        assert [equal(table) for table in found.tables] == [[("a", "3")], [("x", "3")]]
        assert all(block.is_set_arm for block in found.blocks[1:])

    def test_column_aliases(self) -> None:
        assert equal(use("select * from t as s(k, l) where l = 1 and b = 2")) == [
            ("a", "1"),
            ("b", "2"),
        ]
        assert equal(use("select * from (select a, b from t) s(k) where k = 1")) == [("a", "1")]


class TestCtes:
    def test_read_once_is_inlined(self) -> None:
        assert equal(use("with s as (select * from t) select * from s where a = 1")) == [("a", "1")]

    @pytest.mark.parametrize(
        "text",
        [
            "with s as materialized (select * from t) select * from s where a = 1",
            "with s as (select * from t) select * from s, s r where s.a = 1",
            "with s as (delete from t returning *) select * from s where a = 1",
        ],
    )
    def test_materialized_is_a_fence(self, text: str) -> None:
        assert is_quiet(use(text))

    def test_not_materialized(self) -> None:
        text = "with s as not materialized (select a, b from t) select 1 from s, s r where {}"
        assert equal(use(text.format("s.a = 1 and r.b = 2"))) == [("a", "1"), ("b", "2")]

    def test_recursive(self) -> None:
        found = find(
            "with recursive r as (select id, a from t where a = 1 union all"
            " select t.id, t.a from t join r on r.id = t.b) select * from r where id > 3"
        )
        first, second = found.tables
        assert equal(first) == [("a", "1")] and not found.unresolved
        assert joined(second) == [("b", None, None, False, True)]
        assert not first.ranges

    def test_name_hides_the_table(self) -> None:
        found = find("with t as (select x as a from u) select 1 from t where a = 1")
        assert [table.name for table in found.tables] == ["u"]
        assert equal(found.tables[0]) == [("x", "1")]

    def test_schema_means_the_table(self) -> None:
        found = find("with t as (select 1) select 1 from public.t where a = 1")
        assert [(table.schema, table.name) for table in found.tables] == [("public", "t")]


class TestOrderings:
    def test_order_by(self) -> None:
        table = use("select a from t where b = 1 order by c desc, d nulls first limit 5")
        assert table.order_by == (
            SortColumn(column="c", expression="c", descending=True, nulls_first=True),
            SortColumn(column="d", expression="d", nulls_first=True),
        )
        assert table.is_order_complete and table.has_limit

    def test_names_and_ordinals(self) -> None:
        table = use("select a as b, lower(name), c from t order by 1, 2, b, t.b")
        assert [key.column for key in table.order_by] == ["a", None, "a", "b"]
        assert table.order_by[1].expression == "lower(name)"

    def test_output_name_without_alias_in_a_join(self) -> None:
        found = find("select t.id from t join u on u.tid = t.id order by id")
        assert found.tables[0].order_by[0].column == "id" and not found.unresolved

    def test_order_over_two_tables_is_incomplete(self) -> None:
        found = find("select 1 from t join u on u.tid = t.id order by t.a, u.x, t.b")
        assert [key.column for key in found.tables[0].order_by] == ["a"]
        assert not found.tables[0].is_order_complete and not found.tables[1].order_by

    @pytest.mark.parametrize(
        "text",
        [
            "select count(*) from t order by 1",
            "select *, a from t order by 3",
            "select a from t order by random()",
            "select a from t union select x from u order by 1",
        ],
    )
    def test_no_order_for_the_table(self, text: str) -> None:
        assert not use(text).order_by

    def test_group_by(self) -> None:
        table = use("select a as k, b, count(*) from t group by k, 2 having count(*) > 1")
        assert table.group_by == ("a", "b") and table.is_group_complete
        mixed = find("select 1 from t, u group by t.a, u.x").tables
        assert mixed[0].group_by == ("a",) and not mixed[0].is_group_complete
        assert not use("select 1 from t group by rollup (a)").is_group_complete

    def test_group_by_prefers_the_input_column(self) -> None:
        assert use("select lower(name) as a from t group by a, name").group_by == ("a", "name")

    def test_distinct(self) -> None:
        table = use("select distinct a, b from t")
        assert table.distinct == ("a", "b") and table.is_distinct_complete
        table = use("select distinct on (a) a, b from t order by a, b desc")
        assert table.distinct == ("a",) and len(table.order_by) == 2
        assert not use("select distinct * from t").is_distinct_complete

    def test_windows(self) -> None:
        table = use(
            "select rank() over (partition by a order by ts desc), sum(b) over w from t"
            " window w as (order by c)"
        )
        assert [[key.column for key in window] for window in table.windows] == [["a", "ts"], ["c"]]

    def test_extremes(self) -> None:
        assert use("select min(a), max(t.b)::text from t").extremes == ("a", "b")
        assert not use("select min(a) from t group by b").extremes
        assert not use("select min(a) over () from t").extremes


class TestColumns:
    def test_all_referenced_columns(self) -> None:
        table = use(
            "select sum(a) filter (where b > 1) from t where c = 1 group by d having max(ts) > $1"
        )
        assert set(table.columns) == {"a", "b", "c", "d", "ts"}
        assert table.covering_columns == table.columns

    @pytest.mark.parametrize(
        "text",
        [
            "select * from t",
            "select t.* from t",
            "select x from t x",
            "select row_to_json(x) from t x",
            "select count(x) from t x",
            "select public.t.* from public.t",
            "update t set a = 1",
            "delete from t",
        ],
    )
    def test_whole_row(self, text: str) -> None:
        assert use(text).uses_star and use(text).covering_columns is None

    @pytest.mark.parametrize(
        "text", ["select count(*) from t", "select 1 from t", "select exists (select * from t)"]
    )
    def test_no_column_at_all(self, text: str) -> None:
        assert use(text).covering_columns == ()

    def test_star_of_one_table(self) -> None:
        found = find("select u.*, t.a from t, u")
        assert [table.uses_star for table in found.tables] == [False, True]

    def test_qualified_by_schema(self) -> None:
        found = find("select s.t.a from s.t where s.t.b = 1")
        assert found.tables[0].schema == "s" and equal(found.tables[0]) == [("b", "1")]

    def test_alias_hides_the_name(self) -> None:
        found = find("select t.a from t x")
        assert found.unresolved[0].name == "t.a" and not found.tables[0].columns

    def test_functions_in_from(self) -> None:
        found = find("select a, n from t, generate_series(1, t.b) n where a = n")
        assert not found.unresolved
        assert joined(found.tables[0]) == [("a", None, None, False, True)]
        assert set(found.tables[0].columns) == {"a", "b"}


class TestUnknown:
    def test_the_only_table_is_sure(self) -> None:
        found = find("select b from m where a = 1", nothing_of)
        assert equal(found.tables[0]) == [("a", "1")] and not found.unresolved
        assert not found.tables[0].is_known

    def test_two_unknown_tables_are_not_guessed(self) -> None:
        found = find("select 1 from m, n where a = 1 and m.b = 2", nothing_of)
        assert [name.name for name in found.unresolved] == ["a"]
        assert equal(found.tables[0]) == [("b", "2")]
        assert all(table.covering_columns is None for table in found.tables)

    def test_a_known_table_claims_its_column(self) -> None:
        found = find("select 1 from t, m where a = 1 and k = 2")
        assert equal(found.tables[0]) == [("a", "1")]
        assert equal(found.tables[1]) == [("k", "2")]

    def test_an_outer_table_makes_it_unsure(self) -> None:
        found = find("select 1 from t where exists (select 1 from m where a = 1)")
        assert [name.reason for name in found.unresolved] == ["column a may be of m, t"]

    def test_stale_catalog(self) -> None:
        found = find("select nope, t.nada from t")
        assert [name.name for name in found.unresolved] == ["nope", "t.nada"]
        assert found.tables[0].covering_columns is None


class TestModifying:
    def test_update(self) -> None:
        text = "update t set a = u.x, b = 2 from u where u.tid = t.id and t.c = 5 returning t.d"
        target, source = find(text).tables
        assert target.command == "update" and target.assigned == ("a", "b")
        assert equal(target) == [("c", "5")]
        assert joined(target) == [("id", 1, "tid", False, True)]
        assert source.columns == ("tid", "x")

    def test_update_from_row_subquery(self) -> None:
        found = find("update t set (a, b) = (select x, y from u where u.tid = t.id) where c = 1")
        assert [table.name for table in found.tables] == ["t", "u"]
        assert found.tables[0].assigned == ("a", "b")

    def test_delete(self) -> None:
        target, source = find("delete from t using u where u.tid = t.id and u.x < $1").tables
        assert target.command == "delete" and target.joins
        assert ranged(source) == [("x", "<", "$1")]
        assert is_quiet(use("delete from t where current of c"))

    def test_insert_select_on_conflict(self) -> None:
        found = find(
            "insert into t (id, a) select id, x from u where y = 1"
            " on conflict (id) do update set b = excluded.b where t.c > 1 returning id, d"
        )
        target, source = found.tables
        assert target.command == "insert" and target.assigned == ("id", "a", "b")
        assert equal(source) == [("y", "1")] and not found.unresolved
        assert not target.equalities

    def test_merge(self) -> None:
        text = (
            "merge into t using u on t.id = u.tid when matched and u.x > 1 then update set a = u.y"
        )
        target, source = find(text).tables
        assert joined(target) == [("id", 1, "tid", False, True)] and target.assigned == ("a",)
        assert source.joins[0].is_lookup
        target, source = find(f"{text} when not matched then insert (id) values (u.tid)").tables
        assert target.joins[0].is_lookup and not source.joins[0].is_lookup
        assert target.assigned == ("a", "id")

    def test_modifying_cte(self) -> None:
        found = find(
            "with gone as (delete from t where a = 1 returning id)"
            " insert into u (tid) select id from gone"
        )
        assert [(table.name, table.command) for table in found.tables] == [
            ("t", "delete"),
            ("u", "insert"),
        ]
        assert equal(found.tables[0]) == [("a", "1")]


@pytest.mark.parametrize(
    "text",
    [
        "explain select 1 from t where a = 1",
        "declare c cursor for select 1 from t where a = 1",
        "create table n as select 1 from t where a = 1",
        "copy (select 1 from t where a = 1) to stdout",
    ],
)
def test_wrapped_queries(text: str) -> None:
    assert equal(use(text)) == [("a", "1")]


@pytest.mark.parametrize("text", ["vacuum t", "set a = 1", "create table t (a int)", "begin"])
def test_other_utility_statements_have_none(text: str) -> None:
    assert find(text) == References()


COLUMN = st.sampled_from(["t.a", "b", "u.x", "tid", "t.name", "v.p", "uid"])
OPERAND = st.sampled_from(["1", "$1", "null", "now()", "lower('x')", "(select max(q) from v)"])
ATOM = st.one_of(
    st.builds("{} {} {}".format, COLUMN, st.sampled_from(["=", "<", ">=", "<>", "@>"]), OPERAND),
    st.builds("{} = {}".format, COLUMN, COLUMN),
    st.builds("{} is {}null".format, COLUMN, st.sampled_from(["", "not "])),
    st.builds("{} in (1, {})".format, COLUMN, OPERAND),
    st.builds("{} in (select uid from v where v.id = t.id)".format, COLUMN),
    st.builds("exists (select 1 from v w where w.uid = {})".format, COLUMN),
    st.builds("lower({}) like 'a%'".format, COLUMN),
)
CONDITION = st.recursive(
    ATOM,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=8,
)
JOIN = st.sampled_from(["join", "left join", "right join", "full join"])


@given(CONDITION, CONDITION, JOIN, JOIN)
def test_what_is_reported_exists(where: str, on: str, one: str, two: str) -> None:
    text = f"select t.c from t {one} u on {on} {two} v on v.uid = u.id where {where} order by t.d"
    found = find(text)
    assert not found.unresolved
    assert [table.id for table in found.tables] == list(range(len(found.tables)))
    for table in found.tables:
        facts: list[Any] = [*table.equalities, *table.ranges, *table.null_tests]
        facts += [*table.joins, *table.others]
        assert {fact.column for fact in facts} <= set(table.columns) <= set(TABLES[table.name])
        for join in table.joins:
            _check_join(found, table, join)
    assert references(parse(text), columns_of) == found


def _check_join(found: References, table: TableUse, join: Join) -> None:
    if join.other is not None:
        other = found.tables[join.other]
        assert join.other_column in other.columns
        assert other.id != table.id
