"""Masks what is no whole statement: expressions of plans, texts that are cut off or broken.

A scanner of our own that knows quotes, comments and numbers and needs nothing to be balanced.
"""

import re

from pgadvisor.records.parameter import ParameterMode
from pgadvisor.sql.harmless import is_harmless
from pgadvisor.sql.statement import MARKER
from pgadvisor.sql.values import ValueMask, bucket, number_bucket

__all__ = ["CUT", "HIDDEN", "mask_expression", "mask_unparsed", "string_constants", "unquoted"]

#: stands where the rest of a text was left out
CUT = "..."
HIDDEN = "'***'"

_TOKEN = re.compile(
    r"""
    (?P<name>   "(?:[^"]|"")*(?:"|\Z) )
  | (?P<escape> \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) )
  | (?P<string> (?:\b[uU]&|\b[bBxXnN])?'(?:[^']|'')*(?:'|\Z) )
  | (?P<dollar> (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) )
  | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<typmod> ::\s*[a-z][a-z ]*\(\d+(?:,\s*-?\d+)?\) )
  | (?P<plan>   \b(?:Init|Sub)Plan\ \d+ )
  | (?P<number> (?<![\w$.])(?:0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
                (?!\w) )
    """,
    re.VERBOSE | re.DOTALL,
)
#: the type that a constant of a deparsed expression is cast to
_CAST = re.compile(r"::([a-z][a-z ]*[a-z])")
_NUMBER_TYPES = frozenset(
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "oid"}
)
_TIME_TYPES = frozenset(
    {
        *("date", "interval", "timestamp without time zone", "timestamp with time zone"),
        *("time without time zone", "time with time zone"),
    }
)
_IS_MASKED = re.compile(r"#[0-9a-f]{16}")
_ARRAY_ELEMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^{},"]+')


def mask_expression(text: str, mask: ValueMask) -> str:
    """An expression as EXPLAIN prints it, its constants masked; it parses as it did before.

    Strings become ``'#`` and their hash, numbers and times of a type that says so their bucket.

    >>> mask = ValueMask(ParameterMode.HASH, b"salt")
    >>> mask_expression("((total > '1234.56'::numeric) AND (email = 'a@b.c'::text))", mask)
    "((total > '1200.00'::numeric) AND (email = '#7097c23b080b6f6d'::text))"
    """
    if mask.mode is ParameterMode.KEEP or not _holds_constants(text):
        return text

    def replaced(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind == "number":
            return _number(match[0], mask)
        if kind in ("string", "escape", "dollar", "tag"):
            return _constant(match, mask)
        return "" if kind == "comment" else match[0]

    return _TOKEN.sub(replaced, text)


_ANY_CONSTANT = re.compile(r"['\"\d]|--|/\*|\$\$")


def _holds_constants(text: str) -> bool:
    return _ANY_CONSTANT.search(text) is not None


def _number(text: str, mask: ValueMask) -> str:
    return "0" if mask.mode is ParameterMode.DROP else number_bucket(text)


def _constant(match: re.Match[str], mask: ValueMask) -> str:
    if mask.mode is ParameterMode.DROP:
        return HIDDEN
    value = unquoted(match[0])
    cast = _CAST.match(match.string, match.end())
    kind = cast[1] if cast else ""
    is_array = cast is not None and match.string.startswith("[]", cast.end())
    if is_array and value.startswith("{"):
        masked = _ARRAY_ELEMENT.sub(lambda one: _element(one[0], kind, mask), value)
    else:
        masked = _masked(value, kind, mask)
    return "'" + masked.replace("'", "''") + "'"


def _element(text: str, kind: str, mask: ValueMask) -> str:
    if text == "NULL":
        return text
    if text.startswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    masked = _masked(text, kind, mask)
    return f'"{masked}"' if re.search(r"[\s,:]", masked) else masked


def _masked(value: str, kind: str, mask: ValueMask) -> str:
    if kind in _NUMBER_TYPES or kind in _TIME_TYPES:
        found = bucket(value)
        if found is not None:
            return found
    if is_harmless(value) or (kind == "boolean" and len(value) <= len("false")):
        return value
    if _IS_MASKED.fullmatch(value):
        return value
    return f"#{mask.hash_of(value)}"


def unquoted(text: str) -> str:
    """The value of a string constant as it is written; escapes of E'' stand for themselves.

    >>> unquoted("'it''s'"), unquoted("$x$it's$x$"), unquoted("B'01'")
    ("it's", "it's", '01')
    """
    if text.startswith("$"):
        tag = text[: text.index("$", 1) + 1]
        return text[len(tag) :].removesuffix(tag)
    body = text.partition("'")[2].removesuffix("'").replace("''", "'")
    return re.sub(r"\\(.)", _escaped, body) if text[0] in "eE" else body


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


def mask_unparsed(text: str, mask: ValueMask) -> str:
    """A text that is no statement: strings hidden, numbers masked, the unclear end left out.

    It is not made to parse: nothing can be learnt from a part of a statement but its words.

    >>> mask = ValueMask(ParameterMode.HASH, b"salt")
    >>> mask_unparsed("select * from t where a = 1234 and b = 'secr", mask)
    "select * from t where a = 1200 and b = '***' ..."
    """
    pieces: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        kind = match.lastgroup
        if kind == "number":
            pieces.append(_number(match[0], mask))
        elif kind == "name" and match[0].count('"') % 2:
            end = len(text)
            pieces.append(CUT)
        elif kind in ("string", "escape", "dollar", "tag"):
            pieces.append(HIDDEN)
            if _is_unclear(match[0]):
                end = len(text)
                pieces.append(f" {CUT}")
                break
        elif kind != "comment" or match[0] == MARKER:
            pieces.append(match[0])
    pieces.append(text[end:])
    return "".join(pieces).strip()


def _is_unclear(string: str) -> bool:
    r"""Where it ends depends on standard_conforming_strings, or it does not end.

    A server where that is off reads ``\'`` as a quote within the string. Read without escapes, as
    our parser does, such a text does not parse: a backslash is left outside the strings, or a
    quote is missing. So it is here that it must not leak.
    """
    if string.startswith("$"):
        return string.count("$") < 4
    body = string.partition("'")[2]
    return not body.endswith("'") or "\\'" in body


def string_constants(expression: str) -> frozenset[str]:
    """The strings of an expression as the catalog shows it.

    >>> sorted(string_constants("((status = 'open'::text) OR (kind = ANY ('{a,b}'::text[])))"))
    ['a', 'b', 'open']
    """
    found: set[str] = set()
    for match in _TOKEN.finditer(expression):
        if match.lastgroup not in ("string", "escape"):
            continue
        value = unquoted(match[0])
        if value.startswith("{") and value.endswith("}"):
            found |= {re.sub(r"\\(.)", r"\1", one.strip('"')) for one in _elements(value)}
        else:
            found.add(value)
    return frozenset(found)


def _elements(array: str) -> list[str]:
    return [str(element) for element in _ARRAY_ELEMENT.findall(array)]
