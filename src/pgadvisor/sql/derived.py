"""What the columns of a subquery or CTE are, and how far conditions on them get down.

The rules are those of is_simple_subquery (prepjointree.c: what is pulled up) and
subquery_is_pushdown_safe with qual_is_pushdown_safe (allpaths.c: what is pushed down).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast

from pgadvisor.sql.expressions import (
    bare_column,
    has_aggregate,
    has_unstable_call,
    output_name,
)
from pgadvisor.sql.orderings import sort_target
from pgadvisor.sql.recorder import column_names
from pgadvisor.sql.scopes import Base, Output, Reach, Relation, Scope

__all__ = ["Select", "derived_outputs", "named_outputs", "static_names", "union_outputs"]

Outputs = tuple[tuple[str, Output], ...] | None


@dataclass(frozen=True, slots=True)
class Select:
    """The clauses of a SELECT that stand between its tables and its columns."""

    node: ast.SelectStmt
    windows: tuple[ast.WindowDef, ...]
    has_limit: bool
    has_grouping: bool
    has_distinct: bool
    is_simple: bool

    @classmethod
    def of(cls, node: ast.SelectStmt, windows: Sequence[ast.WindowDef]) -> "Select":
        """Read them off the tree."""
        has_limit = node.limitCount is not None or node.limitOffset is not None
        has_grouping = bool(node.groupClause or node.havingClause or has_aggregate(node.targetList))
        has_distinct = bool(node.distinctClause)
        barriers = (has_limit, has_grouping, has_distinct, windows, node.sortClause)
        is_simple = not any(barriers) and not node.lockingClause
        return cls(
            node=node,
            windows=tuple(windows),
            has_limit=has_limit,
            has_grouping=has_grouping,
            has_distinct=has_distinct,
            is_simple=is_simple and not has_unstable_call(node.targetList),
        )

    def block_fields(self) -> dict[str, bool]:
        """The fields of `Block`."""
        return {
            "has_limit": self.has_limit,
            "has_grouping": self.has_grouping,
            "has_distinct": self.has_distinct,
            "has_window": bool(self.windows),
        }


def derived_outputs(select: Select, scope: Scope) -> Outputs:
    """The output columns of a SELECT, None when a star hides which they are."""
    outputs: list[tuple[str, Output]] = []
    for target in select.node.targetList or ():
        if isinstance(target.val, ast.ColumnRef) and column_names(target.val)[-1:] == ["*"]:
            expanded = _star_outputs(column_names(target.val)[:-1], scope)
            if expanded is None:
                return None
            outputs += expanded
        else:
            outputs.append((output_name(target), _output_of(target.val, scope)))
    return tuple((name, _limited(output, select, scope)) for name, output in outputs)


def union_outputs(arms: Sequence[Outputs], *, is_pushed: bool) -> Outputs:
    """Columns of a set operation: names of the first arm, tables of all of them."""
    known = [arm for arm in arms if arm is not None]
    if not known or len(known) < len(arms):
        return None
    rows = []
    for index, (name, _) in enumerate(known[0]):
        column = [arm[index][1] for arm in known if index < len(arm)]
        reach = min(Reach.PUSHED, *(output.reach for output in column))
        bases = tuple(base for output in column for base in output.bases)
        rows.append((name, Output(bases, reach if is_pushed else Reach.NONE)))
    return tuple(rows)


def named_outputs(name: str, outputs: Outputs, aliases: Sequence[str], reach: Reach) -> Relation:
    """A relation of that name; `aliases` rename its columns from the left."""
    if outputs is None:
        return Relation(name, columns=dict.fromkeys(aliases, Output()))
    names = [*aliases, *(column for column, _ in outputs[len(aliases) :])]
    columns = {
        column: Output(output.bases, min(reach, output.reach))
        for column, (_, output) in zip(names, outputs, strict=False)
    }
    return Relation(name, columns=columns, is_complete=True)


def static_names(node: ast.SelectStmt) -> list[str]:
    """Output names of the first arm of a recursive query, which name those of its self reference.

    None at all when a star hides them.
    """
    while node.larg is not None:
        node = node.larg
    names = [output_name(target) for target in node.targetList or ()]
    return [] if "*" in names else names


def _star_outputs(qualifier: list[str], scope: Scope) -> list[tuple[str, Output]] | None:
    relations: Sequence[Relation] = scope.relations
    if qualifier:
        relations = [r for r in scope.relations if r.name == qualifier[-1]]
    if not all(relation.is_complete for relation in relations):
        return None
    found = [(name, output) for r in relations for name, output in r.columns.items()]
    # USING and NATURAL show a merged column once.
    unique = {name: output for name, output in reversed(found)}
    merged = {name: output for name, (_, output) in scope.merged.items()} if not qualifier else {}
    shown = dict.fromkeys(name for name, _ in found)
    return [(name, merged.get(name, unique[name])) for name in shown]


def _output_of(node: Any, scope: Scope) -> Output:
    column = bare_column(node, scope)
    return Output() if column is None or column.is_outer else column.output


def _limited(output: Output, select: Select, scope: Scope) -> Output:
    """What the clauses of the block leave of the reach of one column."""
    if select.is_simple or not output.bases:
        return output
    if select.has_limit or select.node.lockingClause or has_unstable_call(select.node.targetList):
        return Output(output.bases, Reach.NONE)
    reach = Reach.PUSHED if _is_transparent(output.bases, select, scope) else Reach.NONE
    return Output(output.bases, min(output.reach, reach))


def _is_transparent(bases: tuple[Base, ...], select: Select, scope: Scope) -> bool:
    """Filtering the column before or after the block's clauses is the same."""
    partitions = [list(window.partitionClause or ()) for window in select.windows]
    if select.has_grouping:
        partitions.append(list(select.node.groupClause or ()))
    distinct = select.node.distinctClause or ()
    if distinct and distinct != (None,):
        partitions.append(list(distinct))
    targets = select.node.targetList or ()
    return all(
        any(
            _output_of(sort_target(key, targets, scope, is_order=False), scope).bases == bases
            for key in keys
        )
        for keys in partitions
    )
