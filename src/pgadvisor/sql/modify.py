"""INSERT, UPDATE, DELETE and MERGE: the table they change and the tables they read."""

from collections.abc import Callable
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.conditions import conjuncts
from pgadvisor.sql.joins import JoinCondition
from pgadvisor.sql.scopes import Relation, Scope
from pgadvisor.sql.walk import Walk

__all__ = ["walk_modify"]


def walk_modify(walk: Walk, node: Any, parent: Scope | None, name: str | None) -> None:
    """Walk one modifying statement; anything else is left alone."""
    step = _STEPS.get(type(node))
    if step is None:
        return
    before = walk.ctes
    walk.ctes = dict(before)
    walk.with_clause(node.withClause, parent)
    outer = parent.block if parent is not None else None
    command = type(node).__name__.removesuffix("Stmt").lower()
    scope = Scope(walk.recorder.open_block(command, outer, name), parent)
    target = walk.table(node.relation, scope.block, command)
    scope.relations.append(target)
    step(walk, node, target, scope)
    scope.relations += [Relation(row, is_qualified_only=True) for row in ("old", "new")]
    walk.visit(_returning(node), scope)
    walk.ctes = before


def _insert(walk: Walk, node: ast.InsertStmt, target: Relation, scope: Scope) -> None:
    columns = [str(column.name) for column in node.cols or ()]
    _assign(walk, target, columns or list(target.columns))
    # The source does not see the target.
    if isinstance(node.selectStmt, ast.SelectStmt):
        walk.select(node.selectStmt, Scope(scope.block, scope.parent))
    conflict = node.onConflictClause
    if conflict is not None:
        scope.relations.append(Relation("excluded", is_qualified_only=True))
        walk.visit(conflict.infer, scope)
        _update_targets(walk, conflict.targetList or (), target, scope)
        walk.visit(conflict.whereClause, scope)


def _update(walk: Walk, node: ast.UpdateStmt, target: Relation, scope: Scope) -> None:
    _needs_row(walk, target)
    joins = walk.from_items(node.fromClause or (), scope)
    walk.conditions(_condition(node.whereClause), joins, scope)
    _update_targets(walk, node.targetList or (), target, scope)


def _delete(walk: Walk, node: ast.DeleteStmt, target: Relation, scope: Scope) -> None:
    _needs_row(walk, target)
    joins = walk.from_items(node.usingClause or (), scope)
    walk.conditions(_condition(node.whereClause), joins, scope)


def _merge(walk: Walk, node: ast.MergeStmt, target: Relation, scope: Scope) -> None:
    """The target is joined to the source; with WHEN NOT MATCHED the source's rows are kept."""
    _needs_row(walk, target)
    walk.from_items((node.sourceRelation,), scope)
    clauses = node.mergeWhenClauses or ()
    inner = all(c.matchKind == enums.MergeMatchKind.MERGE_WHEN_MATCHED for c in clauses)
    join = ast.JoinExpr(
        jointype=enums.JoinType.JOIN_INNER if inner else enums.JoinType.JOIN_RIGHT,
        quals=node.joinCondition,
    )
    condition = JoinCondition.of(join, [target], scope.relations[1:])
    walk.conditions(None, [condition], scope)
    for clause in clauses:
        walk.visit((clause.condition, clause.values), scope)
        _update_targets(walk, clause.targetList or (), target, scope)


def _update_targets(walk: Walk, targets: Any, target: Relation, scope: Scope) -> None:
    _assign(walk, target, [str(item.name) for item in targets])
    # SET (a, b) = (SELECT ...) has its source once for each column.
    values = tuple(item.val for item in targets)
    walk.visit(tuple(v for v in values if getattr(v, "colno", 1) == 1), scope)


def _assign(walk: Walk, target: Relation, columns: list[str]) -> None:
    assert target.use is not None, "the target of a statement is a table"
    assigned = dict.fromkeys((*walk.recorder.uses[target.use].assigned, *columns))
    walk.recorder.describe_use(target.use, assigned=tuple(assigned))


def _needs_row(walk: Walk, target: Relation) -> None:
    """The row itself is fetched to be changed, so no index-only scan finds it."""
    assert target.use is not None, "the target of a statement is a table"
    walk.recorder.describe_use(target.use, uses_star=True)


def _condition(node: Any) -> Any:
    """WHERE CURRENT OF names a cursor, not a condition."""
    return None if any(isinstance(c, ast.CurrentOfExpr) for c in conjuncts(node)) else node


def _returning(node: Any) -> Any:
    clause = getattr(node, "returningClause", None)
    return clause.exprs if clause is not None else getattr(node, "returningList", None)


_STEPS: dict[type[Any], Callable[[Walk, Any, Relation, Scope], None]] = {
    ast.InsertStmt: _insert,
    ast.UpdateStmt: _update,
    ast.DeleteStmt: _delete,
    ast.MergeStmt: _merge,
}
