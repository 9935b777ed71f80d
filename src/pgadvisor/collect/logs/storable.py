"""What of a log may be stored: log lines are anybody's."""

from pgadvisor.records.statement import QueryId

__all__ = ["queryid", "storable", "storable_name"]

_QUERYID_MAX = 2**63


def storable(text: str) -> str:
    """The text without what no UTF-8 database takes: NUL, and half a surrogate pair.

    >>> storable("a\\x00b"), storable("\\ud800")
    ('ab', '?')
    """
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode(errors="replace").decode()


def storable_name(name: str | None) -> str | None:
    """A name that may be missing, storable."""
    return None if name is None else storable(name)


def queryid(value: int | None) -> QueryId | None:
    """A queryid of the log: 0 is PostgreSQL's none, and what has no 64 bits is nobody's."""
    if not value or not -_QUERYID_MAX <= value < _QUERYID_MAX:
        return None
    return QueryId(value)
