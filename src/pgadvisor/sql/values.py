"""What may be kept of a value: its type, its length, a salted hash, a bucket.

A bucket is a value that many share and that stands for them in the planner's eyes: a number to
two significant digits, a date to its month, a time to its hour, an interval to its largest unit.
"""

import hmac
import re
from dataclasses import dataclass, field
from decimal import Decimal

from pgadvisor.records.parameter import MaskedValue, ParameterMode

__all__ = ["ValueMask", "bucket", "number_bucket", "type_of"]

_HASH_DIGITS = 16
#: Longer numbers are nobody's quantity; Decimal's exponents end somewhere too.
_LONGEST_NUMBER = 60

_DIGITS = r"\d+(?:_\d+)*"
_NUMBER = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?\d{{1,4}})?")
_OTHER_BASE = re.compile(r"0(?:[xX][\da-fA-F_]+|[oO][0-7_]+|[bB][01_]+)")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})([ T])(\d{2})(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?"
    r"\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
)
_TIME = re.compile(r"([+-]?\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}(?::?\d{2})?)?")
_UNIT = (
    r"(?:microsecond|millisecond|second|sec|minute|min|hour|day|week|month|mon|year|decade"
    r"|century|centurie)s?"
)
_INTERVAL = re.compile(
    rf"([+-]?\d+(?:\.\d+)?)\s*({_UNIT})(?:,?\s*[+-]?\d+(?:\.\d+)?\s*{_UNIT})*"
    r"(?:\s+[+-]?\d{1,3}:\d{2}(?::\d{2}(?:\.\d+)?)?)?",
    re.IGNORECASE,
)
_BOOLEANS = frozenset({"true", "false"})


def number_bucket(text: str) -> str:
    """A number to two significant digits, with its sign, scale and notation.

    >>> [number_bucket(text) for text in ("4111", "42", "-1234.56", "1.55e9")]
    ['4100', '42', '-1200.00', '1.6e9']
    """
    plain = text.replace("_", "")
    if _OTHER_BASE.fullmatch(text):
        plain = f"{Decimal(int(plain, 0))}" if len(plain) < _LONGEST_NUMBER else "1" + "0" * 60
    if len(plain) > _LONGEST_NUMBER:
        return "1" + "0" * (_LONGEST_NUMBER - 1)
    number = Decimal(plain)
    digits = len(number.as_tuple().digits)
    if digits <= 2 or not number:
        return text
    rounded = round(number.scaleb(1 - number.adjusted()))
    kept = Decimal(rounded).scaleb(number.adjusted() - 1)
    if "e" in plain.lower():
        return f"{kept:.1e}".replace("e+", "e")
    scale = len(plain.partition(".")[2])
    return f"{kept:.{scale}f}"


def bucket(value: str) -> str | None:
    """The bucket of a value as text; None for what is neither number nor time.

    >>> bucket("2024-01-15"), bucket("2024-01-15 13:45:10+02"), bucket("90 days"), bucket("alice")
    ('2024-01-01', '2024-01-15 13:00:00+02', '90 days', None)
    """
    kind = type_of(value)
    if kind in ("integer", "numeric"):
        return number_bucket(value)
    if kind in ("date", "timestamp", "time", "interval"):
        return _time_bucket(value, kind)
    return None


def type_of(value: str) -> str:
    """What a value looks like: integer, numeric, boolean, date, timestamp, time, interval, text.

    >>> [type_of(text) for text in ("1", "1.5", "true", "13:45", "1 year 2 mons", "x")]
    ['integer', 'numeric', 'boolean', 'time', 'interval', 'text']
    """
    if _NUMBER.fullmatch(value):
        return "integer" if value.lstrip("+-").replace("_", "").isdigit() else "numeric"
    if _OTHER_BASE.fullmatch(value):
        return "integer"
    if value.lower() in _BOOLEANS:
        return "boolean"
    if value[:1].isdigit() or value[:1] in ("+", "-"):
        for kind, pattern in _TIMES:
            if pattern.fullmatch(value):
                return kind
    return "text"


_TIMES = (
    ("date", _DATE),
    ("timestamp", _TIMESTAMP),
    ("time", _TIME),
    ("interval", _INTERVAL),
)


def _time_bucket(value: str, kind: str) -> str | None:
    if kind == "date":
        return f"{value[:7]}-01"
    if match := _TIMESTAMP.fullmatch(value) if kind == "timestamp" else None:
        return f"{match[1]}{match[2]}{match[3]}:00:00{match[4] or ''}"
    if match := _TIME.fullmatch(value) if kind == "time" else None:
        minutes = match[2] if int(match[1]) == 0 else "00"  # of an interval: its largest unit
        return f"{match[1]}:{minutes}:00{match[3] or ''}"
    match = _INTERVAL.fullmatch(value)
    return f"{number_bucket(match[1])} {match[2]}" if match else None


@dataclass(frozen=True, slots=True)
class ValueMask:
    """How values are masked: the mode, and the store's salt."""

    mode: ParameterMode
    salt: bytes = field(repr=False)

    def hash_of(self, value: str) -> str:
        """16 hex digits of HMAC-SHA256 with the salt: equal values of one store have equal ones."""
        return hmac.digest(self.salt, value.encode(errors="replace"), "sha256").hex()[:_HASH_DIGITS]

    def masked(self, value: str | None) -> MaskedValue:
        """What may be kept of one value; None is SQL's null."""
        match self.mode:
            case ParameterMode.DROP:
                return MaskedValue()
            case ParameterMode.KEEP if value is not None:
                return MaskedValue(type=type_of(value), length=len(value), value=value)
        if value is None:
            return MaskedValue(type="null")
        return MaskedValue(
            type=type_of(value),
            length=len(value),
            hash=self.hash_of(value),
            bucket=bucket(value),
        )
