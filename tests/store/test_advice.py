"""Advice keeps its id, expires when it is no longer found, and stays rejected."""

from dataclasses import replace
from typing import Any

import pytest
from tests.store.made import HOUR, MINUTE, NOON, new_target

from pgadvisor.errors import NotFound
from pgadvisor.records.advice import (
    Effect,
    EvidenceLevel,
    Factor,
    Finding,
    Recommendation,
    Risk,
    Skipped,
)
from pgadvisor.records.statement import QueryId
from pgadvisor.store import Store
from pgadvisor.store.advice import (
    StoredRecommendation,
    list_recommendations,
    recommendation,
    save_advice,
    silences_of,
)


def advice(
    key: str, urgency: float = 30.0, queryid: int = -(2**63), **finding: Any
) -> Recommendation:
    whole: dict[str, Any] = {
        "rule": "missing-index",
        "key": key,
        "title": f"index {key}",
        "statement": "CREATE INDEX CONCURRENTLY ...",
        "undo": "DROP INDEX CONCURRENTLY ...",
        "reasoning": "because",
        "evidence_level": EvidenceLevel.COSTED,
        "confidence": 0.8,
        "effects": (
            Effect(
                queryid=QueryId(queryid),
                improvement_ratio=0.5,
                improvement_low=0.3,
                improvement_high=0.7,
                cost_before=10.5,
            ),
        ),
        "evidence": {"nodes": ["Seq Scan"], "at": NOON},
        "risk": Risk(size_bytes=8192, notes=("slow",)),
        **finding,
    }
    return Recommendation(
        finding=Finding(**whole),
        confidence_score=0.8,
        estimated_improvement_percent=50.0,
        improvement_low_percent=30.0,
        improvement_high_percent=70.0,
        frequency=120.0,
        current_impact=urgency / 120.0,
        urgency_score=urgency,
        roi_score=0.8 * 50.0 * urgency,
        factors=(Factor(name="frequency", value=120.0, unit="calls/h", source="history"),),
    )


@pytest.fixture
def target(store: Store) -> int:
    return new_target(store)


def save(store: Store, target: int, *found: Recommendation, hour: int = 0, **more: Any) -> None:
    with store.transaction() as conn:
        save_advice(
            conn, target, more.get("database", "shop"), found, more.get("skipped", ()),
            now=NOON + hour * HOUR,
        )  # fmt: skip


def listed(store: Store, **filters: Any) -> list[StoredRecommendation]:
    with store.transaction() as conn:
        return list_recommendations(conn, **filters)


def set_state(store: Store, key: str, state: str) -> None:
    with store.transaction() as conn:
        conn.execute(
            "update optimization_recommendations set state = %s, state_reason = 'a person'"
            " where key = %s",
            [state, key],
        )


def test_everything_comes_back(store: Store, target: int) -> None:
    save(store, target, advice("a"))
    (found,) = listed(store)
    assert found.roi_score == advice("a").roi_score
    assert found.queryids == [-(2**63)]
    assert found.effects[0]["queryid"] == str(-(2**63))  # JavaScript would round the number
    assert found.effects[0]["cost_before"] == 10.5
    assert found.evidence == {"nodes": ["Seq Scan"], "at": str(NOON)}
    assert found.risk["size_bytes"] == 8192
    assert found.factors == [
        {"name": "frequency", "value": 120.0, "unit": "calls/h", "source": "history"}
    ]
    assert (found.target, found.database_name, found.state) == ("shop", "shop", "proposed")
    with store.transaction() as conn:
        assert recommendation(conn, found.id) == found
        with pytest.raises(NotFound):
            recommendation(conn, found.id + 1)


def test_found_again_it_keeps_its_id_and_is_brought_up_to_date(store: Store, target: int) -> None:
    save(store, target, advice("a"))
    (before,) = listed(store)
    save(store, target, advice("a", urgency=60.0, title="now"), hour=1)
    (after,) = listed(store)
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert (after.title, after.roi_score) == ("now", 2 * before.roi_score)
    assert after.updated_at == NOON + HOUR


