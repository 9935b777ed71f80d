"""Comparisons, pattern matches and null tests, each as facts about the tables they narrow."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.expressions import (
    Dependencies,
    bare_column,
    dependencies,
    is_null_constant,
    operand_kind,
    sql_of,
    strip_casts,
    unqualified_sql,
)
from pgadvisor.sql.recorder import Fact, Recorder
from pgadvisor.sql.scopes import SYSTEM_COLUMNS, Base, Found, Reach, Scope
from pgadvisor.sql.uses import (
    Disjunction,
    Equality,
    ExpressionPredicate,
    Join,
    NullTest,
    Operand,
    OtherPredicate,
    Pattern,
    Predicate,
    Range,
)

__all__ = [
    "BTREE_OPERATORS",
    "NEGATED",
    "between",
    "comparison",
    "either",
    "in_list",
    "null_test",
    "pattern",
    "row_comparison",
    "truth",
]

BTREE_OPERATORS = frozenset({"=", "<", "<=", ">", ">="})
NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
#: operators with the column on the right; what is not here is not turned round
_COMMUTED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "@>": "<@", "<@": "@>"}
_COMMUTED |= {"&&": "&&", "<>": "<>"}
_OPERATOR_WORDS = {
    enums.A_Expr_Kind.AEXPR_LIKE: "LIKE",
    enums.A_Expr_Kind.AEXPR_ILIKE: "ILIKE",
    enums.A_Expr_Kind.AEXPR_SIMILAR: "SIMILAR TO",
}
_REGEX_SPECIAL = re.compile(r"[\\.*+?()\[\]{}|^$]")


def comparison(
    operator: str,
    left: Any,
    right: Any,
    scope: Scope,
    recorder: Recorder,
    *,
    is_any: bool = False,
) -> list[Fact]:
    """``left operator right`` (or ``left = ANY (right)``), from both sides."""
    facts = _from_left(operator, left, right, scope, recorder, is_any)
    commuted = None if is_any else _COMMUTED.get(operator)
    if commuted is not None:
        facts += _from_left(commuted, right, left, scope, recorder, False)
    return facts


def in_list(left: Any, items: Any, scope: Scope, recorder: Recorder) -> list[Fact]:
    """``left IN (items)``; of rows it is an OR of ANDs (transformAExprIn in parse_expr.c)."""
    if isinstance(left, ast.RowExpr):
        rows = [item for item in items if isinstance(item, ast.RowExpr)]
        arms = [row_comparison("=", left, row, scope, recorder) for row in rows]
        return either(arms) if len(rows) == len(items) else []
    needed = dependencies(items, scope, recorder)
    if _is_join(needed) or not needed.is_resolved:
        return []
    kinds = {operand_kind(item, needed.has_sublink) for item in items}
    kind = kinds.pop() if len(kinds) == 1 else Operand.EXPRESSION
    column = bare_column(left, scope)
    if column is not None:
        equality = (
            Equality(column=base.column, operand=kind, value="", is_list=True, items=len(items))
            for base in _pushed(column)
        )
        return [Fact(base.use, fact) for base, fact in zip(_pushed(column), equality, strict=True)]
    return _expression("IN", left, kind, "", scope, recorder)


def between(left: Any, bounds: Any, scope: Scope, recorder: Recorder) -> list[Fact]:
    """``left BETWEEN a AND b``; with bounds of other tables it is two comparisons."""
    needed = dependencies(bounds, scope, recorder)
    column = bare_column(left, scope)
    if not needed.is_resolved:
        return []
    if _is_join(needed):
        low, high = bounds
        return [
            *comparison(">=", left, low, scope, recorder),
            *comparison("<=", left, high, scope, recorder),
        ]
    kind = operand_kind(bounds[0], needed.has_sublink)
    value = f"{sql_of(bounds[0])} AND {sql_of(bounds[1])}"
    if column is None:
        return _expression("BETWEEN", left, kind, value, scope, recorder)
    return [
        Fact(b.use, Range(column=b.column, operator="BETWEEN", operand=kind, value=value))
        for b in _pushed(column)
    ]


def row_comparison(
    operator: str, left: Any, right: Any, scope: Scope, recorder: Recorder
) -> list[Fact]:
    """``(a, b) = (c, d)`` is an AND; ``(a, b) > ($1, $2)`` is one range over both columns."""
    pairs = list(zip(left.args or (), right.args or (), strict=False))
    if operator == "=":
        return [f for one, two in pairs for f in comparison("=", one, two, scope, recorder)]
    if operator not in BTREE_OPERATORS:
        return []
    return _row_range(operator, left, right, scope, recorder) or _row_range(
        _COMMUTED[operator], right, left, scope, recorder
    )


def pattern(
    kind: Any, operator: str, left: Any, right: Any, scope: Scope, recorder: Recorder
) -> list[Fact]:
    """A pattern match on a column or an expression; the negated forms narrow nothing."""
    if operator.startswith("!"):
        return []
    needed = dependencies(right, scope, recorder)
    if _is_join(needed) or not needed.is_resolved:
        return []
    likes = {"~~": "LIKE", "~~*": "ILIKE"}
    word = _OPERATOR_WORDS.get(kind) or likes.get(operator, operator)
    operand = operand_kind(right, needed.has_sublink)
    column = bare_column(left, scope)
    if column is None:
        return _expression(word, left, operand, sql_of(right), scope, recorder)
    found = [
        Pattern(
            column=base.column,
            operator=word,
            operand=operand,
            value=sql_of(right),
            prefix=_constant_prefix(word, right),
        )
        for base in _pushed(column)
    ]
    return [Fact(base.use, fact) for base, fact in zip(_pushed(column), found, strict=True)]


def null_test(
    node: ast.NullTest, scope: Scope, recorder: Recorder, *, is_negated: bool
) -> list[Fact]:
    """IS NULL and IS NOT NULL."""
    is_null = (node.nulltesttype == enums.NullTestType.IS_NULL) is not is_negated
    column = bare_column(node.arg, scope)
    if column is None:
        word = "IS NULL" if is_null else "IS NOT NULL"
        return _expression(word, node.arg, Operand.CONSTANT, "", scope, recorder)
    return [
        Fact(base.use, NullTest(column=base.column, is_null=is_null)) for base in _pushed(column)
    ]


def truth(node: Any, value: bool, scope: Scope) -> list[Fact]:
    """A boolean column as a condition: the planner reads ``WHERE active`` as ``active = true``."""
    column = bare_column(node, scope)
    if column is None:
        return []
    text = "true" if value else "false"
    return [
        Fact(b.use, Equality(column=b.column, operand=Operand.CONSTANT, value=text))
        for b in _pushed(column)
    ]


def either(arms: Sequence[Sequence[Fact]]) -> list[Fact]:
    """Facts of an OR: what all arms say, and the tables that every arm restricts.

    As extract_restriction_or_clauses (orclauses.c) and find_duplicate_ors (prepqual.c) do.
    """
    common = set(arms[0]).intersection(*arms[1:])
    facts = [fact for fact in arms[0] if fact in common]
    for use in dict.fromkeys(fact.use for fact in arms[0]):
        predicates = tuple(_restrictions(arm, use) for arm in arms)
        if all(predicates):
            facts.append(Fact(use, Disjunction(arms=predicates)))
    return facts


def _restrictions(arm: Sequence[Fact], use: int) -> tuple[Any, ...]:
    """The arm's predicates on one table; an OR in the arm is not taken apart further."""
    return tuple(
        fact.value
        for fact in arm
        if fact.use == use and not isinstance(fact.value, Join | Disjunction)
    )


