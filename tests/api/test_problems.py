import logging
from typing import Any

import httpx
import pytest

from pgadvisor.errors import ConfigInvalid, NotParsable, SchemaOutdated, StoreUnavailable
from pgadvisor.store import Store

MEMBERS = {"type", "title", "status", "detail", "instance", "hint"}


def check_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS
    assert body["status"] == status
    return body


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/queries?limit=0", "limit"),
        ("/api/v1/queries?limit=501", "limit"),
        ("/api/v1/queries?limit=many", "limit"),
        ("/api/v1/queries?window=tomorrow", "window"),
        ("/api/v1/queries?window=0h", "window"),
        ("/api/v1/queries?window=401d", "window"),
        ("/api/v1/queries?window=999999w", "window"),
        ("/api/v1/queries?window=1h&since=2026-03-04T00:00:00Z", "window"),
        ("/api/v1/queries?since=2026-03-04T00:00:00", "since"),
        ("/api/v1/queries?since=2025-01-01T00:00:00Z", "since"),
        ("/api/v1/queries?since=2026-03-04T13:00:00Z", "since"),
        ("/api/v1/queries?since=0001-01-01T00:00:00%2B14:00", "since"),
        ("/api/v1/queries?until=9999-12-31T23:59:59-14:00", "until"),
        ("/api/v1/queries?database=a%00b", "database"),
        ("/api/v1/queries?database=", "database"),
        ("/api/v1/queries?table=", "table"),
        ("/api/v1/queries?kind=everything", "kind.0"),
        ("/api/v1/queries?per=universe", "per"),
        ("/api/v1/data-quality?window=401d", "window"),
        ("/api/v1/data-quality?target=a%00b", "target"),
        ("/api/v1/queries/not-a-hash", "hash"),
        ("/api/v1/queries/12345678901234567890", "hash"),
        ("/api/v1/optimization-recommendations?state=maybe", "state.0"),
        ("/api/v1/optimization-recommendations?min_roi=nan", "min_roi"),
        ("/api/v1/optimization-recommendations/0", "id"),
        ("/api/v1/optimization-recommendations/9223372036854775808", "id"),
    ],
)
def test_a_bad_parameter_is_named(client: httpx.Client, path: str, name: str) -> None:
    body = check_problem(client.get(path), 422)
    assert [error["name"] for error in body["errors"]] == [name]
    assert body["instance"] == path.split("?")[0]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "A" * 50, "ä", "e30"])
def test_a_bad_cursor_is_refused(client: httpx.Client, cursor: str) -> None:
    body = check_problem(client.get("/api/v1/queries", params={"cursor": cursor}), 400)
    assert body["type"] == "urn:pgadvisor:problem:cursor-invalid"


def test_a_changed_cursor_or_one_of_another_list_is_refused(client: httpx.Client) -> None:
    cursor = client.get("/api/v1/queries", params={"limit": 1}).json()["next_cursor"]
    for place in range(0, len(cursor), 7):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        check_problem(client.get("/api/v1/queries", params={"cursor": changed}), 400)
    with_filter = {"cursor": cursor, "database": "shop"}
    check_problem(client.get("/api/v1/queries", params=with_filter), 400)
    path = "/api/v1/optimization-recommendations"
    check_problem(client.get(path, params={"cursor": cursor}), 400)


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/queries"])
def test_an_unknown_path_is_a_problem(client: httpx.Client, path: str) -> None:
    check_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/queries"),
        ("DELETE", "/api/v1/optimization-recommendations/1"),
        ("PUT", "/metrics"),
        ("PATCH", "/healthz"),
    ],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_one(
    client: httpx.Client, method: str, path: str
) -> None:
    answer = client.request(method, path)
    check_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigInvalid("bad setting", hint="Mend it."), 400),
        (NotParsable("no SQL", hint="Mend it."), 422),
        (StoreUnavailable("gone", hint="Mend it."), 503),
        (SchemaOutdated("old", hint="Mend it."), 503),
    ],
)
def test_each_family_of_errors_has_its_status(
    client: httpx.Client,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(store, "check", fail)
    answer = client.get("/readyz")
    assert check_problem(answer, status)["hint"] == "Mend it."
    assert ("retry-after" in answer.headers) == (status == 503)


def test_an_unexpected_failure_is_logged_and_shows_nothing_of_the_inside(
    client: httpx.Client,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(store, "check", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/readyz")
    body = check_problem(answer, 500)
    assert "secret" not in str(body)
    assert answer.headers["x-content-type-options"] == "nosniff"
    tracebacks = [record for record in caplog.records if record.exc_info]
    assert len(tracebacks) == 1
    assert "secret of the inside" in caplog.text
