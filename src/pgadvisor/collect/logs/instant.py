"""The instants in a log: local time with a zone abbreviation, to aware UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from pgadvisor.errors import LogUnreadable

__all__ = ["instant", "zone"]

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_EPOCH = re.compile(r"\d{1,11}\.\d{1,6}")
_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "UCT"})


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The zone of a log_timezone.

    Raises `LogUnreadable` for a name that this machine's time zone data does not have.
    """
    try:
        return ZoneInfo(name)
    # a file is opened by that name, so odd names are an OSError or ValueError
    except (KeyError, OSError, ValueError) as exc:
        raise LogUnreadable(
            f"log_timezone {name!r} is not known on this machine",
            hint="Run: sudo apt-get install tzdata, "
            "or on the server: ALTER SYSTEM SET log_timezone = 'UTC'; SELECT pg_reload_conf();",
        ) from exc


def instant(logged_at: str, log_timezone: str) -> datetime | None:
    """The instant of a time as %m, %t or %n of log_line_prefix print it.

    UTC, GMT and numeric zones say their offset. Any other abbreviation is looked up in
    `log_timezone`, where it also tells the two hours apart when clocks go back; None when that
    zone does not use it at that time, or the text is no time.

    >>> instant("2026-11-22 06:48:41.123 UTC", "Europe/Berlin").isoformat()
    '2026-11-22T06:48:41.123000+00:00'
    >>> instant("2026-10-25 02:30:00 CET", "Europe/Berlin").isoformat()
    '2026-10-25T01:30:00+00:00'
    >>> instant("2026-10-25 02:30:00 EST", "Europe/Berlin")
    """
    local, _, abbreviation = logged_at.rpartition(" ")
    try:
        if not local:
            return _from_epoch(logged_at)
        at = datetime.fromisoformat(local)
        if at.tzinfo is not None:
            return None
        if abbreviation in _UTC_NAMES:
            return at.replace(tzinfo=UTC)
        return _in_zone(at, abbreviation, log_timezone)
    except (ValueError, OverflowError):
        return None


def _from_epoch(text: str) -> datetime | None:
    return datetime.fromtimestamp(float(text), UTC) if _EPOCH.fullmatch(text) else None


def _in_zone(at: datetime, abbreviation: str, log_timezone: str) -> datetime | None:
    if offset := _OFFSET.fullmatch(abbreviation):
        sign, hours, minutes = offset.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return at.replace(tzinfo=timezone(span if sign == "+" else -span)).astimezone(UTC)
    for fold in (0, 1):
        aware = at.replace(tzinfo=zone(log_timezone), fold=fold)
        if aware.tzname() == abbreviation:
            return aware.astimezone(UTC)
    return None
