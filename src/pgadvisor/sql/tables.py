"""The tables that a statement names."""

from typing import Any

from pglast import ast

from pgadvisor.sql.parse import ParsedStatement

__all__ = ["tables_of"]

Names = frozenset[str]
_NONE: Names = frozenset()


def tables_of(statement: ParsedStatement) -> tuple[str, ...]:
    """The tables a statement reads, writes or defines, as written, in alphabetical order.

    Schema-qualified where the text is. The name of a WITH query is no table where it is in scope.

    >>> from pgadvisor.sql import parse
    >>> tables_of(parse("with x as (select 1 from a.t) insert into u select * from x, v"))
    ('a.t', 'u', 'v')
    >>> tables_of(parse("with orders as (select * from orders) select * from orders"))
    ('orders',)
    """
    found: set[str] = set()
    stack: list[tuple[Any, Names]] = [(statement.node, _NONE)]
    while stack:
        node, ctes = stack.pop()
        if isinstance(node, tuple):
            stack.extend((one, ctes) for one in node)
        elif isinstance(node, ast.RangeVar):
            if node.schemaname or node.relname not in ctes:
                found.add(_name(node))
        elif isinstance(node, ast.Node):
            stack.extend(_parts(node, ctes))
    return tuple(sorted(found))


def _name(relation: ast.RangeVar) -> str:
    schema, name = relation.schemaname, relation.relname or ""
    return f"{schema}.{name}" if schema else name


def _parts(node: ast.Node, ctes: Names) -> list[tuple[Any, Names]]:
    """What a node is made of, each with the WITH queries that it can name."""
    parts: list[tuple[Any, Names]] = []
    clause = getattr(node, "withClause", None)
    if clause is not None:
        queries = clause.ctes or ()
        every = ctes | {query.ctename for query in queries}
        seen = every if clause.recursive else ctes
        for query in queries:
            parts.append((query.ctequery, seen))
            seen |= {query.ctename}
        ctes = every
    for name in node:
        # what is written to is never a WITH query
        value = getattr(node, name)
        if isinstance(value, ast.Node | tuple) and name != "withClause":
            parts.append((value, _NONE if name == "relation" else ctes))
    return parts
