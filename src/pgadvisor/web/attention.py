"""How many things about the history a person can mend: the badge in the top bar."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from pgadvisor.config import Settings
from pgadvisor.store import Store
from pgadvisor.store.quality import data_quality

__all__ = ["Attention"]

_WINDOW = timedelta(hours=24)
_CACHE = timedelta(seconds=60)


class Attention:
    """The count of the last day, read at most once a minute however many pages are opened."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._count = 0

    def count(self) -> int:
        """Errors and warnings of the last day. Raises `StoreUnavailable`."""
        now = self._clock()
        with self._lock:
            if self._read_at is None or not timedelta(0) <= now - self._read_at < _CACHE:
                with self._store.transaction() as conn:
                    found = data_quality(
                        conn,
                        since=now - _WINDOW,
                        until=now,
                        now=now,
                        interval=self._settings.interval,
                    )
                self._count, self._read_at = found.attention, now
            return self._count
