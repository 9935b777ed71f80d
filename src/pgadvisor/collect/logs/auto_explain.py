"""Entries of auto_explain to plan captures. Source: explain_ExecutorEnd in auto_explain.c."""

import json
import re
from typing import Any, NoReturn

from pgadvisor.collect.logs.entry import Entry
from pgadvisor.collect.logs.instant import instant
from pgadvisor.records.log import LogSkip
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import is_own

__all__ = ["plan_capture"]

_QUERYID_MAX = 2**63
#: a NUL cannot be stored and PostgreSQL never writes one; likewise half a surrogate pair
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*+\\u(?:0000|[dD][89a-fA-F])")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# EXPLAIN writes no NaN or Infinity, and jsonb takes none
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def plan_capture(entry: Entry, log_timezone: str) -> PlanCapture | LogSkip:
    """The capture of an entry, or why there is none.

    Raises `LogUnreadable` when `log_timezone` is needed and not known on this machine.
    """
    explained = _explained(entry.plan)
    if isinstance(explained, LogSkip):
        return explained
    query, plan = explained.pop("Query Text", None), explained.pop("Plan", None)
    if not isinstance(query, str) or not isinstance(plan, dict):
        return LogSkip.INVALID
    if is_own(query):
        return LogSkip.OWN_STATEMENT
    captured_at = instant(entry.logged_at, log_timezone)
    if captured_at is None:
        return LogSkip.UNKNOWN_TIME
    if entry.database is None:
        return LogSkip.NO_DATABASE
    return PlanCapture(
        captured_at=captured_at,
        database=_storable(entry.database),
        source=PlanSource.AUTO_EXPLAIN,
        query=query,
        plan=plan,
        queryid=_queryid(entry, explained.pop("Query Identifier", None)),
        duration_ms=entry.duration_ms,
        user=None if entry.user is None else _storable(entry.user),
        application_name=(
            None if entry.application_name is None else _storable(entry.application_name)
        ),
        pid=entry.pid,
        extra=explained,
    )


def _explained(text: str) -> dict[str, Any] | LogSkip:
    """EXPLAIN's object; the decoder is asked once, the text is not looked through before."""
    if not text.startswith("{"):
        return LogSkip.NOT_JSON if text.strip() else LogSkip.TRUNCATED
    try:
        explained = _DECODER.decode(text)
    except RecursionError:
        return LogSkip.TOO_DEEP
    except ValueError:
        return LogSkip.INVALID if text.rstrip().endswith("}") else LogSkip.TRUNCATED
    if not _is_storable(text):
        return LogSkip.INVALID
    return explained if isinstance(explained, dict) else LogSkip.INVALID


def _is_storable(text: str) -> bool:
    if "\\u" in text and _UNSTORABLE.search(text):
        return False
    return text.isascii() or text == _storable(text)


def _storable(text: str) -> str:
    """The text without what no UTF-8 database takes; log lines are anybody's."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def _queryid(entry: Entry, identifier: object) -> QueryId | None:
    """The plan's own id, else the log's, which for a nested statement is the outer one's."""
    found = identifier if isinstance(identifier, int) else None
    if found is None and not entry.is_nested:
        found = entry.queryid
    if not found or not -_QUERYID_MAX <= found < _QUERYID_MAX:
        return None
    return QueryId(found)
