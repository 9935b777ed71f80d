"""Masks the constants of a statement so that it still parses, plans and groups as before.

Read by PostgreSQL's own scanner, checked by its own parser: what comes out has the fingerprint of
what went in. Strings become ``$n`` where the grammar takes a parameter; their values, masked, are
handed back beside the text. Where only a constant may stand (``date '...'``, utility statements)
a harmless one is put. Numbers and times become their bucket, so that the planner's estimates for
ranges stay about right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pglast
from pglast import parser

from pgadvisor.errors import NotParsable
from pgadvisor.records.parameter import MaskedValue, ParameterMode
from pgadvisor.sql.buckets import buckets
from pgadvisor.sql.constants import Part, Place, parts_of
from pgadvisor.sql.statement import max_parameter
from pgadvisor.sql.unparsed import CUT, HIDDEN, mask_unparsed
from pgadvisor.sql.values import ValueMask, type_of

__all__ = ["MaskedText", "mask_text"]

_SETS = re.compile(r"\s*set\b", re.IGNORECASE)
#: Longer texts are mostly values: they are kept as words without structure, and cut.
_LONGEST = 200_000
_LONGEST_REMEMBERED = 2_000

# A constant that fits its type, where nothing of the value may stay.
_FIXED = {
    "DATE": "'2000-01-01'",
    "TIMESTAMP": "'2000-01-01 00:00:00'",
    "TIMESTAMPTZ": "'2000-01-01 00:00:00'",
    "TIME": "'00:00:00'",
    "TIMETZ": "'00:00:00'",
    "INTERVAL": "'1'",
    "BOOLEAN": "'false'",
    "BOOL": "'false'",
    "UUID": "'00000000-0000-0000-0000-000000000000'",
    "INET": "'0.0.0.0'",
    "CIDR": "'0.0.0.0/0'",
    "JSON": "'{}'",
    "JSONB": "'{}'",
    "BYTEA": "''",
    "BIT": "''",
    "XML": "''",
}
_NUMBER_TYPES = frozenset(
    {
        *("INT", "INT2", "INT4", "INT8", "INTEGER", "BIGINT", "SMALLINT", "NUMERIC", "DECIMAL"),
        *("DEC", "REAL", "FLOAT", "FLOAT4", "FLOAT8", "PRECISION", "MONEY", "OID"),
    }
)

_TIMES = frozenset({"date", "timestamp", "time", "interval"})


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text without values, and what may be known of those that were strings."""

    text: str
    #: of the parameters that masking put in: n of $n to the value
    values: Mapping[int, MaskedValue]


def mask_text(text: str, mask: ValueMask) -> MaskedText:
    """The text with its constants masked and its comments removed, but for our own marker.

    A text without constants and comments comes back as it is. One that does not scan or parse
    is masked all the same, by a scanner that needs nothing to be balanced.

    >>> mask = ValueMask(ParameterMode.HASH, b"salt")
    >>> found = mask_text("select * from t where name = 'Ann' and total > 1234 -- for Ann", mask)
    >>> found.text
    'select * from t where name = $1 and total > 1200'
    >>> found.values[1].type, found.values[1].length
    ('text', 3)
    """
    if mask.mode is ParameterMode.KEEP:
        return MaskedText(text, {})
    # an application that sends parameters sends the same text again and again
    return _remembered(text, mask) if len(text) <= _LONGEST_REMEMBERED else _mask(text, mask)


def _mask(text: str, mask: ValueMask) -> MaskedText:
    if len(text) > _LONGEST:
        return _unparsed(text, mask)
    try:
        parts = parts_of(text, parser.scan(text))
        if not parts:
            return MaskedText(text, {})
        identity = parser.fingerprint(text)
        parameters = max_parameter(text)
    except (pglast.Error, NotParsable, UnicodeError):
        return _unparsed(text, mask)
    has_plan = any(part.place is Place.EXPRESSION for part in parts)
    for is_last in (False, True):
        tried = [_constant_only(part) for part in parts] if is_last else parts
        masked = _put_together(text, tried, mask, after=parameters)
        if _agrees(masked.text, identity, has_plan=has_plan):
            return masked
    return _unparsed(text, mask)


@lru_cache(maxsize=2048)
def _remembered(text: str, mask: ValueMask) -> MaskedText:
    return _mask(text, mask)


