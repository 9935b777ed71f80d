"""Messages of a server, without the values that they quote."""

import re

from pglast import keywords

from pgadvisor.sql.unparsed import HIDDEN
from pgadvisor.sql.values import number_bucket

__all__ = ["mask_message", "mask_traceback"]

# A message names things in double quotes, and values too. What it names stays.
_NAMED = (
    r"relation|table|view|column|reference|index|constraint|schema|database|role|user|extension"
    r"|type|function|operator|parameter|setting|sequence|language|library|collation|partition"
    r"|class|server|publication|subscription|tablespace|cursor|statement|method|namespace|domain"
    r"|procedure|aggregate|trigger|rule|policy|option|variable|attribute|slot|conversion|file"
)
_QUOTED = re.compile(
    rf"(?P<named>\b(?:{_NAMED})\s+)?\"(?P<value>(?:[^\"]|\"\")*)(?:\"|\Z)"
    r"|(?P<string>'(?:[^']|'')*(?:'|\Z))"
    r"|(?P<key>=\(.*\)|=\(.*\Z)"
    r"|(?P<number>(?<![\w.:])\d{5,}(?![\w.]))",
    re.DOTALL | re.IGNORECASE,
)
_ROW = re.compile(r"(Failing row contains|row is|existing key) .*", re.DOTALL)
_NEAR = re.compile(r"at or near\s*\Z")
#: what the frames of a traceback begin with; the line after them names the error
_FRAMES = ('  File "', "Traceback (", "The above exception was", "During handling of")
_PUNCTUATION = re.compile(r"\W|\$\d+")


def mask_message(text: str) -> str:
    """A message of a server without the values it quotes: its first line only, names stay.

    DETAIL, CONTEXT and the LINE of a statement stand on lines of their own and are left out.

    >>> mask_message('invalid input syntax for type integer: "secret"')
    'invalid input syntax for type integer: "***"'
    >>> mask_message('relation "orders" does not exist')
    'relation "orders" does not exist'
    >>> mask_message("Key (email)=(a@b.c) already exists.")
    'Key (email)=(***) already exists.'
    """
    first = text.strip().partition("\n")[0]
    return _QUOTED.sub(_masked, _ROW.sub(r"\1 ***", first))


def mask_traceback(text: str) -> str:
    """A Python traceback as it is formatted, with the messages of its errors masked.

    Of a message only the first line stays: psycopg puts DETAIL, CONTEXT and the statement below.
    """
    kept: list[str] = []
    is_code = True  # one without frames begins with its error
    for line in text.split("\n"):
        if line.startswith(_FRAMES):
            is_code = True
        elif is_code and line and not line.startswith(" "):
            is_code = False
            line = mask_message(line)
        elif not is_code and line:
            continue
        kept.append(line)
    return "\n".join(kept)


def _masked(match: re.Match[str]) -> str:
    if match["key"]:
        return "=(***)"
    if match["number"]:
        return number_bucket(match["number"])
    if match["string"]:
        return HIDDEN
    if match["named"]:
        return match[0]
    is_syntax = _NEAR.search(match.string[: match.start()]) and _is_syntax(match["value"])
    return match[0] if is_syntax else '"***"'


def _is_syntax(word: str) -> bool:
    return bool(_PUNCTUATION.fullmatch(word)) or word.lower() in _KEYWORDS


_KEYWORDS = frozenset(
    keywords.RESERVED_KEYWORDS
    | keywords.UNRESERVED_KEYWORDS
    | keywords.TYPE_FUNC_NAME_KEYWORDS
    | keywords.COL_NAME_KEYWORDS
)
