"""The window of a page: chosen from three, written in the URL."""

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["WINDOWS", "Window", "window_named"]

WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
_DEFAULT = "24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """[since, until) and the name that the URL has for its length."""

    name: str
    since: datetime
    until: datetime

    @property
    def query_string(self) -> str:
        """What links within the pages carry on.

        >>> window_named("7d", datetime(2026, 1, 1)).query_string
        '?window=7d'
        """
        return f"?window={self.name}"


def window_named(name: str | None, now: datetime) -> Window:
    """The window of that name, the day before now for any other name."""
    chosen = name if name in WINDOWS else _DEFAULT
    return Window(name=chosen, since=now - WINDOWS[chosen], until=now)
