"""A plan for a query, from the target's planner. Nothing is ever executed.

One statement, a kind that has a plan, no ANALYZE, in a READ ONLY transaction of a few seconds
that is rolled back. What the planner itself evaluates does run: it folds immutable functions
into constants and asks stable ones for estimates, also those that users wrote; volatile ones it
leaves alone. In a READ ONLY transaction those cannot write tables.

A normalized text (``$1``) gets its generic plan: with GENERIC_PLAN from PostgreSQL 16 on, before
that with PREPARE, plan_cache_mode = force_generic_plan and EXPLAIN EXECUTE of NULLs. Generic
plans do not see which partition or partial index a value would pick.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from pgadvisor.collect.deadline import Conn
from pgadvisor.collect.failures import quoted, statement_failure
from pgadvisor.collect.target import Target
from pgadvisor.collect.typed_literals import mended
from pgadvisor.errors import AdvisorError, NotExplainable, NotParsable, UnsafeStatement
from pgadvisor.sql import (
    MARKER,
    is_explainable,
    mask_message,
    max_parameter,
    parse,
    statement_kind,
)

__all__ = ["EXPLAIN_TIMEOUT", "explain"]

#: planning takes milliseconds; what takes this long hurts the server
EXPLAIN_TIMEOUT = timedelta(seconds=5)
_PREPARED = "pgadvisor_explain"
_GENERIC_PLAN_SINCE = 16
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Explainable(NamedTuple):
    """A text that was found safe to explain."""

    text: str
    #: how many parameters it has: the highest $n
    parameters: int


def explain(
    target: Target,
    query: str,
    *,
    generic: bool = True,
    search_path: Sequence[str] = (),
    verbose: bool = False,
) -> Mapping[str, Any]:
    """EXPLAIN's JSON object for one statement: key "Plan", and "Settings" and others if any.

    ``generic`` False refuses texts with ``$n``. ``search_path`` replaces our role's own.
    ``verbose`` adds schemas and output columns to the nodes, and qualifies names in conditions.

    Raises `UnsafeStatement` for anything but one statement that has a plan, `NotExplainable` with
    the reason where the planner gives none.
    """
    checked = _checked(query)
    if checked.parameters and not generic:
        raise NotExplainable(
            "the text has parameters without values",
            hint="Ask for its generic plan, or take a text with constants from the logs.",
        )
    options = "(FORMAT JSON, VERBOSE)" if verbose else "(FORMAT JSON)"
    with _translated(target.role), _transaction(target.conn, search_path):
        return _explain(target.conn, target.major, checked, options)


@lru_cache(maxsize=2048)
def _checked(query: str) -> Explainable:
    """The text as it can be sent: parsed by PostgreSQL's own parser, one statement, with a plan."""
    try:
        parameters = max_parameter(query)
        text = mended(query) if parameters else query
        statement = parse(text)
    except NotParsable as exc:
        message = f"it is not one statement we can parse: {mask_message(exc.message)}"
        raise NotExplainable(message, hint=exc.hint) from exc
    if not is_explainable(statement):
        kind = statement_kind(statement).value.replace("_", " ")
        raise UnsafeStatement(
            f"a statement of kind {kind} is not sent to the target",
            hint="Plans exist for SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE.",
        )
    return Explainable(text.strip().rstrip(";"), parameters)


def _explain(conn: Conn, major: int, checked: Explainable, options: str) -> Mapping[str, Any]:
    if not checked.parameters:
        # The extended protocol takes one statement only, whatever the text holds.
        return _plan(conn, f"EXPLAIN {MARKER} {options} {checked.text}", extended=True)
    if major >= _GENERIC_PLAN_SINCE:
        # The simple protocol: the extended one would ask us for the parameters' values.
        generic = options.replace("(", "(GENERIC_PLAN, ")
        return _plan(conn, f"EXPLAIN {MARKER} {generic} {checked.text}", extended=False)
    with _prepared(conn, checked.text):
        nulls = ", ".join(["NULL"] * checked.parameters)
        execute = f"EXPLAIN {MARKER} {options} EXECUTE {_PREPARED}({nulls})"
        return _plan(conn, execute, extended=True)


def _plan(conn: Conn, statement: str, *, extended: bool) -> Mapping[str, Any]:
    with conn.cursor(binary=extended) as cursor:
        # bytes: the text is the user's, so it is no LiteralString; _checked vouches for it
        cursor.execute(statement.encode())
        row = cursor.fetchone()
    assert row is not None  # EXPLAIN (FORMAT JSON) has one row with a list of one object
    explained: Mapping[str, Any] = row[0][0]
    return explained


