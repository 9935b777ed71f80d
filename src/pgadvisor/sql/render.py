"""SQL laid out for reading."""

import pglast
from pglast import parser

from pgadvisor.errors import NotParsable
from pgadvisor.sql.fingerprint import fingerprint

__all__ = ["render"]

#: Nobody reads more; a longer text is shown as it is.
_MAX_TEXT = 100_000


def render(text: str, *, line_length: int = 80, indent: int = 2) -> str:
    """The statement with one clause a line; the text itself where that is not possible.

    Plain comments are dropped, planner hints (``/*+ ... */``) keep the text as it was, because
    their place matters. What comes out has the fingerprint of what went in.

    >>> print(render("select a from t where b = 1 and c = 2"))
    SELECT a
    FROM t
    WHERE
      b = 1
      AND c = 2
    """
    if len(text) > _MAX_TEXT or "/*+" in text:
        return text
    try:
        identity = fingerprint(text)
        rendered = parser.deparse_protobuf(
            parser.parse_sql_protobuf(text),
            pretty_print=True,
            indent_size=indent,
            max_line_length=line_length,
        )
        return rendered if fingerprint(rendered) == identity else text
    except (NotParsable, pglast.Error):
        return text
