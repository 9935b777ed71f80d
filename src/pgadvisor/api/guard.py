"""What every response passes through: foreign hosts and origins out, security headers on.

A browser page of somebody else can reach a server on localhost by DNS rebinding (its own name
that resolves to 127.0.0.1), by a WebSocket, which knows no same-origin policy, or by a POST. The
first shows in the Host header, the others in Origin.
"""

import ipaddress
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgadvisor.api.problems import problem

__all__ = ["Guard", "is_loopback"]

_log = logging.getLogger(__name__)

#: Vue compiles the templates of NiceGUI's pages in the browser, which needs eval
_PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
#: methods that change nothing; a browser sends others, too, to whom a foreign page names
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """True for a name or address that only this machine reaches.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("db.example.org")
    (False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


class Guard:
    """ASGI middleware; `only_loopback` refuses requests that name another host."""

    def __init__(self, app: ASGIApp, *, only_loopback: bool) -> None:
        self.app = app
        self.only_loopback = only_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem document."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await self._refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.only_loopback and not is_loopback(_name_of(host)):
            return "this server answers only to localhost"
        origin = headers.get("origin")
        is_page_event = scope["type"] == "websocket" or scope["path"].startswith("/_nicegui_ws")
        # a form or script of any page may send a plain POST, only the answer is kept from it
        changes_something = scope.get("method", "GET") not in ("GET", "HEAD", "OPTIONS")
        if (
            (is_page_event or changes_something)
            and origin
            and urlsplit(origin).netloc.lower() != host.lower()
        ):
            return "the request comes from a page of another origin"
        return ""

    async def _refuse(self, detail: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": detail})
            return
        response = problem(
            scope["path"],
            403,
            "forbidden",
            detail,
            hint="Use http://localhost, or set PGADVISOR_HOST to an address others may reach.",
        )
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(MutableHeaders(scope=message))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            response = problem(
                scope["path"],
                500,
                "failed",
                "the server failed",
                hint="Its log has the traceback; please report it.",
            )
            await response(scope, receive, send_with_headers)


def _add_headers(headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    is_page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", _PAGE_POLICY if is_page else _DATA_POLICY)
    if not is_page and "cache-control" not in headers:
        headers["Cache-Control"] = "no-store"


def _name_of(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    return urlsplit(f"//{host}").hostname or ""
