"""Buckets of the values of one statement: their sizes about right, their distances too.

Masked one by one, both ends of ``between '2024-05-17' and '2024-05-18'`` would be the same day and
the range empty. So the smallest of several near values gets its bucket, and each next one stands
as far from it as before, to two significant digits.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pgadvisor.sql.values import bucket, number_bucket, type_of

__all__ = ["buckets"]

#: apart by more than that, days do not matter to the planner and each has its own bucket
_NEAR_DAYS = timedelta(days=99)


def buckets(values: Iterable[str]) -> dict[str, str]:
    """The bucket of each value that is a number, a date, a timestamp or an interval.

    >>> buckets(["123456", "123556", "7"])
    {'7': '7', '123456': '120000', '123556': '120100'}
    >>> buckets(["2024-05-17", "2024-05-18"])
    {'2024-05-17': '2024-05-01', '2024-05-18': '2024-05-02'}
    """
    found: dict[str, str] = {}
    integers: list[str] = []
    dates: list[str] = []
    for value in dict.fromkeys(values):
        kind = type_of(value)
        if kind == "integer" and value.isdigit() and len(value) < 19:
            integers.append(value)
        elif kind in ("date", "timestamp") and _instant(value):
            dates.append(value)
        elif (own := bucket(value)) is not None:
            found[value] = own
    found |= _integers(sorted(integers, key=int))
    return found | _instants(sorted(dates, key=lambda value: (len(value), _instant(value))))


def _integers(ascending: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    last, last_kept = 0, 0
    for value in ascending:
        number = int(value)
        apart = number - last
        if last >= 100 and apart < last:
            kept = last_kept + int(Decimal(number_bucket(str(apart))))
        else:
            kept = int(number_bucket(value))
        # digits of the value: 0042 stays a text of four
        found[value] = f"{kept:0{len(value)}d}" if value.startswith("0") else str(kept)
        last, last_kept = number, kept
    return found


def _instants(ascending: Sequence[str]) -> dict[str, str]:
    """Values of one length, and so of one form, follow each other."""
    found: dict[str, str] = {}
    last: datetime | None = None
    last_kept = datetime.min
    form = 0
    for value in ascending:
        at, own = _instant(value), bucket(value)
        if at is None or own is None:
            continue
        is_near = last is not None and len(value) == form and at - last <= _NEAR_DAYS
        kept = _later(last_kept, at - last) if is_near and last else _instant(own)
        if kept is None:
            continue
        found[value] = _written(kept, value) if is_near else own
        last, last_kept, form = at, kept, len(value)
    return found


def _later(instant: datetime, apart: timedelta) -> datetime | None:
    seconds = int(apart.total_seconds())
    for unit in (86400, 3600, 60):
        if seconds % unit == 0 and seconds < 100 * unit:
            break
    else:
        seconds = int(number_bucket(str(seconds)))
    try:
        return instant + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _instant(value: str) -> datetime | None:
    """Date and time of day as written, the zone left out."""
    try:
        return datetime.fromisoformat(value[:19].rstrip("Z").replace(" ", "T"))
    except ValueError:
        return None


def _written(instant: datetime, like: str) -> str:
    if len(like) == len("2024-05-17"):
        return f"{instant:%Y-%m-%d}"
    return f"{instant:%Y-%m-%d}{like[10]}{instant:%H:%M:%S}{_zone(like)}"


def _zone(value: str) -> str:
    rest = value[11:]
    at = max(rest.find("+"), rest.find("-"))
    if at >= 0:
        return rest[at:]
    return "Z" if rest.endswith("Z") else ""
