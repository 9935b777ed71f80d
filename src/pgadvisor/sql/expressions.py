"""Small questions about an expression: is it a bare column, what does it depend on, its text."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pglast import ast, enums
from pglast.stream import RawStream

from pgadvisor.sql.recorder import Recorder, column_names
from pgadvisor.sql.scopes import SYSTEM_COLUMNS, Found, Missing, Relation, Scope
from pgadvisor.sql.uses import Operand

__all__ = [
    "Dependencies",
    "bare_column",
    "dependencies",
    "direction",
    "function_name",
    "has_aggregate",
    "has_unstable_call",
    "is_null_constant",
    "nodes",
    "operand_kind",
    "output_name",
    "sql_of",
    "strip_casts",
    "unqualified_sql",
]

_LEAVES = (ast.A_Const, ast.ParamRef, ast.ColumnRef, ast.SelectStmt)
_MAX_VALUE = 500
#: pg_aggregate's of PostgreSQL 18 that people use; the tree does not tell them from functions
_AGGREGATE_NAMES = (
    "count sum avg min max any_value array_agg string_agg json_agg jsonb_agg json_object_agg"
    " jsonb_object_agg xmlagg bool_and bool_or every bit_and bit_or bit_xor stddev stddev_pop"
    " stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope regr_intercept"
    " regr_r2 regr_count range_agg range_intersect_agg mode percentile_cont percentile_disc"
    " json_arrayagg json_objectagg"
)
#: set-returning or volatile: a subquery that selects them is not pulled up
_UNSTABLE_NAMES = (
    "random nextval clock_timestamp gen_random_uuid uuid_generate_v4 setval generate_series unnest"
    " generate_subscripts regexp_matches regexp_split_to_table string_to_table json_each"
    " json_each_text jsonb_each jsonb_each_text json_array_elements json_array_elements_text"
    " jsonb_array_elements jsonb_array_elements_text json_object_keys jsonb_object_keys"
    " jsonb_path_query"
)
_AGGREGATES = frozenset(_AGGREGATE_NAMES.split())
_UNSTABLE = frozenset(_UNSTABLE_NAMES.split())


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What an expression needs to be known before it can be computed."""

    #: relations of the same query block
    own: frozenset[Relation]
    #: columns of `own` that stand in the expression itself, as the tables call them
    columns: tuple[str, ...]
    has_outer: bool
    has_sublink: bool
    is_resolved: bool


def nodes(value: Any) -> Iterator[ast.Node]:
    """All nodes of an expression, outermost first; subqueries are named but not entered."""
    if isinstance(value, tuple):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, ast.Node):
        yield value
        if isinstance(value, ast.SubLink):
            yield from nodes(value.testexpr)
        elif not isinstance(value, _LEAVES):
            for name in value:
                yield from nodes(getattr(value, name))


def bare_column(node: Any, scope: Scope) -> Found | None:
    """The column when the expression is nothing else; not for system columns."""
    if not isinstance(node, ast.ColumnRef):
        return None
    names = column_names(node)
    if not names or names[-1] == "*" or names[-1] in SYSTEM_COLUMNS:
        return None
    found = scope.find(names)
    if isinstance(found, Missing) or found.column is None:
        return None
    return found


def dependencies(node: Any, scope: Scope, recorder: Recorder) -> Dependencies:
    """What the expression depends on; subqueries must have been walked before."""
    relations: set[Relation] = set()
    columns: dict[str, None] = {}
    is_resolved, has_sublink = True, False
    for part in nodes(node):
        if isinstance(part, ast.SubLink):
            has_sublink = True
            relations |= recorder.sublinks[id(part)].outer
        elif isinstance(part, ast.SelectStmt):  # JSON_ARRAY(SELECT ...)
            is_resolved = False
        elif isinstance(part, ast.ColumnRef):
            names = column_names(part)
            found = scope.find(names) if names[-1] != "*" else Missing("a star is no column")
            if isinstance(found, Missing):
                is_resolved = False
                continue
            relations.add(found.relation)
            if not found.is_outer:
                columns.update((base.column, None) for base in found.output.bases)
    own = frozenset(relation for relation in relations if relation in scope.relations)
    return Dependencies(own, tuple(columns), len(own) < len(relations), has_sublink, is_resolved)


def operand_kind(node: Any, has_sublink: bool) -> Operand:
    """What an operand without columns is."""
    if has_sublink:
        return Operand.SUBQUERY
    inner = strip_casts(node)
    if isinstance(inner, ast.A_Const):
        return Operand.CONSTANT
    if isinstance(inner, ast.ParamRef):
        return Operand.PARAMETER
    return Operand.EXPRESSION


def strip_casts(node: Any) -> Any:
    """The expression under any casts."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return node


def function_name(node: ast.FuncCall) -> str:
    """The name of a called function without its schema."""
    return str(node.funcname[-1].sval) if node.funcname else ""


def sql_of(node: Any) -> str:
    """The expression as SQL; a value longer than anybody reads is cut with three dots."""
    text = RawStream()(node)
    return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "..."


def unqualified_sql(node: Any, scope: Scope) -> str:
    """The expression as SQL with the table's own, unqualified column names."""
    plain = copy.deepcopy(node)
    for part in nodes(plain):
        if isinstance(part, ast.ColumnRef):
            found = bare_column(part, scope)
            if found is not None and found.output.bases:
                part.fields = (ast.String(found.output.bases[0].column),)
    return RawStream()(plain)


def is_null_constant(node: Any) -> bool:
    """``= NULL`` is never true."""
    inner = strip_casts(node)
    return isinstance(inner, ast.A_Const) and bool(inner.isnull)


def direction(node: ast.SortBy) -> tuple[bool, bool]:
    """(descending, nulls first) of an ORDER BY item, with PostgreSQL's defaults."""
    descending = node.sortby_dir == enums.SortByDir.SORTBY_DESC
    if node.sortby_nulls == enums.SortByNulls.SORTBY_NULLS_DEFAULT:
        return descending, descending
    return descending, node.sortby_nulls == enums.SortByNulls.SORTBY_NULLS_FIRST


def has_aggregate(node: Any) -> bool:
    """An aggregate is called (not as a window function)."""
    return any(
        isinstance(part, ast.FuncCall) and part.over is None and _is_aggregate(part)
        for part in nodes(node)
    )


def has_unstable_call(node: Any) -> bool:
    """A function that returns a set or is volatile is called, as far as the name tells."""
    return any(
        isinstance(part, ast.FuncCall) and function_name(part) in _UNSTABLE for part in nodes(node)
    )


def _is_aggregate(call: ast.FuncCall) -> bool:
    has_syntax = call.agg_star or call.agg_distinct or call.agg_order or call.agg_filter
    return bool(has_syntax) or function_name(call) in _AGGREGATES


def output_name(target: Any) -> str:
    """The name of an output column: as given, or made up (FigureColname in parse_target.c)."""
    return target.name or _made_up_name(target.val)


def _made_up_name(node: Any) -> str:
    if isinstance(node, ast.ColumnRef):
        return column_names(node)[-1]
    if isinstance(node, ast.FuncCall):
        return function_name(node)
    if isinstance(node, ast.TypeCast):
        inner = _made_up_name(node.arg)
        names = node.typeName.names if node.typeName is not None else None
        return inner if inner != "?column?" or not names else str(names[-1].sval)
    if isinstance(node, ast.CoalesceExpr):
        return "coalesce"
    return "case" if isinstance(node, ast.CaseExpr) else "?column?"