def _from_left(
    operator: str, left: Any, right: Any, scope: Scope, recorder: Recorder, is_any: bool
) -> list[Fact]:
    if is_null_constant(right):
        return []
    needed = dependencies(right, scope, recorder)
    column = bare_column(left, scope)
    if not needed.is_resolved or (column is not None and column.relation in needed.own):
        return []
    if _is_join(needed):
        return _join(operator, column, None if is_any else right, needed, scope)
    kind = operand_kind(right, needed.has_sublink)
    if column is None:
        return _expression(operator, left, kind, _value(right, is_any), scope, recorder)
    return [
        Fact(base.use, _predicate(operator, base.column, kind, right, is_any))
        for base in _pushed(column)
    ]


def _is_join(needed: Dependencies) -> bool:
    """The operand changes with the rows of another table."""
    return bool(needed.own) or (needed.has_outer and not needed.has_sublink)


def _predicate(operator: str, column: str, kind: Operand, right: Any, is_any: bool) -> Predicate:
    value = _value(right, is_any)
    if operator == "=":
        array = strip_casts(right)
        items = len(array.elements or ()) if isinstance(array, ast.A_ArrayExpr) else None
        return Equality(column=column, operand=kind, value=value, is_list=is_any, items=items)
    if operator in BTREE_OPERATORS:
        return Range(column=column, operator=operator, operand=kind, value=value)
    return OtherPredicate(column=column, operator=operator, operand=kind, value=value)


