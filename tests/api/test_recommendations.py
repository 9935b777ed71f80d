from typing import Any

import httpx
import pytest

PATH = "/api/v1/optimization-recommendations"


def test_recommendations_are_ranked_by_roi(client: httpx.Client) -> None:
    items = client.get(PATH).json()["items"]
    scores = [item["roi_score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert [item["rule"] for item in items] == [
        "missing-index",
        "sort-or-hash-spills-to-disk",
        "missing-foreign-key-index",
    ]


def test_the_score_is_the_product_of_factors_that_say_where_they_come_from(
    client: httpx.Client,
) -> None:
    for item in client.get(PATH).json()["items"]:
        assert item["urgency_score"] == pytest.approx(item["frequency"] * item["current_impact"])
        assert item["roi_score"] == pytest.approx(
            item["confidence_score"] * item["estimated_improvement_percent"] * item["urgency_score"]
        )
        factors = {factor["name"]: factor for factor in item["factors"]}
        assert all(factor["source"] for factor in factors.values())
        for name in ("confidence_score", "frequency", "current_impact"):
            assert factors[name]["value"] == pytest.approx(item[name])


def test_a_recommendation_has_sql_to_run_and_to_undo_evidence_and_risk(
    client: httpx.Client,
) -> None:
    first = client.get(PATH).json()["items"][0]
    assert "CONCURRENTLY" in first["statement"]
    assert first["undo"].startswith("DROP INDEX")
    assert first["queryids"] == ["-4402183927123213"]
    assert first["effects"][0]["queryid"] == "-4402183927123213"
    assert first["evidence"]["table_rows"] == 1_200_000
    assert first["risk"]["lock"].startswith("SHARE UPDATE EXCLUSIVE")
    assert client.get(f"{PATH}/{first['id']}").json() == first


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"database": "shop"}, 3),
        ({"database": "nowhere"}, 0),
        ({"target": "/run/shop:5432"}, 3),
        ({"target": "reports.example:5432"}, 0),
        ({"rule": "missing-index"}, 1),
        ({"min_roi": 1000}, 2),
        ({"state": "proposed"}, 3),
        ({"state": ["rejected", "expired"]}, 0),
    ],
)
def test_filters(client: httpx.Client, params: dict[str, Any], count: int) -> None:
    assert len(client.get(PATH, params=params).json()["items"]) == count


def test_pages_hold_every_recommendation_once(client: httpx.Client) -> None:
    first = client.get(PATH, params={"limit": 2}).json()
    second = client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert second["next_cursor"] is None
    assert first["items"] + second["items"] == client.get(PATH).json()["items"]


def test_an_unknown_recommendation_is_a_problem(client: httpx.Client) -> None:
    answer = client.get(f"{PATH}/987654321")
    assert answer.status_code == 404
    assert "advise" in answer.json()["hint"]
