"""SQL text to PostgreSQL's own syntax tree, or `NotParsable` with the position."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate

import pglast
from pglast import ast, parser

from pgadvisor.errors import NotParsable

__all__ = ["ParsedStatement", "bounded_depth", "parse", "parser_errors", "require_one"]

#: Longer texts are not SQL anybody tunes, and one byte of text costs about a hundred of tree.
MAX_TEXT_BYTES = 4 * 1024 * 1024
#: Below this no text can nest deeply enough to hurt: a level takes at least two characters.
_SHORT_TEXT = 2_000
#: Braces of the JSON tree, two a level. pglast builds its tree by unguarded recursion in C and
#: ends the process with SIGSEGV somewhere above 10,000 levels (8 MB of stack).
_MAX_BRACES = 2_000

_JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACES = bytes(byte for byte in range(256) if byte not in b"{}")

#: What PostgreSQL shows instead of a text (pgstat_get_backend_desc and friends).
_PLACEHOLDERS = {
    "<insufficient privilege>": "Run as superuser: GRANT pg_read_all_stats TO the monitoring role.",
    "<command string not enabled>": "Set track_activities = on on the server.",
    "<backend information not available>": "The backend ended while it was read; try again.",
    "<fastpath function call>": "The client called a function without SQL; there is no text.",
}
_CUT_OFF = ("at end of input", "unterminated ")
_CUT_OFF_HINT = (
    "Take the text from pg_stat_statements, which keeps it whole,"
    " or raise track_activity_query_size."
)


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement: its text and the tree that PostgreSQL 18's grammar gives for it."""

    text: str
    #: a node of pglast; modules outside `pgadvisor.sql` pass it on and do not look inside
    node: ast.Node = field(repr=False)


def parse(text: str, *, size_limit: int | None = None) -> ParsedStatement:
    """The tree of exactly one statement.

    `size_limit` is the size in bytes at which the source of the text cuts it (the target's
    track_activity_query_size): a text that reaches it is refused even where it happens to parse.

    Raises `NotParsable`, with the character position where the parser named one: for a syntax
    error, a cut-off or hidden text, no statement, several statements, or too deep a nesting.

    >>> type(parse("select 1;").node).__name__
    'SelectStmt'
    >>> parse("select 1 from")
    Traceback (most recent call last):
    pgadvisor.errors.NotParsable: text is cut off: syntax error at end of input
    """
    _check_text(text, size_limit=size_limit)
    with parser_errors(text):
        if len(text) > _SHORT_TEXT:
            _refuse_deep(text)
        statements = pglast.parse_sql(text)
    if len(statements) != 1:
        raise _not_one(len(statements), statements[1].stmt_location if statements else None)
    node = statements[0].stmt
    assert node is not None, "a RawStmt has a statement"
    return ParsedStatement(text, node)


def require_one(text: str) -> None:
    """Raise `NotParsable` unless the text is one statement; cheaper than `parse`, no tree."""
    _check_text(text)
    with parser_errors(text):
        slices = parser.split(text, only_slices=True)
    if len(slices) != 1:
        raise _not_one(len(slices), slices[1].start if slices else None)


def _check_text(text: str, *, size_limit: int | None = None) -> None:
    stripped = text.strip()
    if hint := _PLACEHOLDERS.get(stripped.lower()):
        raise NotParsable(f"the server hides the text: {stripped}", hint=hint)
    if "\0" in text:
        raise NotParsable(
            "text contains a zero byte",
            hint="PostgreSQL text never does; the source of the text is damaged.",
            position=text.index("\0"),
        )
    try:
        size = len(text.encode())
    except UnicodeEncodeError as exc:
        raise NotParsable(
            "text is not valid Unicode",
            hint="Read it with the encoding of its database.",
            position=exc.start,
        ) from exc
    if size > MAX_TEXT_BYTES:
        raise NotParsable(
            f"text has {size} bytes, more than the {MAX_TEXT_BYTES} that are parsed",
            hint="Pass long lists as one array parameter: = ANY($1).",
        )
    # The server clips at a character boundary, so up to three bytes may be missing.
    if size_limit is not None and size >= size_limit - 4:
        raise NotParsable(
            f"text is cut off at {size} bytes", hint=_CUT_OFF_HINT, position=len(text)
        )


@contextmanager
def bounded_depth() -> Iterator[None]:
    """Turn the interpreter's recursion limit into `NotParsable`, for code that walks a tree."""
    try:
        yield
    except RecursionError as exc:
        raise _too_deep() from exc


@contextmanager
def parser_errors(text: str) -> Iterator[None]:
    """Turn the errors of pglast's functions on `text` into `NotParsable`."""
    try:
        with bounded_depth():
            yield
    except pglast.Error as exc:
        raise _refused(text, exc) from exc


def _refused(text: str, exc: Exception) -> NotParsable:
    message = str(exc.args[0]) if exc.args else "syntax error"
    position = exc.args[1] if len(exc.args) > 1 else None
    if message.startswith(("stack depth limit", "memory exhausted")):
        return _too_deep(position)
    if any(sign in message for sign in _CUT_OFF):
        position = len(text) if position is None else position
        return NotParsable(f"text is cut off: {message}", hint=_CUT_OFF_HINT, position=position)
    return NotParsable(
        message, hint="Check the text; the grammar is that of PostgreSQL 18.", position=position
    )


def _too_deep(position: int | None = None) -> NotParsable:
    return NotParsable(
        "statement is nested too deeply",
        hint="Rewrite long chains of operators, joins or set operations as lists.",
        position=position,
    )


def _not_one(count: int, position: int | None) -> NotParsable:
    if not count:
        return NotParsable("text has no statement", hint="Pass one SQL statement.")
    hint = "Pass one statement at a time."
    return NotParsable(f"text has {count} statements", hint=hint, position=position)


def _refuse_deep(text: str) -> None:
    tree = _JSON_STRING.sub(b"", parser.parse_sql_json(text).encode())
    braces = tree.translate(None, _NOT_BRACES)
    depth = accumulate(1 if brace == 0x7B else -1 for brace in braces)
    if max(depth, default=0) > _MAX_BRACES:
        raise _too_deep()
