from datetime import datetime

import httpx
import pytest

from pgadvisor.store.quality import LOOKED_AT


def test_what_is_wrong_comes_worst_first_with_what_mends_it(client: httpx.Client) -> None:
    body = client.get("/api/v1/data-quality").json()
    ranks = ["error", "warning", "info"]
    severities = [ranks.index(item["severity"]) for item in body["items"]]
    assert severities == sorted(severities)
    assert body["attention"] == sum(rank < 2 for rank in severities)
    first = body["items"][0]
    assert (first["name"], first["target"]) == ("target-failing", "reports.example:5432")
    assert first["remedy"] == "pgadvisor doctor 'host=reports.example'"
    assert all(item["why"] and item["message"] for item in body["items"])
    assert {"clock-skew", "log-problem", "log-skipped", "check", "gap-eviction"} <= {
        item["name"] for item in body["items"]
    }


def test_the_window_is_whole_hours(client: httpx.Client) -> None:
    params = {"window": "2h", "until": "2026-03-04T11:20:00Z"}
    body = client.get("/api/v1/data-quality", params=params).json()
    assert datetime.fromisoformat(body["since"]).isoformat() == "2026-03-04T09:00:00+00:00"
    assert datetime.fromisoformat(body["until"]).isoformat() == "2026-03-04T12:00:00+00:00"


def test_one_target_and_one_database(client: httpx.Client) -> None:
    def found(**params: str) -> set[tuple[str, str | None]]:
        answer = client.get("/api/v1/data-quality", params=params)
        return {(item["target"], item["database_name"]) for item in answer.json()["items"]}

    assert found(target="reports.example:5432") == {("reports.example:5432", None)}
    of_shop = found(database="shop")  # and what other tests sent of servers without it
    assert of_shop >= {
        ("reports.example:5432", None),
        ("/run/shop:5432", None),
        ("/run/shop:5432", "shop"),
    }
    assert {database for _, database in of_shop} == {None, "shop"}
    assert found(target="nobody") == set()


@pytest.mark.parametrize("params", [{}, {"window": "30d"}])
def test_queries_of_an_item_can_be_looked_up(client: httpx.Client, params: dict[str, str]) -> None:
    items = client.get("/api/v1/data-quality", params=params).json()["items"]
    hashes = {one for item in items for one in item["query_hashes"]}
    assert hashes
    for query_hash in hashes:
        assert client.get(f"/api/v1/queries/{query_hash}").status_code == 200


def test_an_empty_store_says_what_was_looked_at(empty_client: httpx.Client) -> None:
    body = empty_client.get("/api/v1/data-quality").json()
    assert (body["items"], body["attention"]) == ([], 0)
    assert [look["name"] for look in body["looked_at"]] == list(LOOKED_AT)
