"""Numbers as files write them, a column at a time: exact, or refused with a reason."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = ["NULLS", "has_decimal_comma", "number_of", "numbers", "whole_numbers"]

#: texts that stand for no value
NULLS = frozenset({"", "null", "none", r"\n", "na", "n/a", "nil", "-", "<null>"})
_BIGGEST = 2**63 - 1
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_SURE_COMMA = re.compile(r"[+-]?(\d+,(\d{1,2}|\d{4,})|\d{4,},\d+|0,\d+)")

Mark = Callable[[int, str], None]


def has_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether numbers are written with a decimal comma, as far as one of them shows it.

    >>> has_decimal_comma(["1,234", "12,5"]), has_decimal_comma(["1,234"])
    (True, False)
    """
    return any(_SURE_COMMA.fullmatch(text.strip()) for text in texts)


def numbers(column: Sequence[Any], mark: Mark, *, comma: bool = False) -> list[float | None]:
    """The values as floats, None for no value; `mark` is told the index of each bad one."""
    try:
        values: list[float] = list(map(float, column))
        if not values or (min(values) >= 0 and isfinite(sum(values))):
            return list(values)
    except (TypeError, ValueError):
        pass
    return [_one(index, value, mark, comma=comma) for index, value in enumerate(column)]


def whole_numbers(
    column: Sequence[Any], mark: Mark, rounded: Callable[[], None], *, comma: bool = False
) -> list[int | None]:
    """The values as whole numbers; `rounded` is called for each that had a fraction."""
    if all(type(value) is str for value in column):
        try:
            values = list(map(int, column))
            if not values or (min(values) >= 0 and max(values) <= _BIGGEST):
                return list(values)
        except ValueError:
            pass
    return [_whole(index, value, mark, rounded, comma=comma) for index, value in enumerate(column)]


def number_of(value: Any, *, comma: bool = False) -> float | int | None:
    """The number a value means, None for no value. Raises `ValueError` for anything else.

    >>> number_of("1,234,567.5"), number_of("12,5", comma=True), number_of(" 3 "), number_of("")
    (1234567.5, 12.5, 3, None)
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in NULLS):
        return None
    if isinstance(value, str):
        return _of_text(value, comma=comma)
    if isinstance(value, timedelta):
        return value.total_seconds() * 1000
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral() else float(value)
    if isinstance(value, int | float):
        return value
    raise ValueError("not a number")


def _of_text(value: str, *, comma: bool) -> float | int:
    text = value.strip().replace("\u00a0", "").replace("\u202f", "")
    if comma:
        text = text.replace(".", "").replace(",", ".")
    elif _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    elif _COMMA.fullmatch(text):
        raise ValueError("comma in a number")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _one(index: int, value: Any, mark: Mark, *, comma: bool) -> float | None:
    try:
        number = number_of(value, comma=comma)
    except (ValueError, OverflowError):
        mark(index, "not a number")
        return None
    if number is None:
        return None
    if isinstance(number, float) and not isfinite(number):
        mark(index, "NaN or infinite")
        return None
    if number < 0:
        mark(index, "negative")
        return None
    return float(number)


def _whole(
    index: int, value: Any, mark: Mark, rounded: Callable[[], None], *, comma: bool
) -> int | None:
    try:
        number = number_of(value, comma=comma)
    except (ValueError, OverflowError):
        mark(index, "not a number")
        return None
    if isinstance(number, float) and not isfinite(number):
        mark(index, "NaN or infinite")
        return None
    if number is None:
        return None
    if not 0 <= number <= _BIGGEST:
        mark(index, "negative" if number < 0 else "larger than bigint")
        return None
    if number != int(number):
        rounded()
    return round(number)