def test_what_is_not_found_any_more_expires_and_may_come_back(store: Store, target: int) -> None:
    save(store, target, advice("a"), advice("b"))
    save(store, target, advice("b"), hour=1)
    assert [one.key for one in listed(store)] == ["b"]
    (expired,) = listed(store, states=("expired",))
    assert expired.key == "a"
    assert expired.state_reason is not None
    save(store, target, advice("a"), advice("b"), hour=2)
    assert {one.key for one in listed(store)} == {"a", "b"}
    (back,) = [one for one in listed(store) if one.key == "a"]
    assert (back.id, back.state_reason) == (expired.id, None)
    save(store, target, hour=3)
    assert listed(store) == []


@pytest.mark.parametrize(
    ("state", "found_again", "not_found"),
    [
        ("accepted", "accepted", "expired"),
        ("rejected", "rejected", "rejected"),
        ("applied", "proposed", "applied"),
        ("verified", "proposed", "verified"),
        ("reverted", "proposed", "reverted"),
    ],
)
def test_states_that_a_person_set(
    store: Store, target: int, state: str, found_again: str, not_found: str
) -> None:
    """A change that was carried out and is found again is needed again: it was undone."""
    save(store, target, advice("again"), advice("gone"))
    set_state(store, "again", state)
    set_state(store, "gone", state)
    save(store, target, advice("again"), hour=1)
    found = {one.key: one.state for one in listed(store, states=[found_again, not_found])}
    assert found == {"again": found_again, "gone": not_found}


def test_another_database_is_left_alone(store: Store, target: int) -> None:
    save(store, target, advice("a"))
    save(store, target, advice("a"), database="other", hour=1)
    save(store, target, database="other", hour=2)
    assert [(one.key, one.database_name) for one in listed(store)] == [("a", "shop")]


def test_pages_are_whole_and_stable_with_ties(store: Store, target: int) -> None:
    scores = [30.0, 10.0, 30.0, 30.0, 1 / 3, 10.0, 30.0]
    save(store, target, *[advice(f"k{n}", score) for n, score in enumerate(scores)])
    whole = listed(store)
    assert [one.roi_score for one in whole] == sorted((s * 40 for s in scores), reverse=True)
    pages: list[StoredRecommendation] = []
    while page := listed(
        store, limit=2, after=(pages[-1].roi_score, pages[-1].id) if pages else None
    ):
        pages += page
    assert [one.id for one in pages] == [one.id for one in whole]


def test_filters(store: Store, target: int) -> None:
    save(store, target, advice("a", queryid=-7), advice("b", 99.0, queryid=8, rule="other-rule"))
    assert [one.key for one in listed(store, queryids=[-7])] == ["a"]
    assert [one.key for one in listed(store, rule="other-rule")] == ["b"]
    assert [one.key for one in listed(store, min_roi=2000.0)] == ["b"]
    assert listed(store, target="elsewhere") == []
    assert len(listed(store, target="shop", database="shop")) == 2


def test_reasons_for_silence_are_those_of_the_last_analysis(store: Store, target: int) -> None:
    def skipped(reason: str, queryid: int | None = 5, rule: str = "missing-index") -> Skipped:
        return Skipped(
            rule=rule, queryid=None if queryid is None else QueryId(queryid), reason=reason
        )

    first = [skipped("small table"), skipped("whole rule", None), skipped("again", rule="z")]
    save(store, target, skipped=[*first, skipped("said twice", rule="z")])
    with store.transaction() as conn:
        assert silences_of(conn, target, "shop", 5) == [
            ("missing-index", "small table"),
            ("z", "said twice"),
        ]
    save(store, target, skipped=[skipped("indexed")], hour=1)
    with store.transaction() as conn:
        assert silences_of(conn, target, "shop", 5) == [("missing-index", "indexed")]


def test_nothing_is_saved_when_one_is_bad(store: Store, target: int) -> None:
    save(store, target, advice("a"))
    with pytest.raises(Exception, match="confidence_score"):
        save(store, target, advice("b"), replace(advice("c"), confidence_score=2.0), hour=1)
    assert [one.key for one in listed(store)] == ["a"]
    assert listed(store)[0].updated_at == NOON + 0 * MINUTE
