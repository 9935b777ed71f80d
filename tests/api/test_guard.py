from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from pgadvisor.api import create_app
from pgadvisor.config import Settings
from pgadvisor.store import Store

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_server_on_localhost_answers_to_localhost(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.7", ""])
def test_a_server_on_localhost_refuses_other_names(client: httpx.Client, host: str) -> None:
    answer = client.get("/api/v1/queries", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this server answers only to localhost"


def test_a_server_on_another_address_answers_to_any_name(store: Store, serve: Serve) -> None:
    app = create_app(store, Settings(host="0.0.0.0"), clock=lambda: datetime.now(UTC))
    with serve(app) as address:
        answer = httpx.get(
            f"http://{address}/healthz",
            headers={"host": "advisor.example.org"},
            trust_env=False,
        )
    assert answer.status_code == 200


def test_a_websocket_from_a_page_of_another_origin_is_refused(store: Store, serve: Serve) -> None:
    app = create_app(store, Settings(), clock=lambda: datetime.now(UTC))

    @app.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    with serve(app) as address:
        url = f"ws://{address}/events"
        with connect(url, origin=Origin(f"http://{address}"), proxy=None) as socket:
            assert socket.recv() == "hello"
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, origin=Origin("http://evil.example"), proxy=None)


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/databases", "/metrics", "/api/nothing"])
def test_every_answer_has_security_headers_and_no_cors(client: httpx.Client, path: str) -> None:
    headers = client.get(path, headers={"origin": "http://evil.example"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_that_loads_scripts_from_elsewhere(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
