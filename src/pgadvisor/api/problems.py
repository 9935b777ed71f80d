"""Errors as RFC 9457 problem documents: one table from error to status, one handler a family."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pgadvisor.errors import (
    AdvisorError,
    ConfigInvalid,
    LogConflict,
    LogUnreadable,
    NotFound,
    NotParsable,
    SchemaOutdated,
    StoreUnavailable,
)

__all__ = [
    "MEDIA_TYPE",
    "CursorInvalid",
    "EncodingUnknown",
    "Forbidden",
    "RequestInvalid",
    "TooLarge",
    "TooMany",
    "TooSlow",
    "problem",
    "problem_responses",
    "register_problems",
]

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 5


class RequestInvalid(AdvisorError):
    """A parameter is well formed and cannot be used all the same; `name` says which."""

    def __init__(self, name: str, message: str, *, hint: str = "", place: str = "query") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        #: query, path or body
        self.place = place


class CursorInvalid(AdvisorError):
    """A cursor was changed on the way, or belongs to another list."""


class Forbidden(AdvisorError):
    """Something that is not done for callers from elsewhere."""


class TooLarge(AdvisorError):
    """A body is over the limit."""


class TooSlow(AdvisorError):
    """A body did not come, or not to its end."""


class TooMany(AdvisorError):
    """As many requests of this kind are under way as may be."""


class EncodingUnknown(AdvisorError):
    """A body is packed in a way that is not known."""


#: error to (status, slug); looked up along the class's parents
_STATUS: Mapping[type[AdvisorError], tuple[int, str]] = {
    NotFound: (404, "not-found"),
    RequestInvalid: (422, "request-invalid"),
    CursorInvalid: (400, "cursor-invalid"),
    Forbidden: (403, "forbidden"),
    NotParsable: (422, "not-parsable"),
    LogUnreadable: (422, "log-unreadable"),
    LogConflict: (409, "log-conflict"),
    TooLarge: (413, "too-large"),
    TooSlow: (408, "too-slow"),
    TooMany: (429, "too-many"),
    EncodingUnknown: (415, "encoding-unknown"),
    ConfigInvalid: (400, "config-invalid"),
    StoreUnavailable: (503, "store-unavailable"),
    SchemaOutdated: (503, "schema-outdated"),
    AdvisorError: (500, "failed"),
}

_DESCRIPTIONS = {
    400: "The cursor is not one of this list, or a setting cannot be used.",
    403: "Not for callers from elsewhere.",
    404: "What was asked for is not in the store.",
    408: "The body did not come in time.",
    409: "It does not fit what is there; `next_offset` says where a log goes on.",
    413: "The body, or what it unpacks to, is over the limit.",
    415: "The body is packed in a way that is not known.",
    429: "As many such requests are under way as may be; `Retry-After` says when to ask again.",
    422: "A parameter cannot be used; `errors` lists which.",
    500: "The server failed; its log says why.",
    503: "The store does not answer, or its schema is another version's.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of these statuses, and of 422, 500 and 503."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": content}
        for status in sorted({*statuses, 422, 500, 503})
    }


def problem(
    path: str,
    status: int,
    slug: str,
    detail: str,
    *,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A problem document; `more` are further members of it."""
    return JSONResponse(
        {
            "type": f"urn:pgadvisor:problem:{slug}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": path,
            "hint": hint,
            **more,
        },
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def register_problems(app: FastAPI) -> None:
    """Register the handlers, once, for the whole application."""
    app.add_exception_handler(AdvisorError, _advisor_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)


def _advisor_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, AdvisorError)  # registered for nothing else
    status, slug = next(_STATUS[cls] for cls in type(exc).__mro__ if cls in _STATUS)
    more: dict[str, Any] = {}
    if isinstance(exc, RequestInvalid):
        more["errors"] = [{"in": exc.place, "name": exc.name, "message": exc.message}]
    if isinstance(exc, LogConflict) and exc.offset is not None:
        more["next_offset"] = exc.offset
    if status >= 500:
        _log.error("%s %s: %s", request.method, request.url.path, exc.message)
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status in (429, 503) else None
    return problem(
        request.url.path, status, slug, exc.message, hint=exc.hint, headers=headers, **more
    )


def _validation_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # registered for nothing else
    errors = [
        {
            "in": str(error["loc"][0]),
            "name": ".".join(str(part) for part in error["loc"][1:]),
            "message": error["msg"],
        }
        for error in exc.errors()
    ]
    names = ", ".join(error["name"] for error in errors)
    return problem(
        request.url.path,
        422,
        "request-invalid",
        f"these parameters cannot be used: {names}",
        hint="GET /openapi.json describes every parameter.",
        errors=errors,
    )


def _http_exception(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)  # registered for nothing else
    slug = HTTPStatus(exc.status_code).phrase.lower().replace(" ", "-")
    return problem(
        request.url.path,
        exc.status_code,
        slug,
        f"{request.method} {request.url.path}: {HTTPStatus(exc.status_code).phrase.lower()}",
        hint="GET /openapi.json lists every path and method.",
        headers=exc.headers,
    )
