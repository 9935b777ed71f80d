"""pgadvisor serve: the REST API and the web UI."""

from typing import TYPE_CHECKING, Annotated

import typer

from pgadvisor.cli.options import Json
from pgadvisor.cli.output import errors, log_to_stderr, now
from pgadvisor.config import Settings, load_settings
from pgadvisor.store import Store, open_store

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

__all__ = ["build_app", "listen", "serve"]


def build_app(store: Store, settings: Settings) -> "FastAPI":
    """The API with the web UI on it."""
    # imported here: the web framework takes a second that doctor and advise need not wait for
    from pgadvisor.api import create_app
    from pgadvisor.web import mount

    app = create_app(store, settings, clock=now)
    mount(app, store, settings, clock=now)
    return app


def listen(app: "FastAPI", settings: Settings) -> "uvicorn.Server":
    """A server ready to run; the caller's thread runs it."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    )


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    as_json: Json = False,
) -> None:
    """Serve the REST API, the web UI and the metrics over the store, until Ctrl-C."""
    settings = load_settings(host=host, port=port)
    log_to_stderr(settings.log_level, as_json=as_json)
    with open_store(settings, now=now()) as store:
        errors.print(f"pgadvisor on http://{settings.host}:{settings.port}")
        listen(build_app(store, settings), settings).run()
