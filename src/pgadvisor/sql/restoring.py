"""Puts values back where masking left parameters."""

from collections.abc import Mapping

from pglast import parser

from pgadvisor.sql.parse import parser_errors

__all__ = ["with_values"]


def with_values(text: str, values: Mapping[int, str]) -> str:
    """The text with these parameters as string constants; the others are numbered anew.

    A quoted constant fits any type, as the parameter did. Numbered anew, because PostgreSQL wants
    to know the type of every number up to the highest. Raises `NotParsable`.

    >>> with_values("select * from t where a = $1 and b = $2 and c = $3", {2: "it's"})
    "select * from t where a = $1 and b = 'it''s' and c = $2"
    """
    if not values:
        return text
    with parser_errors(text):
        tokens = parser.scan(text)
    numbers: dict[int, int] = {}
    pieces: list[str] = []
    end = 0
    for token in tokens:
        if token.name != "PARAM":
            continue
        number = int(text[token.start + 1 : token.end + 1])
        pieces.append(text[end : token.start])
        if number in values:
            pieces.append("'" + values[number].replace("'", "''") + "'")
        else:
            pieces.append(f"${numbers.setdefault(number, len(numbers) + 1)}")
        end = token.end + 1
    pieces.append(text[end:])
    return "".join(pieces)
