"""Instants as files write them: ISO, PostgreSQL's and others' texts, and numbers since 1970."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pgadvisor.errors import ConfigInvalid

__all__ = ["BadTime", "Times", "day_or_month_first", "is_slashed", "zone"]

#: outside of these a number or text is not a time of a PostgreSQL
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_NEWEST = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OUT_OF_RANGE = "time before 1990 or after 2199"

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{2}(\d{2}(\d{2})?)?)?")
_NAMED_UTC = re.compile(r"\s*(UTC|GMT|Z)$", re.IGNORECASE)
_LOOSE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s]+(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?:[.,](\d+))?)?"
    r"\s*(am|pm)?\s*([+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_SLASHED = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[T,\s]+(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?:[.,](\d+))?)?"
    r"\s*(am|pm)?\s*([+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)


class BadTime(ValueError):
    """A value that is no instant, with the reason as its text."""


def zone(name: str) -> tzinfo:
    """The time zone of that name. Raises `ConfigInvalid`."""
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ConfigInvalid(
            f"there is no time zone {name!r}",
            hint="Write a name such as Europe/Berlin, America/New_York or UTC.",
        ) from exc


def day_or_month_first(texts: Iterable[str]) -> str | None:
    """ "day" or "month" where 03/04/2024 is one of them; None where no text tells.

    >>> day_or_month_first(["01/02/2024 00:00", "01/13/2024 00:00"])
    'month'
    """
    for text in texts:
        match = _SLASHED.match(text.strip())
        if match is None:
            continue
        if match[2] == ".":
            return "day"  # 31.12.2024 is written so where the day stands first
        first, second = int(match[1]), int(match[3])
        if first > 12 or second > 12:
            return "day" if first > 12 else "month"
    return None


def is_slashed(text: str) -> bool:
    """Whether a time is written like 03/04/2024, of which nobody knows the month."""
    match = _SLASHED.match(text.strip())
    return match is not None and match[2] != "."


class Times:
    """Reads the instants of one file; naive ones are of `local`.

    A local time that a change of the clocks repeats is the first of the two for the first row
    of a statement that has it, and the second for the next row of the same statement: see
    `second_of`.
    """

    def __init__(
        self, local: tzinfo = UTC, *, first: str | None = None, pattern: str | None = None
    ) -> None:
        self.local = local
        #: whether the day or the month stands first in 03/04/2024
        self.first = first
        #: strptime pattern of the texts, if it was given
        self.pattern = pattern
        self._known: dict[Any, datetime | BadTime] = {}

    def read(self, value: Any) -> datetime:
        """The instant in UTC. Raises `BadTime`."""
        found = self._known.get(value)
        if found is None:
            try:
                found = self._in_range(self._aware(self._parsed(value)))
            except BadTime as exc:
                found = exc
            if len(self._known) > 50_000:
                self._known.clear()
            self._known[value] = found
        if isinstance(found, BadTime):
            raise found
        return found

    def second_of(self, instant: datetime) -> datetime | None:
        """The later instant with the same local time, None where the local time is unique."""
        if self.local is UTC:
            return None
        naive = instant.astimezone(self.local).replace(tzinfo=None)
        first, second = (naive.replace(tzinfo=self.local, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return None
        later = second.astimezone(UTC)
        return later if later > instant else None

    def _parsed(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, time())
        if isinstance(value, int | float):
            return _since_1970(value)
        text = str(value).strip().strip("\"'")
        if self.pattern is not None:
            return self._by_pattern(text)
        return self._of_text(text)

    def _by_pattern(self, text: str) -> datetime:
        assert self.pattern is not None
        try:
            return datetime.strptime(text, self.pattern)
        except ValueError:
            raise BadTime(f"time is not like {self.pattern}") from None

    def _of_text(self, text: str) -> datetime:
        if compact := _COMPACT.fullmatch(text):
            # ten digits may also be seconds since 1970, of 2030 to 2036
            with suppress(BadTime):
                return _fields(compact[0][:4], compact[2], compact[3], *_pairs(compact[4] or ""))
        if _NUMBER.fullmatch(text):
            return _since_1970(int(text) if text.isdigit() else float(text))
        bare = _NAMED_UTC.sub("+00:00", text)
        try:
            return datetime.fromisoformat(bare)
        except ValueError:
            pass
        if match := _LOOSE.fullmatch(bare):
            return _fields(*match.groups()[:7], *match.groups()[7:])
        if match := _SLASHED.fullmatch(bare):
            return self._slashed(match)
        raise BadTime("not a time")

    def _slashed(self, match: re.Match[str]) -> datetime:
        first = "day" if match[2] == "." else self.first
        if first is None:
            raise BadTime("day and month cannot be told apart")
        day, month = (match[1], match[3]) if first == "day" else (match[3], match[1])
        return _fields(match[4], month, day, *match.groups()[4:])

    def _aware(self, value: datetime) -> datetime:
        if not _OLDEST.year - 1 <= value.year <= _NEWEST.year:
            raise BadTime(_OUT_OF_RANGE)
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        if self.local is UTC:
            return value.replace(tzinfo=UTC)
        instant = value.replace(tzinfo=self.local).astimezone(UTC)
        if instant.astimezone(self.local).replace(tzinfo=None) != value:
            raise BadTime(f"no such local time in {self.local}: the clocks were set forward")
        return instant

    @staticmethod
    def _in_range(value: datetime) -> datetime:
        if not _OLDEST <= value < _NEWEST:
            raise BadTime(_OUT_OF_RANGE)
        return value


def _since_1970(number: int | float) -> datetime:
    """Seconds, milliseconds, microseconds or nanoseconds: only one of them is in our days.

    >>> _since_1970(1704067200) == _since_1970(1704067200000) == _since_1970(1.7040672e18)
    True
    """
    for unit in (1, 1_000, 1_000_000, 1_000_000_000):
        if 6e8 <= number / unit < 8e9:
            whole, rest = divmod(number, unit)
            micros = round(rest * 1_000_000 / unit)
            return _EPOCH + timedelta(seconds=whole, microseconds=micros)
    raise BadTime("number is not a time since 1970")


def _pairs(digits: str) -> tuple[str, ...]:
    return tuple(digits[i : i + 2] for i in range(0, len(digits), 2))


def _fields(
    year: str | None,
    month: str | None,
    day: str | None,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    fraction: str | None = None,
    half: str | None = None,
    offset: str | None = None,
) -> datetime:
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    text = (
        f"{int(year or 0):04}-{int(month or 0):02}-{int(day or 0):02}"
        f"T{hours:02}:{minute or '00'}:{second or '00'}.{(fraction or '0')[:6]}{offset or ''}"
    )
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadTime("not a time") from None
