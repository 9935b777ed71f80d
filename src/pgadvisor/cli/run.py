"""pgadvisor run: collect, analyze and serve in one process on one machine."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pgadvisor import pipeline
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json, OptionalDsn
from pgadvisor.cli.output import errors, log_to_stderr, now
from pgadvisor.cli.serve import build_app, listen
from pgadvisor.config import Settings, load_settings
from pgadvisor.jobs import POOL_SECONDS, Worker
from pgadvisor.store import Store, open_store
from pgadvisor.store.targets import list_targets

__all__ = ["run"]


def run(
    dsn: OptionalDsn = "",
    interval_text: Annotated[
        str | None,
        typer.Option("--interval", metavar="60s", help="How often counters are read."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    as_json: Json = False,
) -> None:
    """Watch a target and all registered ones, serve API and web UI, all in one, until Ctrl-C."""
    settings = load_settings(host=host, port=port, interval=span(interval_text))
    log_to_stderr(settings.log_level, as_json=as_json)
    with open_store(settings, now=now(), pool_seconds=POOL_SECONDS) as store:
        worker = Worker(store, settings, clock=now, dsns=_registered(store, settings, dsn))
        with _working(worker):
            errors.print(f"pgadvisor on http://{settings.host}:{settings.port}")
            listen(build_app(store, settings), settings).run()


def _registered(store: Store, settings: Settings, dsn: str) -> dict[int, str]:
    """The given target by its id, with its password, which is kept in memory alone.

    Without a DSN libpq's PGHOST and so on name one, unless there are registered targets.
    """
    with store.transaction() as conn:
        if not dsn and any(target.is_watched for target in list_targets(conn)):
            return {}
    # a wrong DSN or missing extension is an error now, not a retry
    with pipeline.connect_target(dsn, settings) as target:
        pipeline.require_usable(target)
        return {pipeline.register_target(store, target, dsn, now=now()): dsn}


@contextmanager
def _working(worker: Worker) -> Iterator[None]:
    """The worker runs in a thread of its own, with an event loop of its own."""
    worker.check()
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
