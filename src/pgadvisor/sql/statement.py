"""What kind of statement a text is: is it ours, may we explain it, does it only read."""

from collections.abc import Iterator
from enum import StrEnum

from pglast import ast, enums, parser

from pgadvisor.sql.parse import ParsedStatement, bounded_depth, parser_errors

__all__ = [
    "MARKER",
    "PLANNED_KINDS",
    "StatementKind",
    "is_explainable",
    "is_own",
    "is_read_only",
    "is_utility",
    "max_parameter",
    "statement_kind",
]

#: Every statement of ours on a target carries this comment. It stands before the final constant
#: or keyword, never alone at the end: pg_stat_statements keeps what is inside the statement.
MARKER = "/* pgadvisor */"


class StatementKind(StrEnum):
    """Kinds of statements, as far as somebody treats them differently."""

    SELECT = "select"
    VALUES = "values"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"
    SELECT_INTO = "select_into"
    COPY = "copy"
    CURSOR = "cursor"
    EXPLAIN = "explain"
    EXECUTE = "execute"
    CALL = "call"
    TRANSACTION = "transaction"
    SETTING = "setting"
    UTILITY = "utility"


_KINDS: dict[type[ast.Node], StatementKind] = {
    ast.InsertStmt: StatementKind.INSERT,
    ast.UpdateStmt: StatementKind.UPDATE,
    ast.DeleteStmt: StatementKind.DELETE,
    ast.MergeStmt: StatementKind.MERGE,
    ast.CopyStmt: StatementKind.COPY,
    ast.DeclareCursorStmt: StatementKind.CURSOR,
    ast.FetchStmt: StatementKind.CURSOR,
    ast.ClosePortalStmt: StatementKind.CURSOR,
    ast.ExplainStmt: StatementKind.EXPLAIN,
    ast.PrepareStmt: StatementKind.EXECUTE,
    ast.ExecuteStmt: StatementKind.EXECUTE,
    ast.DeallocateStmt: StatementKind.EXECUTE,
    ast.CallStmt: StatementKind.CALL,
    ast.DoStmt: StatementKind.CALL,
    ast.TransactionStmt: StatementKind.TRANSACTION,
    ast.VariableSetStmt: StatementKind.SETTING,
    ast.VariableShowStmt: StatementKind.SETTING,
}

#: The statements that PostgreSQL plans ("optimizable statements" of its documentation).
_PLANNED = frozenset(
    {
        StatementKind.SELECT,
        StatementKind.VALUES,
        StatementKind.INSERT,
        StatementKind.UPDATE,
        StatementKind.DELETE,
        StatementKind.MERGE,
    }
)
#: the same as a list: every other kind is a utility statement
PLANNED_KINDS = tuple(str(kind) for kind in StatementKind if kind in _PLANNED)
_WRITING = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def statement_kind(statement: ParsedStatement) -> StatementKind:
    """The kind of a statement.

    >>> from pgadvisor.sql import parse
    >>> statement_kind(parse("with x as (delete from t returning *) select * from x"))
    <StatementKind.SELECT: 'select'>
    """
    node = statement.node
    if isinstance(node, ast.SelectStmt):
        return _select_kind(node)
    return _KINDS.get(type(node), StatementKind.UTILITY)


def is_utility(statement: ParsedStatement) -> bool:
    """PostgreSQL runs it without a plan of its own: DDL, SET, COPY, CALL, cursors and so on."""
    return statement_kind(statement) not in _PLANNED


def is_explainable(statement: ParsedStatement) -> bool:
    """EXPLAIN without ANALYZE takes it and changes nothing: it has a plan."""
    return statement_kind(statement) in _PLANNED


def is_read_only(statement: ParsedStatement) -> bool:
    """A SELECT or VALUES that writes nothing and locks no rows, as far as its text shows.

    What functions do cannot be seen (nextval, pg_terminate_backend): run it in a READ ONLY
    transaction all the same. Raises `NotParsable` when it is nested too deeply to be read.

    >>> from pgadvisor.sql import parse
    >>> is_read_only(parse("select * from t"))
    True
    >>> is_read_only(parse("select * from t for update"))
    False
    """
    if statement_kind(statement) not in (StatementKind.SELECT, StatementKind.VALUES):
        return False
    with bounded_depth():
        return not any(_writes_or_locks(node) for node in _nodes(statement.node))


def is_own(text: str) -> bool:
    """The statement is one of ours.

    >>> is_own("select /* pgadvisor */ 1")
    True
    """
    return MARKER in text


def max_parameter(text: str) -> int:
    """The highest $n of a text, 0 when there is none. Raises `NotParsable` for unbalanced quotes.

    >>> max_parameter("select $2, '$9' -- $8")
    2
    """
    if "$" not in text:
        return 0
    with parser_errors(text):
        tokens = parser.scan(text)
    return max(
        (int(text[token.start + 1 : token.end + 1]) for token in tokens if token.name == "PARAM"),
        default=0,
    )


def _select_kind(node: ast.SelectStmt) -> StatementKind:
    if node.valuesLists and node.op == enums.SetOperation.SETOP_NONE:
        return StatementKind.VALUES
    # SELECT INTO stands in the leftmost arm of a set operation.
    leftmost = node
    while leftmost.larg is not None:
        leftmost = leftmost.larg
    return StatementKind.SELECT if leftmost.intoClause is None else StatementKind.SELECT_INTO


def _writes_or_locks(node: ast.Node) -> bool:
    if isinstance(node, _WRITING):
        return True
    return isinstance(node, ast.SelectStmt) and bool(node.lockingClause or node.intoClause)


def _nodes(value: object) -> Iterator[ast.Node]:
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, tuple):
            stack.extend(top)
        elif isinstance(top, ast.Node):
            yield top
            stack.extend(getattr(top, name) for name in top)