def _unparsed(text: str, mask: ValueMask) -> MaskedText:
    # SET takes bare words for values, and without a tree nobody knows which those are
    masked = f"set {CUT}" if _SETS.match(text) else mask_unparsed(text[:_LONGEST], mask)
    return MaskedText(masked + f" {CUT}" if len(text) > _LONGEST else masked, {})


def _agrees(masked: str, identity: str, *, has_plan: bool) -> bool:
    """It parses, and where it can have a plan it is still the same query.

    Of utility statements the fingerprint holds strings: there a change is what is wanted.
    """
    try:
        return parser.fingerprint(masked) == identity or not has_plan
    except pglast.Error:
        return False


def _constant_only(part: Part) -> Part:
    return replace(part, place=Place.CONSTANT) if part.place is Place.EXPRESSION else part


def _put_together(text: str, parts: Sequence[Part], mask: ValueMask, *, after: int) -> MaskedText:
    numbers = _Numbers(after)
    kept = _buckets(parts, mask)
    values: dict[int, MaskedValue] = {}
    pieces: list[str] = []
    end = 0
    for part in parts:
        pieces.append(text[end : part.start])
        end = part.end
        if part.place is Place.NOTHING:
            pieces.append(_gap(text, part))
        elif part.is_number and part.value in kept:
            pieces.append(kept[part.value])
        elif _is_time_expression(part) and part.value in kept:
            pieces.append(f"'{kept[part.value]}'")
        elif part.place is Place.EXPRESSION:
            number = numbers.of(part)
            values[number] = mask.masked(part.value)
            pieces.append(_spaced(text, part, f"${number}"))
        else:
            pieces.append(_constant(part, kept))
    pieces.append(text[end:])
    return MaskedText("".join(pieces).strip(), values)


class _Numbers:
    """Numbers of new parameters: one for all places of a value in the same expression.

    Else ``group by to_char(d, $2)`` would not be the ``to_char(d, $1)`` of the select list.
    """

    def __init__(self, after: int) -> None:
        self.last = after
        self.taken: dict[tuple[str, tuple[str, ...]], int] = {}

    def of(self, part: Part) -> int:
        key = (part.raw, part.context)
        if key not in self.taken:
            self.last += 1
            self.taken[key] = self.last
        return self.taken[key]


def _gap(text: str, comment: Part) -> str:
    """What stands for a comment: it also keeps words apart."""
    before, after = text[: comment.start][-1:], text[comment.end :][:1]
    return "" if before.isspace() or after.isspace() or not before or not after else " "


def _spaced(text: str, part: Part, parameter: str) -> str:
    """``in'x'and`` needs no spaces, ``in $1 and`` does."""
    before = " " if text[: part.start][-1:].isalnum() else ""
    after = " " if text[part.end :][:1].isalnum() else ""
    return before + parameter + after


def _buckets(parts: Sequence[Part], mask: ValueMask) -> Mapping[str, str]:
    """What may stand for numbers and times, as they are written without their quotes."""
    if mask.mode is ParameterMode.DROP:
        return {}
    return buckets(
        part.value
        for part in parts
        if part.is_number or part.type_name or type_of(part.value) in _TIMES
    )


def _is_time_expression(part: Part) -> bool:
    """A time written as a string: what a column of times is compared with, most of the time."""
    return part.place is Place.EXPRESSION and type_of(part.value) in _TIMES


def _constant(part: Part, kept: Mapping[str, str]) -> str:
    """A constant of the same kind, where the grammar takes nothing else."""
    if part.is_number:
        return "1"  # not 0: the planner would divide by it
    if part.raw[0] in "bBxX" and part.place is not Place.WORD:
        return f"{part.raw[0]}''"
    if part.value in kept and _fits(part):
        return f"'{kept[part.value]}'"
    if part.type_name in _NUMBER_TYPES:
        return "'0'"
    return _FIXED.get(part.type_name, HIDDEN)


def _fits(part: Part) -> bool:
    """A bucket is kept where a type says that the value is a number or a time."""
    if part.type_name in _NUMBER_TYPES or part.type_name == "INTERVAL":
        return True
    return type_of(part.value) in _TIMES and part.type_name in _FIXED
