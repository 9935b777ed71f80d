from datetime import datetime, timedelta

import httpx
import pytest

SLOW = "-4402183927123213"


def test_the_busiest_query_comes_first_and_its_queryid_is_a_string(client: httpx.Client) -> None:
    body = client.get("/api/v1/queries").json()
    assert body["items"][0]["queryid"] == SLOW
    times = [item["total_exec_time"] for item in body["items"]]
    assert times == sorted(times, reverse=True)


def test_shares_of_a_database_add_up_to_one(client: httpx.Client) -> None:
    items = client.get("/api/v1/queries", params={"database": "shop", "limit": 500}).json()["items"]
    assert {item["database_name"] for item in items} == {"shop"}
    assert sum(item["share_ratio"] for item in items) == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 3, 500])
def test_pages_hold_every_query_once_in_order(client: httpx.Client, size: int) -> None:
    whole = client.get("/api/v1/queries", params={"limit": 500}).json()["items"]
    seen: list[object] = []
    cursor = None
    while True:
        params: dict[str, str] = {"limit": str(size)}
        if cursor:
            params["cursor"] = cursor
        page = client.get("/api/v1/queries", params=params).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == whole
    assert len(whole) == 13


def test_utility_statements_are_listed_when_asked_for(client: httpx.Client) -> None:
    def kinds(**params: str) -> list[str | None]:
        answer = client.get("/api/v1/queries", params={"limit": "500", **params})
        return sorted({item["kind"] for item in answer.json()["items"]}, key=str)

    assert kinds() == [None, "insert", "select", "update"]  # None: hidden
    assert kinds(include_utility="true") == [None, "copy", "insert", "select", "update", "utility"]
    assert kinds(kind="copy") == ["copy"]
    assert kinds(kind="copy", database="shop") == []


def test_queries_of_a_table(client: httpx.Client) -> None:
    def queryids(**params: str) -> set[str]:
        answer = client.get("/api/v1/queries", params={"limit": "500", **params})
        assert all(params["table"] in item["tables"] for item in answer.json()["items"])
        return {item["queryid"] for item in answer.json()["items"]}

    assert queryids(table="customers") == {SLOW, "32", "38"}
    assert queryids(table="customers", database="analytics/<i>2026</i>") == set()
    # CTEs are no tables
    assert queryids(table="daily") == set()


def test_a_long_window_is_whole_hours_and_says_so(client: httpx.Client) -> None:
    until = "2026-03-04T11:20:00Z"
    body = client.get("/api/v1/queries", params={"window": "3h", "until": until}).json()
    assert (body["since"], body["until"], body["of_hours"]) == (
        "2026-03-04T08:00:00Z",
        "2026-03-04T12:00:00Z",
        True,
    )
    same = client.get(
        "/api/v1/queries", params={"since": body["since"], "until": body["until"]}
    ).json()
    assert same["items"] == body["items"]
    body = client.get("/api/v1/queries", params={"window": "2h", "until": until}).json()
    assert (body["since"], body["of_hours"]) == ("2026-03-04T09:20:00Z", False)


def test_a_short_window_of_long_ago_is_read_from_hours(client: httpx.Client) -> None:
    """Intervals are kept for seven days."""
    old = {"since": "2026-02-20T10:10:00Z", "until": "2026-02-20T11:10:00Z"}
    body = client.get("/api/v1/queries", params=old).json()
    assert (body["since"], body["of_hours"]) == ("2026-02-20T10:00:00Z", True)


def test_a_window_is_since_and_until_or_a_length(client: httpx.Client) -> None:
    hour = client.get("/api/v1/queries", params={"window": "1h"}).json()
    assert datetime.fromisoformat(hour["until"]) - datetime.fromisoformat(
        hour["since"]
    ) == timedelta(hours=1)
    same = client.get(
        "/api/v1/queries", params={"since": hour["since"], "until": hour["until"]}
    ).json()
    assert same["items"] == hour["items"]
    day = client.get("/api/v1/queries").json()
    assert hour["items"][0]["calls"] < day["items"][0]["calls"]


def test_a_query_has_text_history_plans_and_advice(client: httpx.Client) -> None:
    body = client.get(f"/api/v1/queries/{SLOW}").json()
    assert body["queryid"] == SLOW
    assert "\nORDER BY" in body["formatted_query"]
    assert sum(point["calls"] for point in body["history"]["points"]) == body["calls"]
    assert [plan["executions"] for plan in body["plans"]] == [20]
    assert body["plans"][0]["plan"]["Node Type"] == "Limit"
    assert [one["rule"] for one in body["recommendations"]] == ["missing-index"]
    assert body["silences"] == []


def test_a_fingerprint_finds_the_query_too(client: httpx.Client) -> None:
    fingerprint = client.get(f"/api/v1/queries/{SLOW}").json()["fingerprint"]
    for text in (fingerprint, fingerprint.upper()):
        assert client.get(f"/api/v1/queries/{text}").json()["queryid"] == SLOW


def test_a_query_without_advice_says_why(client: httpx.Client) -> None:
    body = client.get("/api/v1/queries/31").json()
    assert body["recommendations"] == []
    assert body["silences"][0] == {"rule": "missing-index", "reason": "the plan already uses one"}


def test_a_query_without_plan_says_why(client: httpx.Client) -> None:
    body = client.get("/api/v1/queries/34").json()
    assert (body["plans"], body["no_plan_reason"]) == ([], "it is an INSERT with volatile")


def test_a_hidden_text_is_null_with_the_reason(client: httpx.Client) -> None:
    body = client.get("/api/v1/queries/999").json()
    assert body["query"] is None
    assert "pg_read_all_stats" in body["unreadable"]


def test_a_known_query_that_did_not_run_has_zero_counters(client: httpx.Client) -> None:
    body = client.get("/api/v1/queries/54").json()
    assert (body["calls"], body["history"]["points"]) == (0, [])
    assert body["query"] == "select 1 from archive where id = $1"


def test_an_unknown_query_is_a_problem(client: httpx.Client) -> None:
    answer = client.get("/api/v1/queries/123456")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:pgadvisor:problem:not-found"
    assert "fingerprint" in answer.json()["hint"]


def test_a_queryid_of_another_database_is_not_found_there(client: httpx.Client) -> None:
    path = f"/api/v1/queries/{SLOW}"
    assert client.get(path, params={"database": "analytics/<i>2026</i>"}).status_code == 404
    assert client.get(path, params={"database": "shop"}).status_code == 200
    assert client.get(path, params={"target": "reports.example:5432"}).status_code == 404


def test_an_empty_store_has_empty_lists(empty_client: httpx.Client) -> None:
    body = empty_client.get("/api/v1/queries").json()
    assert (body["items"], body["next_cursor"]) == ([], None)
    assert empty_client.get("/api/v1/databases").json()["items"] == []
    assert empty_client.get("/api/v1/optimization-recommendations").json()["items"] == []


def test_databases_come_with_their_load(client: httpx.Client) -> None:
    items = client.get("/api/v1/databases").json()["items"]  # others may have sent logs
    first, second = (one for one in items if one["server_version_num"])
    assert [first["database_name"], second["database_name"]] == ["shop", "analytics/<i>2026</i>"]
    assert first["server_version_num"] == 150018
    assert first["total_exec_time"] > second["total_exec_time"] > 0
