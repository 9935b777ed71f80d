"""Which statement a row is of: its database, user, queryid and text, as the source has them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pgadvisor.collect.imports.numbers import NULLS
from pgadvisor.records.imported import SourceStatement

__all__ = ["IDENTITY", "Statements"]

#: fields that together say which statement a row is of, in the order of `Statements.read`
IDENTITY = (*("database", "dbid", "query", "queryid", "user", "userid", "toplevel", "series"),)
_HIDDEN = "<insufficient privilege>"
_HIDDEN_TOTAL = "insufficient-privileges-total"  # of pgwatch
_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+|[+-]?\d+\.\d+")
_TRUE = frozenset({"t", "true", "1", "yes", "y", "on"})
_FALSE = frozenset({"f", "false", "0", "no", "n", "off"})
_MOST_KNOWN = 50_000
_MOST_CHARACTERS = 32 * 1024 * 1024


class Statements:
    """Makes one `SourceStatement` of equal identities, however many rows have them.

    >>> statements = Statements(default_database="shop", series="load.csv")
    >>> statements.read(("", None, "select 1", "-5", "", "", "", "")).queryid
    -5
    >>> statements.read(("", None, "", "1.2E+18", "", "", "", ""))
    'queryid lost digits: it was written as a float'
    """

    def __init__(self, *, default_database: str, series: str, has_statements: bool = True) -> None:
        self._default_database = default_database
        self._series = series
        #: false where the source has neither queryids nor texts: then a row is of a series
        self._has_statements = has_statements
        self._known: dict[tuple[Any, ...], SourceStatement | str] = {}
        self._characters = 0

    def read(self, identity: tuple[Any, ...]) -> SourceStatement | str:
        """The statement of these fields (`IDENTITY`), or why there is none."""
        found = self._known.get(identity)
        if found is None:
            found = self._read(identity)
            self._characters += len(identity[2]) if isinstance(identity[2], str) else 0
            if len(self._known) > _MOST_KNOWN or self._characters > _MOST_CHARACTERS:
                self._known.clear()
                self._characters = 0
            self._known[identity] = found
        return found

    def _read(self, identity: tuple[Any, ...]) -> SourceStatement | str:
        try:
            database, dbid, query, queryid, user, userid, toplevel, series = (
                read(value) for read, value in zip(_READERS, identity, strict=True)
            )
        except ValueError as exc:
            return str(exc)
        place = {
            "database": database or (str(dbid) if dbid else self._default_database),
            "dbid": dbid,
            "user": user,
            "userid": userid,
            "toplevel": toplevel,
        }
        if not self._has_statements:
            return SourceStatement(query=series or self._series, is_series=True, **place)
        if isinstance(queryid, str):
            return self._labelled(queryid, query, place)
        if queryid is None and (query is None or query == _HIDDEN):
            return "hidden: no queryid and no text" if query else "neither queryid nor query"
        text = None if query == _HIDDEN else query
        return SourceStatement(query=text, queryid=queryid, **place)

    @staticmethod
    def _labelled(label: str, query: str | None, place: Mapping[str, Any]) -> SourceStatement | str:
        """A "queryid" that is no bigint: with a text the text counts, else it is a name."""
        if query and query != _HIDDEN:
            return SourceStatement(query=query, **place)
        if label == _HIDDEN_TOTAL:
            return "hidden: the total of texts that the source's role could not see"
        if _FLOAT.fullmatch(label):
            return "queryid lost digits: it was written as a float"
        return SourceStatement(query=label, is_series=True, **place)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    return None if text.lower() in NULLS else text


def _database(value: Any) -> str | None:
    return _text(value)


def _query(value: Any) -> str | None:
    text = _text(value)
    return None if text is None else text.replace("\0", "")


def _queryid(value: Any) -> int | str | None:
    if isinstance(value, float):
        if value != value:
            return None
        if abs(value) >= 2**53:
            return "1e18"  # digits are lost: said as such
        value = int(value)
    text = _text(value)
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        return text
    if number == 0:
        return None  # compute_query_id is off
    if 2**63 <= number < 2**64:
        return number - 2**64  # shown unsigned
    if not -(2**63) <= number < 2**63:
        return text
    return number


def _oid(value: Any) -> int | None:
    text = _text(value)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        raise ValueError("userid or dbid is not a number") from None
    if not 0 <= number < 2**32 or number != int(number):
        raise ValueError("userid or dbid is not an oid")
    return int(number) or None


def _is_toplevel(value: Any) -> bool:
    text = _text(value)
    if text is None or text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("toplevel is not a boolean")


_READERS: Sequence[Callable[[Any], Any]] = (
    *(_database, _oid, _query, _queryid, _text, _oid, _is_toplevel, _text),
)