def _value(node: Any, is_any: bool) -> str:
    return "" if is_any or isinstance(strip_casts(node), ast.SubLink) else sql_of(node)


def _join(
    operator: str, column: Found | None, right: Any, needed: Dependencies, scope: Scope
) -> list[Fact]:
    """A condition with other tables; conditions on NONE or PUSHED outputs stay above them."""
    if operator not in BTREE_OPERATORS or column is None or column.is_outer:
        return []
    if column.output.reach != Reach.DIRECT:
        return []
    other = bare_column(right, scope)
    is_direct = other is not None and other.output.reach == Reach.DIRECT
    base = other.output.bases[0] if is_direct and other is not None else None
    return [
        Fact(
            own.use,
            Join(
                column=own.column,
                operator=operator,
                other=base.use if base else None,
                other_column=base.column if base else None,
                is_correlated=not needed.own,
            ),
        )
        for own in column.output.bases
    ]


def _row_range(
    operator: str, left: Any, right: Any, scope: Scope, recorder: Recorder
) -> list[Fact]:
    """All columns of one side that belong to the table of the first."""
    needed = dependencies(right.args, scope, recorder)
    columns = [bare_column(arg, scope) for arg in left.args or ()]
    if needed.own or not needed.is_resolved or not columns or None in columns:
        return []
    bases = [_direct_base(column) for column in columns if column is not None]
    first = bases[0]
    if first is None:
        return []
    same = takewhile(lambda base: base is not None and base.use == first.use, bases)
    row = [base.column for base in same if base is not None]
    kind = operand_kind(right.args[0], needed.has_sublink)
    found = Range(
        column=first.column,
        operator=operator,
        operand=kind,
        value=sql_of(right),
        row=tuple(row),
    )
    return [Fact(first.use, found)]


def _direct_base(column: Found) -> Base | None:
    bases = _pushed(column)
    return bases[0] if len(bases) == 1 else None


def _pushed(column: Found) -> tuple[Base, ...]:
    """The table columns that a comparison with a constant gets down to."""
    if column.is_outer or column.output.reach == Reach.NONE:
        return ()
    return column.output.bases


def _expression(
    operator: str, node: Any, kind: Operand, value: str, scope: Scope, recorder: Recorder
) -> list[Fact]:
    needed = dependencies(node, scope, recorder)
    use = _only_table(needed)
    if use is None:
        return []
    cast = node.arg if isinstance(node, ast.TypeCast) else None
    column = bare_column(cast, scope)
    found = ExpressionPredicate(
        expression=unqualified_sql(node, scope),
        columns=needed.columns,
        operator=operator,
        operand=kind,
        value=value,
        cast_column=column.output.bases[0].column if column is not None else None,
    )
    return [Fact(use, found)]


def _only_table(needed: Dependencies) -> int | None:
    if len(needed.own) != 1 or needed.has_outer or needed.has_sublink or not needed.is_resolved:
        return None
    (relation,) = needed.own
    is_indexable = needed.columns and SYSTEM_COLUMNS.isdisjoint(needed.columns)
    return relation.use if is_indexable else None


def _constant_prefix(word: str, node: Any) -> str | None:
    """What a matching text starts with, '' when it can start with anything, None if unknown."""
    inner = strip_casts(node)
    if isinstance(inner, ast.FuncCall) and word == "SIMILAR TO" and inner.args:
        inner = strip_casts(inner.args[0])
    if not isinstance(inner, ast.A_Const) or not isinstance(inner.val, ast.String):
        return None
    text = str(inner.val.sval)
    if word == "^@":
        return text
    if word in ("LIKE", "ILIKE"):
        return _like_prefix(text)
    if word == "SIMILAR TO":
        return re.split(r"[%_|*+?{}()\[\]\\]", text, maxsplit=1)[0] if "|" not in text else ""
    return _regex_prefix(text)


def _like_prefix(text: str) -> str:
    prefix: list[str] = []
    characters = iter(text)
    for character in characters:
        if character in "%_":
            break
        prefix.append(next(characters, "") if character == "\\" else character)
    return "".join(prefix)


def _regex_prefix(text: str) -> str:
    """Only the plain case ``^literal``: a quantifier takes the letter before it away."""
    if not text.startswith("^") or "|" in text:
        return ""
    special = _REGEX_SPECIAL.search(text, 1)
    if special is None:
        return text[1:]
    end = special.start() - (1 if special.group() in "*?{" else 0)
    return text[1 : max(1, end)]
