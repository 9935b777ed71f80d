"""The application: every route, handler and header, put together once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from pgadvisor import __version__
from pgadvisor.api import data_quality, databases, queries, recommendations, targets
from pgadvisor.api.context import Door
from pgadvisor.api.guard import Guard, is_loopback
from pgadvisor.api.health import health_router
from pgadvisor.api.ingest import ingest_router
from pgadvisor.api.metrics import metrics_registry
from pgadvisor.api.problems import register_problems
from pgadvisor.api.schemas import Problem
from pgadvisor.config import Settings
from pgadvisor.store import Store

__all__ = ["create_app"]

_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]

_DESCRIPTION = (
    "What PostgreSQL servers do, and what to change about it. Times are in milliseconds, "
    "instants in UTC, a queryid is a string. Errors are RFC 9457 problem documents. There is no "
    "login: listen on localhost, or stand behind a proxy that has one."
)


def create_app(store: Store, settings: Settings, *, clock: Callable[[], datetime]) -> FastAPI:
    """The API over a store; the caller opens and closes the store.

    `clock` returns the aware instant that counts as now. Web pages are mounted on the returned
    application by `pgadvisor.web.mount`, after all routes of the API.
    """
    # the pages of docs_url and redoc_url load scripts from elsewhere; /openapi.json is enough
    app = FastAPI(
        title="pgadvisor",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    app.state.door = Door(store=store, settings=settings, clock=clock)
    register_problems(app)
    app.add_middleware(Guard, only_loopback=is_loopback(settings.host))
    for resource in (data_quality, databases, queries, recommendations, targets):
        app.include_router(resource.router, prefix="/api/v1")
    app.include_router(ingest_router(), prefix="/api/v1")
    app.include_router(health_router(metrics_registry(store, clock, interval=settings.interval)))
    _add_fallback(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _add_fallback(app: FastAPI) -> None:
    """Answer what no route of the API takes, before web pages mounted at / can."""

    def refuse(request: Request) -> Response:
        for template, operations in app.openapi()["paths"].items():
            if compile_path(template)[0].match(request.url.path):
                allowed = ", ".join(sorted(method.upper() for method in operations))
                raise HTTPException(405, headers={"Allow": allowed})
        raise HTTPException(404)

    for path in ("/api", "/api/{rest:path}", "/healthz", "/readyz", "/metrics"):
        app.add_route(path, refuse, methods=_METHODS, include_in_schema=False)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        # only named in responses of another media type, where FastAPI does not look
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        app.openapi_schema = schema
    return app.openapi_schema
