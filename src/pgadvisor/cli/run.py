"""pgadvisor run: collect, analyze and serve in one process on one machine."""

import threading
from typing import Annotated

import typer

from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json, OptionalDsn
from pgadvisor.cli.output import errors, log_to_stderr, now
from pgadvisor.cli.serve import build_app, listen
from pgadvisor.config import load_settings
from pgadvisor.jobs import Observer
from pgadvisor.store import open_store

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
    """Watch a target and serve API and web UI, all in one, until Ctrl-C."""
    settings = load_settings(host=host, port=port, interval=span(interval_text))
    log_to_stderr(settings.log_level, as_json=as_json)
    stop = threading.Event()
    with open_store(settings, now=now()) as store:
        observer = Observer(dsn, store, settings, clock=now, stop=stop, analyze=True)
        observer.connect()
        thread = threading.Thread(target=observer.run, name="observer", daemon=True)
        thread.start()
        try:
            errors.print(f"pgadvisor on http://{settings.host}:{settings.port}")
            listen(build_app(store, settings), settings).run()
        finally:
            stop.set()
            thread.join()
