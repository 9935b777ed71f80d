"""The collecting loops that run in this process, each in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from pgadvisor.config import Settings
from pgadvisor.jobs.observer import Observer
from pgadvisor.store import Store

__all__ = ["Watch", "Watchers"]


@dataclass(slots=True)
class Watch:
    """One running loop."""

    target_id: int
    observer: Observer
    stop: threading.Event
    ended: asyncio.Event
    started: float = field(default_factory=time.monotonic)


class Watchers:
    """Starts and ends loops; all its methods are called in the thread of the event loop."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        name: str,
        clock: Callable[[], datetime],
        dsns: Mapping[int, str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._dsns = dsns
        #: the worker's name, unlike any other's; see the column targets.watcher
        self.name = name
        self._watches: dict[int, Watch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def start(self, target_id: int) -> Watch:
        """The loop of that target: the one that runs already, or a new one."""
        found = self._watches.get(target_id)
        if found is not None and not found.stop.is_set():
            return found
        stop = threading.Event()
        observer = Observer(
            self._dsns.get(target_id),
            self._store,
            self._settings,
            clock=self._clock,
            stop=stop,
            seed=hash((self.name, target_id)),
            target_id=target_id,
            watcher=self.name,
        )
        watch = Watch(target_id, observer, stop, asyncio.Event())
        self._watches[target_id] = watch
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                observer.run()
            finally:
                with suppress(RuntimeError):  # the loop has ended before us
                    loop.call_soon_threadsafe(self._has_ended, watch)

        threading.Thread(target=run, name=f"target {target_id}", daemon=True).start()
        return watch

    def stop(self, watches: Iterable[Watch]) -> None:
        """Tell loops to end; each does after what it reads at the moment."""
        for watch in watches:
            watch.stop.set()

    def all(self) -> list[Watch]:
        """The running loops, the youngest first."""
        return sorted(self._watches.values(), key=lambda watch: -watch.started)

    def _has_ended(self, watch: Watch) -> None:
        watch.ended.set()
        if self._watches.get(watch.target_id) is watch:
            del self._watches[watch.target_id]
