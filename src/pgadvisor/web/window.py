"""What a page is about: a window of time and what it is narrowed to, written in the URL."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

__all__ = ["WINDOWS", "Window", "window_named"]

WINDOWS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_DEFAULT = "24h"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """[since, until), the name that the URL has for its length, and what is shown of it."""

    name: str
    since: datetime
    until: datetime
    #: only this target, only this database, by name
    target: str | None = None
    database: str | None = None
    #: utility statements are listed, too
    utility: bool = False
    #: a primary and its replicas are added up
    per_cluster: bool = False

    @property
    def query_string(self) -> str:
        """What links within the pages carry on.

        >>> window_named("7d", datetime(2026, 1, 1)).query_string
        '?window=7d'
        >>> window_named("7d", datetime(2026, 1, 1), database="a&b", utility="1").query_string
        '?window=7d&database=a%26b&utility=1'
        """
        chosen = {
            "window": self.name,
            "target": self.target,
            "database": self.database,
            "utility": "1" if self.utility else None,
            "per": "cluster" if self.per_cluster else None,
        }
        return "?" + urlencode({name: value for name, value in chosen.items() if value})

    def but(self, **changes: str | bool | None) -> "Window":
        """The same with something else chosen, for the address of a link."""
        return replace(self, **changes)  # type: ignore[arg-type]


def window_named(
    name: str | None,
    now: datetime,
    *,
    target: str = "",
    database: str = "",
    utility: str = "",
    per: str = "",
) -> Window:
    """The window of that name, the day before now for any other name."""
    chosen = name if name in WINDOWS else _DEFAULT
    return Window(
        name=chosen,
        since=now - WINDOWS[chosen],
        until=now,
        target=_name(target),
        database=_name(database),
        utility=utility == "1",
        per_cluster=per == "cluster",
    )


def _name(text: str) -> str | None:
    """A name as PostgreSQL can have one; None for no choice."""
    return text[:_LONGEST_NAME].replace("\0", "") or None
