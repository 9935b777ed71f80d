"""Statements that the server logged for their duration. Source: check_log_duration in postgres.c.

With log_statement the text comes first, in a line of its own, and then "duration: 5.000 ms" alone.
"""

import re
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta

from pgadvisor.collect.logs.entry import Entry
from pgadvisor.collect.logs.instant import instant
from pgadvisor.collect.logs.languages import PREPARED
from pgadvisor.collect.logs.storable import queryid, storable, storable_name
from pgadvisor.records.log import LoggedStatement, LogSkip
from pgadvisor.sql import is_own

__all__ = ["Started", "logged_statement", "parameters"]

#: one of errdetail_params: NULL, or a value between quotes that are doubled inside
_PARAMETER = re.compile(r"\$(\d{1,5}) = (?:NULL|'((?:[^']++|'')*+)')(?:, |(?=\s|\Z))")
#: "Parameters: " in any language
_LONGEST_LEAD = 40
_EXECUTE = re.compile(r"\s*execute\s[^;]*;?\s*\Z", re.IGNORECASE)

_MOST_PIDS = 1_000
_MOST_CHARACTERS = 32 * 1024 * 1024
#: between a statement's begin and its line in the log it is parsed; log lines queue for a lock
_SLACK = timedelta(seconds=0.1)


class Started:
    """Statements of log_statement whose duration has not come yet: the last one of each process.

    What is logged as it begins and has no duration when the reading ends gives no record, and
    neither does a duration whose statement was read by an earlier reader.
    """

    def __init__(self) -> None:
        self._statements: OrderedDict[int, LoggedStatement] = OrderedDict()
        self._characters = 0

    def add(self, statement: LoggedStatement) -> None:
        """Remember a statement until its duration comes, or the next one of its process."""
        if statement.pid is None:
            return
        self._pop(statement.pid)
        self._statements[statement.pid] = statement
        self._characters += len(statement.query)
        while len(self._statements) > _MOST_PIDS or self._characters > _MOST_CHARACTERS:
            self._pop(next(iter(self._statements)))

    def finish(
        self, entry: Entry, ended_at: datetime, duration_ms: float
    ) -> LoggedStatement | None:
        """The statement that a duration is of; None when it was not seen.

        A statement that failed has no duration. The next one's is not its own: it began later.
        """
        found = self._pop(entry.pid) if entry.pid is not None else None
        if found is None or found.database != entry.database:
            return None
        began_at = ended_at - timedelta(milliseconds=duration_ms)
        # %t of log_line_prefix cuts the fraction of a second off
        slack = _SLACK if "." in entry.logged_at else timedelta(seconds=1) + _SLACK
        if abs(began_at - found.logged_at) > slack:
            return None
        own = queryid(entry.queryid)
        return replace(
            found, logged_at=ended_at, duration_ms=duration_ms, queryid=own or found.queryid
        )

    def _pop(self, pid: int) -> LoggedStatement | None:
        found = self._statements.pop(pid, None)
        if found is not None:
            self._characters -= len(found.query)
        return found


def logged_statement(
    entry: Entry, duration_ms: float | None, query: str | None, started: Started, log_timezone: str
) -> LoggedStatement | LogSkip | None:
    """The execution that an entry tells of; None when it only began.

    The duration is None as long as a statement runs, the query when there is a duration alone.
    Raises `LogUnreadable` when `log_timezone` is needed and not known on this machine.
    """
    if query is not None and duration_ms is not None and is_own(query):
        return LogSkip.OWN_STATEMENT
    logged_at = instant(entry.logged_at, log_timezone)
    if logged_at is None:
        return LogSkip.UNKNOWN_TIME
    if entry.database is None:
        return LogSkip.NO_DATABASE
    if query is None:
        return _finished(entry, logged_at, duration_ms or 0.0, started)
    statement = LoggedStatement(
        logged_at=logged_at,
        database=storable(entry.database),
        query=storable(_prepared(query, entry.detail)),
        duration_ms=duration_ms or 0.0,
        user=storable_name(entry.user),
        application_name=storable_name(entry.application_name),
        pid=entry.pid,
        queryid=queryid(entry.queryid),
        parameters=() if entry.detail is None else parameters(entry.detail),
    )
    if duration_ms is None:
        started.add(statement)
        return None
    return statement


def _finished(
    entry: Entry, ended_at: datetime, duration_ms: float, started: Started
) -> LoggedStatement | LogSkip:
    found = started.finish(entry, ended_at, duration_ms)
    if found is None:
        return LogSkip.NO_STATEMENT
    return LogSkip.OWN_STATEMENT if is_own(found.query) else found


def _prepared(query: str, detail: str | None) -> str:
    """What an EXECUTE runs, as pg_stat_statements and auto_explain show it: its PREPARE."""
    if detail is None or not _EXECUTE.match(query):
        return query
    lead = PREPARED.match(detail)
    return query if lead is None else detail[lead.end() :]


def parameters(detail: str) -> tuple[str | None, ...]:
    """The values of $1, $2, ... in a DETAIL; () when there are none.

    A value that log_parameter_max_length cut ends in three dots.

    >>> parameters("Parameters: $1 = 'it''s, $2 = x', $2 = NULL")
    ("it's, $2 = x", None)
    """
    at = detail.find("$1 = ", 0, _LONGEST_LEAD)
    values: list[str | None] = []
    while at >= 0 and (found := _PARAMETER.match(detail, at)):
        if int(found[1]) != len(values) + 1:
            break
        value = found[2]
        values.append(None if value is None else storable(value.replace("''", "'")))
        at = found.end()
    return tuple(values)
