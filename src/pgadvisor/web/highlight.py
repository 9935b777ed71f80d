"""SQL in colours: spans with classes around escaped text."""

from html import escape

from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Literal, Name, Operator, Token, is_token_subtype

__all__ = ["highlight"]

#: longer texts are shown without colours: nobody reads them, and a browser has to
_LONGEST = 30_000

_CLASSES = (
    (Comment, "sql-comment"),
    (Keyword, "sql-keyword"),
    (Literal.String, "sql-string"),
    (Literal.Number, "sql-number"),
    (Name.Variable, "sql-parameter"),
    (Name.Builtin, "sql-type"),
    (Operator, "sql-operator"),
)

_LEXER = PostgresLexer(stripnl=False, ensurenl=False)


def highlight(text: str) -> str:
    """HTML of an SQL text; everything in it is escaped.

    >>> highlight("select '<b>'")
    '<span class="sql-keyword">select</span> <span class="sql-string">&#x27;&lt;b&gt;&#x27;</span>'
    """
    if len(text) > _LONGEST:
        return escape(text)
    parts: list[tuple[str, str]] = []
    for token, value in _LEXER.get_tokens(text):
        css = next((css for kind, css in _CLASSES if is_token_subtype(token, kind)), "")
        if parts and parts[-1][0] == css:
            parts[-1] = (css, parts[-1][1] + value)
        elif token is not Token.Text or value:
            parts.append((css, value))
    return "".join(
        f'<span class="{css}">{escape(value)}</span>' if css else escape(value)
        for css, value in parts
    )
