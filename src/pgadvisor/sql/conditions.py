"""From a condition to the predicates an index could serve.

`conjuncts` takes an AND-ed condition apart, `classify` says what one part means for each table.
What it does not understand it leaves out: a predicate that is not reported costs a candidate,
one that is reported wrongly costs the user an index.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.comparisons import (
    NEGATED,
    between,
    comparison,
    either,
    in_list,
    null_test,
    pattern,
    row_comparison,
    truth,
)
from pgadvisor.sql.expressions import bare_column
from pgadvisor.sql.recorder import Fact, Recorder
from pgadvisor.sql.scopes import Base, Found, Reach, Scope
from pgadvisor.sql.uses import Join, NullTest

__all__ = ["Side", "classify", "conjuncts", "record"]

_KIND = enums.A_Expr_Kind
_LIKE_KINDS = frozenset({_KIND.AEXPR_LIKE, _KIND.AEXPR_ILIKE, _KIND.AEXPR_SIMILAR})


@dataclass(frozen=True, slots=True)
class Side:
    """Which tables a condition can narrow: an outer join's ON does not narrow the kept side."""

    #: table uses the condition does not filter
    kept: frozenset[int] = field(default_factory=frozenset)
    #: table uses that may be missing: IS NULL on them is a test for that, not a filter
    nullable: frozenset[int] = field(default_factory=frozenset)


def record(node: Any, scope: Scope, recorder: Recorder, side: Side) -> list[Fact]:
    """Note what an AND-ed condition means for the tables; the facts that were noted."""
    raw = [fact for part in conjuncts(node) for fact in classify(part, scope, recorder)]
    facts = [seen for fact in raw if (seen := _seen_from(fact, side)) is not None]
    recorder.add(facts)
    return facts


def conjuncts(node: Any) -> Iterator[Any]:
    """The parts of an AND, however nested; nothing for no condition."""
    if node is None:
        return
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.AND_EXPR:
        for arg in node.args or ():
            yield from conjuncts(arg)
    else:
        yield node


def classify(node: Any, scope: Scope, recorder: Recorder) -> list[Fact]:
    """What one condition means; empty when no index could serve it."""
    classifier = _CLASSIFIERS.get(type(node))
    return classifier(node, scope, recorder) if classifier else []


def _seen_from(fact: Fact, side: Side) -> Fact | None:
    value = fact.value
    if isinstance(value, Join):
        return _kept_join(fact, value) if fact.use in side.kept else fact
    if fact.use in side.kept:
        return None
    if isinstance(value, NullTest) and value.is_null and fact.use in side.nullable:
        return None
    return fact


def _kept_join(fact: Fact, join: Join) -> Fact:
    kept = Join(
        column=join.column,
        operator=join.operator,
        other=join.other,
        other_column=join.other_column,
        is_correlated=join.is_correlated,
        is_lookup=False,
    )
    return Fact(fact.use, kept)


def _operator(node: ast.A_Expr, scope: Scope, recorder: Recorder) -> list[Fact]:
    name = str(node.name[-1].sval) if node.name else ""
    left, right = node.lexpr, node.rexpr
    if left is None or right is None:
        return []
    if node.kind == _KIND.AEXPR_OP:
        return _plain_operator(name, left, right, scope, recorder)
    if node.kind == _KIND.AEXPR_IN:
        return in_list(left, right, scope, recorder) if name == "=" else []
    if node.kind == _KIND.AEXPR_OP_ANY:
        return comparison(name, left, right, scope, recorder, is_any=True) if name == "=" else []
    if node.kind == _KIND.AEXPR_BETWEEN:
        return between(left, right, scope, recorder)
    if node.kind in _LIKE_KINDS:
        return pattern(node.kind, name, left, right, scope, recorder)
    return []


def _plain_operator(
    name: str, left: Any, right: Any, scope: Scope, recorder: Recorder
) -> list[Fact]:
    if isinstance(left, ast.RowExpr) and isinstance(right, ast.RowExpr):
        return row_comparison(name, left, right, scope, recorder)
    if name in ("~", "~*", "^@", "~~", "~~*"):
        return pattern(None, name, left, right, scope, recorder)
    return comparison(name, left, right, scope, recorder)


def _boolean(node: ast.BoolExpr, scope: Scope, recorder: Recorder) -> list[Fact]:
    args = node.args or ()
    if node.boolop == enums.BoolExprType.OR_EXPR:
        return _disjunction(args, scope, recorder)
    if node.boolop == enums.BoolExprType.NOT_EXPR:
        return _negation(args[0], scope, recorder)
    return [fact for arg in args for fact in classify(arg, scope, recorder)]


