"""Ending what runs on a connection when the caller asks for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from pgadvisor.errors import AdvisorError

__all__ = ["TICK", "Stopped", "cancel", "stoppable"]

#: how often a stop is looked at, in seconds
TICK = 0.1


class Stopped(AdvisorError):
    """The caller asked to stop; what was under way was given up."""


def cancel(conn: psycopg.Connection[Any]) -> None:
    """Cancel what the connection does, from another thread; nothing happens when it is idle."""
    with suppress(psycopg.Error):  # one that is gone needs no cancel
        conn.cancel_safe(timeout=1)


@contextmanager
def stoppable(
    stop: threading.Event | None, *connections: psycopg.Connection[Any]
) -> Iterator[None]:
    """A block whose statements are cancelled once `stop` is set; it then raises `Stopped`."""
    if stop is None:
        yield
        return
    left = threading.Event()
    watcher = threading.Thread(target=_watch, args=(stop, left, connections), daemon=True)
    watcher.start()
    try:
        yield
    except psycopg.errors.QueryCanceled as exc:
        if not stop.is_set():
            raise
        raise Stopped("stopped before the end") from exc
    finally:
        left.set()
        watcher.join()


def _watch(
    stop: threading.Event,
    left: threading.Event,
    connections: tuple[psycopg.Connection[Any], ...],
) -> None:
    while not left.wait(TICK):
        if stop.is_set():
            for conn in connections:
                cancel(conn)
