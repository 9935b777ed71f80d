"""Mends normalized texts that the server's grammar no longer takes.

pg_stat_statements replaces constants where the grammar allows nothing but a constant: ``date
'2024-01-01'`` becomes ``date $1``, ``extract(year from d)`` becomes ``extract($1 from d)``. What
means the same and takes a parameter is put there instead.
"""

import re

__all__ = ["mended"]

_TYPES = (
    r"date|timestamptz|timestamp(?:\s+with(?:out)?\s+time\s+zone)?|timetz"
    r"|time(?:\s+with(?:out)?\s+time\s+zone)?|interval|numeric|inet|cidr|uuid|jsonb?|bytea"
)
_FIELDS = r"year|month|day|hour|minute|second"
_TOKEN = re.compile(
    # what must stay as it is: strings, quoted names, comments
    r"(?P<kept>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/)"
    rf"|\b(?P<type>{_TYPES})\s*(?P<precision>\(\d+\))?\s+(?P<literal>\$\d+)"
    rf"(?:\s+(?:{_FIELDS})\b(?:\s+to\s+(?:{_FIELDS})\b)?)?"
    r"|\bextract\s*\(\s*(?P<field>\$\d+)\s+from\b",
    re.IGNORECASE | re.DOTALL,
)


def mended(query: str) -> str:
    """The text with typed literals as casts and EXTRACT as the function behind it.

    >>> mended("select extract($1 from d) from t where d < date $2 - interval $3 day")
    'select date_part($1, d) from t where d < CAST($2 AS date) - CAST($3 AS interval)'
    """
    return _TOKEN.sub(_replacement, query)


def _replacement(match: re.Match[str]) -> str:
    if match["kept"]:
        return match[0]
    if match["field"]:
        return f"date_part({match['field']},"
    return f"CAST({match['literal']} AS {match['type']}{match['precision'] or ''})"
