"""What a statement does with each of its tables, of one query block after the other."""

from collections import Counter
from typing import Any

from pglast import ast

from pgadvisor.sql.modify import walk_modify
from pgadvisor.sql.parse import ParsedStatement, bounded_depth
from pgadvisor.sql.uses import References
from pgadvisor.sql.walk import ColumnsOf, Walk

__all__ = ["ColumnsOf", "references"]

#: utility statements that run a query
_WRAPPERS = (ast.DeclareCursorStmt, ast.CreateTableAsStmt, ast.ExplainStmt, ast.CopyStmt)


def references(statement: ParsedStatement, columns_of: ColumnsOf) -> References:
    """Tables, columns, predicates, joins and orderings that a statement uses.

    `columns_of(schema, table)` gives a table's columns, None for a table that is not known;
    the schema is None where the statement names none. Names that cannot be told without it are
    reported as unresolved, never guessed. DECLARE CURSOR, EXPLAIN, CREATE TABLE AS and COPY are
    read as the query they run; other utility statements have no references. Raises `NotParsable`
    when the statement is nested too deeply to be walked.

    >>> from pgadvisor.sql import parse
    >>> found = references(parse("select b from t where a = $1 order by b"), lambda s, t: "ab")
    >>> use = found.tables[0]
    >>> use.equalities[0].column, use.order_by[0].column, use.covering_columns
    ('a', 'b', ('a', 'b'))
    """
    node: Any = statement.node
    while isinstance(node, _WRAPPERS):
        node = node.query
    with bounded_depth():
        walk = Walk(columns_of, _mentions(node), walk_modify)
        if isinstance(node, ast.SelectStmt):
            walk.select(node, None)
        else:
            walk_modify(walk, node, None, None)
        return walk.recorder.references()


def _mentions(node: Any) -> Counter[str]:
    """How often each unqualified name stands in FROM: a CTE read twice is materialized."""
    found: Counter[str] = Counter()
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, tuple):
            stack.extend(top)
        elif isinstance(top, ast.RangeVar):
            found[top.relname or ""] += top.schemaname is None
        elif isinstance(top, ast.Node):
            stack.extend(getattr(top, name) for name in top)
    return found