@contextmanager
def _transaction(conn: Conn, search_path: Sequence[str]) -> Iterator[None]:
    """A READ ONLY transaction with settings of its own, rolled back in any case.

    standard_conforming_strings as in our parser: else a backslash could hide a second statement.
    """
    timeout = round(EXPLAIN_TIMEOUT.total_seconds() * 1000)
    begin = sql.SQL(
        "BEGIN READ ONLY; SET LOCAL standard_conforming_strings = on;"
        " SET LOCAL statement_timeout = {timeout}; SET LOCAL lock_timeout = 1000;"
        " SET LOCAL plan_cache_mode = force_generic_plan"
    ).format(timeout=sql.Literal(timeout))
    if search_path:
        names = sql.SQL(", ").join(map(sql.Identifier, search_path))
        begin += sql.SQL("; SET LOCAL search_path = {}").format(names)
    conn.execute(begin)
    try:
        yield
    finally:
        # IDLE: already rolled back, or the connection is lost (UNKNOWN)
        if conn.info.transaction_status in _OPEN:
            conn.execute("ROLLBACK")


@contextmanager
def _prepared(conn: Conn, text: str) -> Iterator[None]:
    """A prepared statement within the open transaction, gone afterwards.

    Rolling back does not remove it, and a failed transaction takes no DEALLOCATE: one message
    does both, so that behind a proxy the same backend gets both.
    """
    conn.execute(f"PREPARE {MARKER} {_PREPARED} AS {text}".encode(), binary=True)
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute(f"ROLLBACK; DEALLOCATE {_PREPARED}".encode())


@contextmanager
def _translated(role: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as exc:
        failure = _refusal(exc, role) or statement_failure(exc, role=role)
        if failure is None:
            message = mask_message(exc.diag.message_primary or str(exc))
            failure = NotExplainable(f"the planner refuses it: {message}", hint=_GENERAL_HINT)
        raise failure from exc


_GENERAL_HINT = "Try EXPLAIN with this text in psql, as the role and with the search_path it uses."
_PATH_HINT = (
    "It may live in another schema (set the search_path the application uses), be a temporary "
    "table of its session, have been dropped since, or belong to another database."
)
# Read in order: subclasses of one SQLSTATE each, with the reason in words and what to do.
_REFUSALS: tuple[tuple[type[psycopg.Error] | tuple[type[psycopg.Error], ...], str, str], ...] = (
    (
        (errors.IndeterminateDatatype, errors.AmbiguousFunction, errors.AmbiguousParameter),
        "the types of its parameters cannot be inferred",
        "Cast the parameters in the application's text, or log plans with auto_explain.",
    ),
    (errors.UndefinedTable, "a table it uses is not visible to us", _PATH_HINT),
    (errors.InvalidSchemaName, "a schema it uses does not exist", _PATH_HINT),
    (errors.UndefinedColumn, "a column it uses does not exist (any more)", _PATH_HINT),
    (
        (errors.UndefinedFunction, errors.UndefinedObject),
        "a function, operator or type it uses does not fit its arguments",
        "With parameters the types are guessed as unknown; else set the search_path.",
    ),
    (
        errors.InsufficientPrivilege,
        "our role may not read what it uses",
        "As a superuser run: GRANT pg_read_all_data TO {role}; (before PostgreSQL 14: GRANT "
        "SELECT ON ALL TABLES IN SCHEMA ... TO {role};). Even to be explained, INSERT, UPDATE and "
        "DELETE need the right to do it.",
    ),
    (
        (errors.GroupingError, errors.InvalidColumnReference),
        "normalizing gave equal constants different parameters, so that expressions in its "
        "GROUP BY, DISTINCT or ORDER BY no longer match",
        "Log plans with auto_explain: of its texts more can be planned.",
    ),
    (
        (errors.SyntaxError, errors.FeatureNotSupported),
        "the server does not take this syntax with parameters or in this version",
        "Log plans with auto_explain: of its texts more can be planned.",
    ),
    (
        errors.QueryCanceled,
        "planning it took longer than {seconds} s",
        "Look at partition counts and join_collapse_limit; the server may also be overloaded.",
    ),
    (
        errors.LockNotAvailable,
        "a table it uses is locked exclusively",
        "Try again when the lock is gone.",
    ),
)


def _refusal(exc: psycopg.Error, role: str) -> AdvisorError | None:
    for kinds, reason, hint in _REFUSALS:
        if isinstance(exc, kinds):
            words = {"seconds": round(EXPLAIN_TIMEOUT.total_seconds()), "role": quoted(role)}
            message = mask_message(exc.diag.message_primary or str(exc))
            return NotExplainable(f"{reason.format(**words)}: {message}", hint=hint.format(**words))
    return None
