"""/targets: what may be changed over HTTP, by whom, and what a DSN may say there."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from tests.api.conftest import NOW, Serve

from pgadvisor.api import create_app
from pgadvisor.config import Settings
from pgadvisor.store import Store, open_store

PATH = "/api/v1/targets"
DSN = "postgresql://pgadvisor@db.example.org:5433/shop?sslmode=require"


@pytest.fixture
def own_store(new_store_dsn: Callable[[str], str]) -> Iterator[Store]:
    settings = Settings(database_url=new_store_dsn("api_targets"))
    with open_store(settings, now=NOW, upgrade=True) as store:
        yield store


@pytest.fixture
def own_client(own_store: Store, serve: Serve) -> Iterator[httpx.Client]:
    app = create_app(own_store, Settings(), clock=lambda: NOW)
    with (
        serve(app) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False) as client,
    ):
        yield client


def test_a_target_is_added_paused_resumed_and_removed(own_client: httpx.Client) -> None:
    new = {"dsn": DSN, "name": "shop", "interval": "10s", "excluded_databases": ["%_test"]}
    added = own_client.post(PATH, json=new)
    assert added.status_code == 201
    body = added.json()
    assert body["state"] == "waiting"
    assert body["interval_seconds"] == 10
    assert body["excluded_databases"] == ["%_test"]
    assert body["conninfo"] == (
        "host=db.example.org port=5433 user=pgadvisor dbname=shop sslmode=require"
    )
    assert own_client.post(f"{PATH}/shop/pause").json()["state"] == "paused"
    assert own_client.post(f"{PATH}/shop/resume").json()["state"] == "waiting"
    assert own_client.delete(f"{PATH}/shop").status_code == 204
    assert own_client.get(PATH).json() == {"items": []}
    kept = own_client.get(PATH, params={"removed": True}).json()["items"]
    assert [one["state"] for one in kept] == ["removed"]
    assert own_client.delete(f"{PATH}/shop", params={"delete_history": True}).status_code == 204
    assert own_client.get(PATH, params={"removed": True}).json() == {"items": []}


def test_a_target_without_a_name_is_called_by_host_and_port(own_client: httpx.Client) -> None:
    assert own_client.post(PATH, json={"dsn": DSN}).json()["name"] == "db.example.org:5433"


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("postgresql://me:secret@db.example.org/shop", "no password"),
        ("host=/var/run/postgresql dbname=shop", "not a socket"),
        ("dbname=shop", "not a socket"),
        ("host=db.example.org,@abstract dbname=shop", "not a socket"),
        ("host=db.example.org passfile=/etc/passwd", "passfile"),
        ("service=production", "service"),
        ("host=db.example.org sslkey=/home/me/key sslcert=x", "sslcert, sslkey"),
        ("host=db.example.org options=-csearch_path=x", "options"),
    ],
)
def test_a_dsn_over_http_names_no_secrets_files_or_sockets(
    own_client: httpx.Client, dsn: str, words: str
) -> None:
    answer = own_client.post(PATH, json={"dsn": dsn})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert answer.json()["errors"][0]["in"] == "body"
    assert "secret" not in answer.text
    assert own_client.get(PATH).json() == {"items": []}


def test_a_malformed_dsn_is_a_problem(own_client: httpx.Client) -> None:
    answer = own_client.post(PATH, json={"dsn": "postgresql://[secret"})
    assert answer.status_code == 400
    assert "secret" not in answer.text


def test_targets_are_not_changed_where_others_may_reach_the_server(
    own_store: Store, serve: Serve
) -> None:
    app = create_app(own_store, Settings(host="0.0.0.0"), clock=lambda: NOW)
    with (
        serve(app) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False) as client,
    ):
        answers = [
            client.post(PATH, json={"dsn": DSN}),
            client.post(f"{PATH}/x/pause"),
            client.post(f"{PATH}/x/resume"),
            client.delete(f"{PATH}/x"),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4
        assert client.get(PATH).json() == {"items": []}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_page_of_another_origin_cannot_add_a_target_without_a_preflight(
    own_client: httpx.Client, content_type: str
) -> None:
    answer = own_client.post(
        PATH,
        content=f'{{"dsn": "{DSN}"}}',
        headers={"Content-Type": content_type, "Origin": "https://evil.example"},
    )
    assert answer.status_code in (403, 422)
    assert own_client.get(PATH).json() == {"items": []}


def test_a_page_of_another_origin_cannot_pause_a_target(own_client: httpx.Client) -> None:
    own_client.post(PATH, json={"dsn": DSN, "name": "shop"})
    for verb, path in (("POST", "/shop/pause"), ("DELETE", "/shop")):
        answer = own_client.request(
            verb, f"{PATH}{path}", headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
    assert own_client.get(PATH).json()["items"][0]["state"] == "waiting"
    origin = str(own_client.base_url).rstrip("/")
    assert own_client.post(f"{PATH}/shop/pause", headers={"Origin": origin}).status_code == 200


@pytest.mark.slow
def test_no_generated_change_breaks_the_server_or_its_schema(own_client: httpx.Client) -> None:
    schema = schemathesis.openapi.from_url(f"{own_client.base_url}/openapi.json")
    wanted = ("not_a_server_error", "status_code_conformance", "response_schema_conformance")
    checks: list[Any] = [check for check in CHECKS.get_all() if check.__name__ in wanted]
    tried = 0
    for result in schema.include(path_regex="^/api/v1/targets").get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @hypothesis_settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check_case(case: Any) -> None:
            case.call_and_validate(checks=checks)

        check_case()
        tried += 1
    assert tried == 5
