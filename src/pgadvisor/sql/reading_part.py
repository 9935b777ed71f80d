"""The SELECT that finds the rows an INSERT, UPDATE, DELETE or MERGE works on.

Its plan is what an index can change, and asking for it needs no right to write: EXPLAIN of an
UPDATE needs the UPDATE right, which a role that only watches should not have.
"""

from typing import Any

from pglast import ast
from pglast.enums import JoinType, LimitOption, SetOperation
from pglast.stream import RawStream

from pgadvisor.sql.parse import ParsedStatement, bounded_depth

__all__ = ["reading_part"]


def reading_part(statement: ParsedStatement) -> str | None:
    """The text of the SELECT; None for a statement that reads nothing, such as INSERT ... VALUES.

    A SELECT is its own reading part. The columns that UPDATE computes are kept, so that the
    SELECT needs the same columns of the table.

    >>> from pgadvisor.sql import parse
    >>> reading_part(parse("update t set a = b + 1 from u where t.id = u.id and u.c = $1"))
    'SELECT t.ctid, b + 1 FROM t, u WHERE t.id = u.id AND u.c = $1'
    >>> reading_part(parse("delete from only t where a = 5"))
    'SELECT t.ctid FROM ONLY t WHERE a = 5'
    """
    node: Any = statement.node
    with bounded_depth():
        if isinstance(node, ast.SelectStmt):
            return statement.text
        if isinstance(node, ast.InsertStmt):
            return _of_insert(node)
        if isinstance(node, ast.UpdateStmt):
            values = (target.val for target in node.targetList or ())
            computed = tuple(ast.ResTarget(val=val) for val in values if _is_read(val))
            return _select(node, node.fromClause, computed)
        if isinstance(node, ast.DeleteStmt):
            return _select(node, node.usingClause, ())
        if isinstance(node, ast.MergeStmt):
            return _of_merge(node)
    return None


def _of_merge(node: Any) -> str:
    matched = ast.JoinExpr(
        jointype=JoinType.JOIN_LEFT,
        larg=node.sourceRelation,
        rarg=node.relation,
        quals=node.joinCondition,
    )
    query = ast.SelectStmt(
        targetList=(ast.ResTarget(val=ast.ColumnRef(fields=(ast.A_Star(),))),),
        fromClause=(matched,),
        withClause=node.withClause,
        limitOption=LimitOption.LIMIT_OPTION_DEFAULT,
        op=SetOperation.SETOP_NONE,
    )
    return str(RawStream()(query))


def _of_insert(node: Any) -> str | None:
    query = node.selectStmt
    if query is None or query.valuesLists:
        return None
    if node.withClause and not query.withClause:
        query.withClause = node.withClause
    return str(RawStream()(query))


def _is_read(value: Any) -> bool:
    """False for DEFAULT, and for (a, b) = (SELECT ...), which is no expression of one column."""
    return not isinstance(value, ast.SetToDefault | ast.MultiAssignRef)


def _select(node: Any, others: Any, computed: tuple[Any, ...]) -> str:
    relation = node.relation
    name = relation.alias.aliasname if relation.alias else relation.relname
    row = ast.ColumnRef(fields=(ast.String(sval=name), ast.String(sval="ctid")))
    query = ast.SelectStmt(
        targetList=(ast.ResTarget(val=row), *computed),
        fromClause=(relation, *(others or ())),
        whereClause=node.whereClause,
        withClause=node.withClause,
        limitOption=LimitOption.LIMIT_OPTION_DEFAULT,
        op=SetOperation.SETOP_NONE,
    )
    return str(RawStream()(query))
