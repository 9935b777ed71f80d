"""Numbers as people read them: three digits that matter and a unit."""

from datetime import datetime, timedelta

__all__ = ["ago", "as_bytes", "as_count", "as_factor", "as_ms", "as_percent", "one_line", "plural"]


def as_ms(milliseconds: float) -> str:
    """A duration.

    >>> as_ms(0.0412), as_ms(12.34), as_ms(1234.5), as_ms(95_000), as_ms(7_300_000)
    ('0.041 ms', '12.3 ms', '1.23 s', '95.0 s', '2.03 h')
    """
    if abs(milliseconds) < 1000:
        return f"{_digits(milliseconds)} ms"
    if abs(milliseconds) < 120_000:
        return f"{_digits(milliseconds / 1000)} s"
    if abs(milliseconds) < 7_200_000:
        return f"{_digits(milliseconds / 60_000)} min"
    return f"{_digits(milliseconds / 3_600_000)} h"


def as_count(number: float) -> str:
    """A count or a rate.

    >>> as_count(0), as_count(7), as_count(0.25), as_count(9_999), as_count(12_345_678)
    ('0', '7', '0.250', '9,999', '12.3M')
    """
    size = abs(number)
    if size >= 10_000:
        for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if size >= limit:
                return f"{_digits(number / limit)}{unit}"
    if float(number).is_integer() or size >= 100:
        return f"{number:,.0f}"
    return _digits(number)


def as_factor(number: float) -> str:
    """A number of a calculation: no unit letters, so that a reader can check it.

    >>> as_factor(0.9), as_factor(1234.5), as_factor(96.21), as_factor(0.004567)
    ('0.9', '1,234', '96.21', '0.004567')
    """
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "target"), plural(2, "target"), plural(2, "query", "queries")
    ('1 target', '2 targets', '2 queries')
    """
    return f"{as_count(count)} {noun if count == 1 else nouns or noun + 's'}"


def as_bytes(size: float) -> str:
    """A size, in the units of pg_size_pretty.

    >>> as_bytes(0), as_bytes(8192), as_bytes(123_456_789)
    ('0 bytes', '8.00 kB', '118 MB')
    """
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1024:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{_digits(value)} {unit}"
        value /= 1024
    return f"{_digits(value)} TB"


def as_percent(ratio: float) -> str:
    """A share of one.

    >>> as_percent(0.4567), as_percent(0.004), as_percent(0)
    ('45.7 %', '0.40 %', '0 %')
    """
    percent = ratio * 100
    if not percent:
        return "0 %"
    return f"{percent:.1f} %" if abs(percent) >= 1 else f"{percent:.2f} %"


def ago(now: datetime, at: datetime) -> str:
    """How long ago an instant is.

    >>> from datetime import UTC
    >>> ago(datetime(2026, 1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    '60 min ago'
    """
    span = now - at
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if span >= 2 * unit:
            return f"{span / unit:.0f} {name} ago"
    if span >= timedelta(minutes=2):
        return f"{span / timedelta(minutes=1):.0f} min ago"
    return f"{max(span.total_seconds(), 0):.0f} s ago"


def one_line(text: str, *, longest: int = 200) -> str:
    r"""A text in one line for a table.

    >>> one_line("select 1\n  from t")
    'select 1 from t'
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _digits(number: float) -> str:
    size = abs(number)
    if size >= 100:
        return f"{number:.0f}"
    if size >= 10:
        return f"{number:.1f}"
    return f"{number:.2f}" if size >= 1 or not number else f"{number:.3f}"
