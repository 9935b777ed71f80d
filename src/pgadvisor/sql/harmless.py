"""Strings and comments that hold nothing of anybody: words of PostgreSQL itself."""

import re

__all__ = ["is_harmless", "is_hint"]

#: fields of date_trunc and extract, special times, booleans, zones
_WORDS = frozenset(
    {
        *("century", "day", "decade", "dow", "doy", "epoch", "hour", "isodow", "isoyear"),
        *("julian", "microsecond", "microseconds", "millennium", "millisecond", "milliseconds"),
        *("minute", "month", "quarter", "second", "timezone", "timezone_hour"),
        *("timezone_minute", "week", "year", "days", "hours", "minutes", "months", "weeks"),
        *("years", "seconds", "now", "today", "tomorrow", "yesterday", "infinity", "-infinity"),
        *("allballs", "true", "false", "utc", "on", "off"),
    }
)
#: templates of to_char and to_date
_TEMPLATE = re.compile(
    r"(?:YYYY|YYY|YY|Y|MM|MONTH|Month|month|MON|Mon|mon|DDD|DD|DY|Dy|dy|DAY|Day|day|D|HH24|HH12|HH"
    r"|MI|SS|MS|US|AM|PM|am|pm|IW|WW|IYYY|IY|ID|Q|W|TZ|tz|OF|FM|TH|th|J|T|[-/:., _])+"
)
#: a template has one of these; alone the others are codes that somebody may use
_CORE = re.compile(r"YYYY|MM|DD|HH|MI|SS|Month|Mon|Day|IW")
_SHORT_PUNCTUATION = re.compile(r"[^\w\s]{0,3}|\s{1,3}|[,;:|/-]\s")
_HINT_NAMES = (
    r"(?:No)?(?:SeqScan|TidScan|IndexScan|IndexOnlyScan|BitmapScan|NestLoop|MergeJoin|HashJoin"
    r"|Memoize)|(?:IndexScan|IndexOnlyScan|BitmapScan)Regexp|Leading|Rows|Parallel"
)
#: of pg_hint_plan: names of tables and indexes and numbers of rows, no values
_HINT = re.compile(rf"/\*\+(?:\s*(?:{_HINT_NAMES})\s*\([\w\s.()#+*-]*\))+\s*\*/", re.IGNORECASE)


def is_harmless(value: str) -> bool:
    """The string says nothing: empty, punctuation, a field, a template of to_char.

    >>> [is_harmless(text) for text in ("", "month", "YYYY-MM-DD", ", ", "%", "Ann", "t42")]
    [True, True, True, True, True, False, False]
    """
    if value.lower() in _WORDS:
        return True
    if len(value) <= 3 and _SHORT_PUNCTUATION.fullmatch(value):
        return True
    return len(value) <= 40 and bool(_CORE.search(value) and _TEMPLATE.fullmatch(value))


def is_hint(comment: str) -> bool:
    """A comment that pg_hint_plan reads, of hints that name relations only."""
    return comment.startswith("/*+") and bool(_HINT.fullmatch(comment))
