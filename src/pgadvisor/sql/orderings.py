"""ORDER BY, GROUP BY, DISTINCT and windows: orders that an index could deliver without a Sort."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast

from pgadvisor.sql.expressions import (
    bare_column,
    dependencies,
    direction,
    function_name,
    has_aggregate,
    output_name,
    strip_casts,
    unqualified_sql,
)
from pgadvisor.sql.recorder import Recorder, column_names
from pgadvisor.sql.scopes import Missing, Reach, Scope
from pgadvisor.sql.uses import SortColumn

__all__ = ["record_orderings", "sort_target"]


@dataclass(frozen=True, slots=True)
class _Key:
    """A sort key and the only table it is about, None when that is not one table."""

    use: int | None
    column: SortColumn


def record_orderings(
    node: ast.SelectStmt, windows: Sequence[ast.WindowDef], scope: Scope, recorder: Recorder
) -> None:
    """Note the orders that a SELECT asks its tables for."""
    targets: tuple[Any, ...] = node.targetList or ()
    _record_order_by(node.sortClause or (), targets, scope, recorder)
    _record_columns("group", node.groupClause or (), targets, scope, recorder)
    distinct = node.distinctClause or ()
    if distinct == (None,):
        distinct = tuple(target.val for target in targets)
    _record_columns("distinct", distinct, targets, scope, recorder)
    for window in windows:
        _record_window(window, scope, recorder)
    if not node.groupClause:
        _record_extremes(targets, scope, recorder)


def sort_target(node: Any, targets: Sequence[Any], scope: Scope, *, is_order: bool) -> Any:
    """The expression that an item of ORDER BY or GROUP BY means: an ordinal, a name, itself.

    In ORDER BY an output name wins over an input column, in GROUP BY the other way round
    (findTargetlistEntrySQL92 in parse_clause.c). None for an ordinal behind a star.
    """
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.Integer):
        return _by_position(int(node.val.ival or 0), targets)
    if not isinstance(node, ast.ColumnRef) or len(node.fields or ()) != 1:
        return node
    name = column_names(node)[0]
    named = next((target.val for target in targets if output_name(target) == name), None)
    if named is None or (not is_order and not isinstance(scope.find([name]), Missing)):
        return node
    return named


def _by_position(position: int, targets: Sequence[Any]) -> Any:
    before = targets[:position]
    if len(before) < position or any(_is_star(target.val) for target in before):
        return None
    return before[-1].val


def _is_star(node: Any) -> bool:
    return isinstance(node, ast.ColumnRef) and column_names(node)[-1:] == ["*"]


def _record_order_by(
    items: Sequence[Any], targets: Sequence[Any], scope: Scope, recorder: Recorder
) -> None:
    keys = [
        _key(sort_target(item.node, targets, scope, is_order=True), item, scope, recorder)
        for item in items
    ]
    run = _leading_run(keys)
    if run and run[0].use is not None:
        recorder.describe_use(
            run[0].use,
            order_by=tuple(key.column for key in run),
            is_order_complete=len(run) == len(keys),
        )


def _leading_run(keys: Sequence[_Key]) -> list[_Key]:
    run: list[_Key] = []
    for key in keys:
        if key.use is None or key.use != keys[0].use:
            break
        run.append(key)
    return run


def _record_columns(
    what: str, items: Sequence[Any], targets: Sequence[Any], scope: Scope, recorder: Recorder
) -> None:
    by_use: dict[int, list[str]] = {}
    for item in items:
        node = sort_target(item, targets, scope, is_order=False)
        key = _key(node, None, scope, recorder)
        if key.use is not None and key.column.column is not None:
            by_use.setdefault(key.use, []).append(key.column.column)
    clause = "group_by" if what == "group" else "distinct"
    for use, columns in by_use.items():
        changes: dict[str, Any] = {
            clause: tuple(dict.fromkeys(columns)),
            f"is_{what}_complete": len(columns) == len(items),
        }
        recorder.describe_use(use, **changes)


def _record_window(window: ast.WindowDef, scope: Scope, recorder: Recorder) -> None:
    keys = [_key(node, None, scope, recorder) for node in window.partitionClause or ()]
    keys += [_key(item.node, item, scope, recorder) for item in window.orderClause or ()]
    if keys and len(_leading_run(keys)) == len(keys) and keys[0].use is not None:
        order = tuple(key.column for key in keys)
        windows = recorder.uses[keys[0].use].windows
        if order not in windows:
            recorder.describe_use(keys[0].use, windows=(*windows, order))


def _record_extremes(targets: Sequence[Any], scope: Scope, recorder: Recorder) -> None:
    for target in targets:
        call = strip_casts(target.val)
        if not isinstance(call, ast.FuncCall) or function_name(call) not in ("min", "max"):
            continue
        column = bare_column((call.args or (None,))[0], scope)
        if call.over is not None or column is None or column.output.reach != Reach.DIRECT:
            continue
        for base in column.output.bases[:1]:
            extremes = dict.fromkeys((*recorder.uses[base.use].extremes, base.column))
            recorder.describe_use(base.use, extremes=tuple(extremes))


def _key(node: Any, item: ast.SortBy | None, scope: Scope, recorder: Recorder) -> _Key:
    descending, nulls_first = direction(item) if item is not None else (False, False)
    column = bare_column(node, scope)
    if column is not None:
        bases = column.output.bases
        if column.is_outer or column.output.reach != Reach.DIRECT or len(bases) != 1:
            return _Key(None, SortColumn(column=None, expression=""))
        use: int | None = bases[0].use
        name: str | None = bases[0].column
        expression = bases[0].column
    else:
        use, name, expression = _expression_of(node, scope, recorder)
    return _Key(
        use,
        SortColumn(
            column=name, expression=expression, descending=descending, nulls_first=nulls_first
        ),
    )


def _expression_of(node: Any, scope: Scope, recorder: Recorder) -> tuple[int | None, None, str]:
    if node is None or isinstance(node, ast.GroupingSet) or has_aggregate(node):
        return None, None, ""
    needed = dependencies(node, scope, recorder)
    if len(needed.own) != 1 or needed.has_outer or needed.has_sublink or not needed.is_resolved:
        return None, None, ""
    (relation,) = needed.own
    if relation.use is None or not needed.columns:
        return None, None, ""
    return relation.use, None, unqualified_sql(node, scope)
