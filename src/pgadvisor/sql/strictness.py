"""Conditions that no row of NULLs passes: they turn an outer join below them into an inner one.

The rules of find_nonnullable_rels (clauses.c). Operators are taken to be strict, as all built-in
comparison and arithmetic operators are; of functions only those named here.
"""

from typing import Any

from pglast import ast, enums

from pgadvisor.sql.expressions import function_name
from pgadvisor.sql.recorder import column_names
from pgadvisor.sql.scopes import Missing, Reach, Scope

__all__ = ["strict_uses"]

_NONE: frozenset[int] = frozenset()
_KIND = enums.A_Expr_Kind
_STRICT_KINDS = frozenset(
    {
        _KIND.AEXPR_OP,
        _KIND.AEXPR_OP_ANY,
        _KIND.AEXPR_IN,
        _KIND.AEXPR_LIKE,
        _KIND.AEXPR_ILIKE,
        _KIND.AEXPR_SIMILAR,
        _KIND.AEXPR_BETWEEN,
        _KIND.AEXPR_NOT_BETWEEN,
    }
)
_STRICT_FUNCTIONS = frozenset(
    {"abs", "btrim", "ceil", "date_part", "date_trunc", "extract", "floor", "length"}
    | {"lower", "round", "substring", "timezone", "to_char", "to_date", "upper"}
)


def strict_uses(node: Any, scope: Scope, *, is_top: bool = True) -> frozenset[int]:
    """Table uses that must have a row for the condition to be true."""
    if isinstance(node, ast.BoolExpr):
        return _of_boolean(node, scope, is_top)
    if isinstance(node, ast.NullTest):
        is_filter = is_top and node.nulltesttype == enums.NullTestType.IS_NOT_NULL
        return _of_value(node.arg, scope) if is_filter else _NONE
    if isinstance(node, ast.SubLink):
        is_in = is_top and node.subLinkType == enums.SubLinkType.ANY_SUBLINK
        return _of_value(node.testexpr, scope) if is_in else _NONE
    return _of_value(node, scope)


def _of_boolean(node: ast.BoolExpr, scope: Scope, is_top: bool) -> frozenset[int]:
    args = node.args or ()
    if node.boolop == enums.BoolExprType.NOT_EXPR:
        return strict_uses(args[0], scope, is_top=False)
    parts = [strict_uses(arg, scope, is_top=is_top) for arg in args]
    if is_top and node.boolop == enums.BoolExprType.AND_EXPR:
        return _NONE.union(*parts)
    # Under NOT a NULL beside a false is enough for true, so all parts must be strict.
    return parts[0].intersection(*parts[1:])


def _of_value(node: Any, scope: Scope) -> frozenset[int]:
    """Table uses whose NULLs make the expression NULL."""
    if isinstance(node, ast.ColumnRef):
        return _of_column(node, scope)
    if isinstance(node, ast.TypeCast | ast.CollateClause):
        return _of_value(node.arg, scope)
    if isinstance(node, ast.A_Expr):
        return _of_operator(node, scope)
    if isinstance(node, ast.FuncCall) and function_name(node) in _STRICT_FUNCTIONS:
        return _NONE.union(*(_of_value(arg, scope) for arg in node.args or ()))
    return _NONE


def _of_operator(node: ast.A_Expr, scope: Scope) -> frozenset[int]:
    if node.kind not in _STRICT_KINDS:
        return _NONE
    operands = [node.lexpr, node.rexpr] if node.kind == _KIND.AEXPR_OP else [node.lexpr]
    return _NONE.union(*(_of_value(operand, scope) for operand in operands))


def _of_column(node: ast.ColumnRef, scope: Scope) -> frozenset[int]:
    found = scope.find(column_names(node))
    if isinstance(found, Missing) or found.is_outer or found.output.reach != Reach.DIRECT:
        return _NONE
    return frozenset(base.use for base in found.output.bases)