def _negation(node: Any, scope: Scope, recorder: Recorder) -> list[Fact]:
    """What the planner's negate_clause (prepqual.c) makes usable."""
    if isinstance(node, ast.ColumnRef):
        return truth(node, False, scope)
    if isinstance(node, ast.NullTest):
        return null_test(node, scope, recorder, is_negated=True)
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.NOT_EXPR:
        return classify((node.args or ())[0], scope, recorder)
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.OR_EXPR:
        return [fact for arg in node.args or () for fact in _negation(arg, scope, recorder)]
    if isinstance(node, ast.A_Expr) and node.kind == _KIND.AEXPR_OP and node.name:
        name = NEGATED.get(str(node.name[-1].sval))
        is_row = isinstance(node.lexpr, ast.RowExpr)
        if name and node.lexpr is not None and not is_row:
            return comparison(name, node.lexpr, node.rexpr, scope, recorder)
    return []


def _disjunction(args: Any, scope: Scope, recorder: Recorder) -> list[Fact]:
    parts = [list(conjuncts(arg)) for arg in args]
    return either([[f for p in arm for f in classify(p, scope, recorder)] for arm in parts])


def _boolean_test(node: ast.BooleanTest, scope: Scope, recorder: Recorder) -> list[Fact]:
    kinds = {enums.BoolTestType.IS_TRUE: True, enums.BoolTestType.IS_FALSE: False}
    value = kinds.get(node.booltesttype) if node.booltesttype is not None else None
    return [] if value is None else truth(node.arg, value, scope)


def _column(node: ast.ColumnRef, scope: Scope, recorder: Recorder) -> list[Fact]:
    return truth(node, True, scope)


def _null_test(node: ast.NullTest, scope: Scope, recorder: Recorder) -> list[Fact]:
    return null_test(node, scope, recorder, is_negated=False)


def _sublink(node: ast.SubLink, scope: Scope, recorder: Recorder) -> list[Fact]:
    if node.subLinkType == enums.SubLinkType.EXISTS_SUBLINK:
        return _semi_join(node, scope, recorder)
    if node.subLinkType == enums.SubLinkType.ANY_SUBLINK:
        name = str(node.operName[-1].sval) if node.operName else "="
        return _in_subquery(node, scope, recorder) if name == "=" else []
    return []


def _semi_join(node: ast.SubLink, scope: Scope, recorder: Recorder) -> list[Fact]:
    """EXISTS joins from either side: the correlated equalities, seen from the outer table."""
    own = {relation.use for relation in scope.relations}
    found: list[Fact] = []
    for fact in recorder.sublinks[id(node)].facts:
        join = fact.value
        if recorder.blocks[recorder.uses[fact.use].block].has_grouping:
            continue
        if not isinstance(join, Join) or recorder.enclosing_block(fact.use) != scope.block:
            continue
        if join.operator == "=" and join.other is not None and join.other in own:
            assert join.other_column is not None, "a join with a table names its column"
            found.append(_joined(Base(join.other, join.other_column), fact.use, join.column))
    return found


def _in_subquery(node: ast.SubLink, scope: Scope, recorder: Recorder) -> list[Fact]:
    """A semi-join, but not of a correlated subquery before PostgreSQL 17."""
    if recorder.sublinks[id(node)].outer:
        return []
    left = node.testexpr
    tests = left.args or () if isinstance(left, ast.RowExpr) else (left,)
    found: list[Fact] = []
    for test, output in zip(tests, recorder.sublinks[id(node)].outputs, strict=False):
        column = bare_column(test, scope)
        outer = _direct(column)
        inner = output.bases[0] if output.reach == Reach.DIRECT and output.bases else None
        if inner is not None and column is not None:
            other = outer or Base(-1, "")
            found.append(_joined(inner, other.use, other.column, is_correlated=True))
        if outer is not None and column is not None and not column.is_outer:
            other = inner or Base(-1, "")
            found.append(_joined(outer, other.use, other.column))
    return found


def _direct(found: Found | None) -> Base | None:
    if found is None or found.output.reach != Reach.DIRECT or not found.output.bases:
        return None
    return found.output.bases[0]


def _joined(base: Base, other: int, column: str, *, is_correlated: bool = False) -> Fact:
    join = Join(
        column=base.column,
        operator="=",
        other=other if other >= 0 else None,
        other_column=column or None,
        is_correlated=is_correlated,
    )
    return Fact(base.use, join)


_Classifier = Callable[[Any, Scope, Recorder], list[Fact]]
_CLASSIFIERS: dict[type[Any], _Classifier] = {
    ast.A_Expr: _operator,
    ast.BoolExpr: _boolean,
    ast.BooleanTest: _boolean_test,
    ast.ColumnRef: _column,
    ast.NullTest: _null_test,
    ast.SubLink: _sublink,
}
