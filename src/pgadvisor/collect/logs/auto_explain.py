"""Entries of auto_explain to plan captures. Source: explain_ExecutorEnd in auto_explain.c."""

import json
import re
from typing import Any, NoReturn

from pgadvisor.collect.logs.entry import Entry
from pgadvisor.collect.logs.instant import instant
from pgadvisor.collect.logs.storable import queryid, storable, storable_name
from pgadvisor.collect.logs.text_plan import text_plan
from pgadvisor.records.log import LogSkip
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import is_own

__all__ = ["plan_capture"]

#: a NUL cannot be stored and PostgreSQL never writes one; likewise half a surrogate pair
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*+\\u(?:0000|[dD][89a-fA-F])")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# EXPLAIN writes no NaN or Infinity, and jsonb takes none
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def plan_capture(
    entry: Entry, duration_ms: float, text: str, log_timezone: str
) -> PlanCapture | LogSkip:
    """The capture of an entry whose plan is `text`, or why there is none.

    Raises `LogUnreadable` when `log_timezone` is needed and not known on this machine.
    """
    explained = _explained(text)
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
        database=storable(entry.database),
        source=PlanSource.AUTO_EXPLAIN,
        query=query,
        plan=plan,
        queryid=_queryid(entry, explained.pop("Query Identifier", None)),
        duration_ms=duration_ms,
        user=storable_name(entry.user),
        application_name=storable_name(entry.application_name),
        pid=entry.pid,
        extra=explained,
    )


def _explained(text: str) -> dict[str, Any] | LogSkip:
    """EXPLAIN's object, in the format of auto_explain.log_format."""
    if text.startswith("{"):
        return _from_json(text)
    if text.startswith('Query Text: "'):  # no statement begins with a quote
        return LogSkip.YAML_PLAN
    if text.startswith("Query Text: "):
        return text_plan(storable(text))
    if text.startswith("<explain"):
        return LogSkip.XML_PLAN
    return LogSkip.INVALID if text.strip() else LogSkip.TRUNCATED


def _from_json(text: str) -> dict[str, Any] | LogSkip:
    """The decoder is asked once, the text is not looked through before."""
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
    return text.isascii() or text == storable(text)


def _queryid(entry: Entry, identifier: object) -> QueryId | None:
    """The plan's own id, else the log's, which for a nested statement is the outer one's."""
    found = identifier if isinstance(identifier, int) else None
    if found is None and not entry.has_context:
        found = entry.queryid
    return queryid(found)
