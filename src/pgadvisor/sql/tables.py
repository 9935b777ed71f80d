"""The tables that a statement names."""

from typing import Any

from pglast import ast

from pgadvisor.sql.parse import ParsedStatement
from pgadvisor.sql.references import references

__all__ = ["tables_of"]


def tables_of(statement: ParsedStatement) -> tuple[str, ...]:
    """The tables a statement reads or writes, as written, in alphabetical order.

    Schema-qualified where the text is; names of WITH queries are none. For a utility statement
    that runs no query, the relations it names. Raises `NotParsable` when the statement is nested
    too deeply to be walked.

    >>> from pgadvisor.sql import parse
    >>> tables_of(parse("with x as (select 1 from a.t) insert into u select * from x, v"))
    ('a.t', 'u', 'v')
    """
    named = {_name(use.schema, use.name) for use in references(statement, _unknown).tables}
    if not named:
        named = _relations(statement.node)
    return tuple(sorted(named))


def _unknown(_schema: str | None, _table: str) -> None:
    return None  # names alone are wanted, no catalog is needed for them


def _name(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name


def _relations(node: Any) -> set[str]:
    """Every relation named anywhere, for COPY, VACUUM, DDL and the like."""
    if isinstance(node, ast.SelectStmt | ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt):
        return set()
    found: set[str] = set()
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, tuple):
            stack.extend(top)
        elif isinstance(top, ast.RangeVar):
            found.add(_name(top.schemaname, top.relname or ""))
        elif isinstance(top, ast.Node):
            stack.extend(getattr(top, name) for name in top)
    return found
