"""The ROI arithmetic, by properties."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.recommend import recommend
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Recommendation
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query, Workload

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def query(queryid: int, calls: int, ms: float, **more: Any) -> Query:
    return Query(
        queryid=QueryId(queryid),
        fingerprint=None,
        query="select 1",
        calls=calls,
        total_exec_time=calls * ms,
        rows=0,
        **more,
    )


def workload(*queries: Query, hours: float = 10.0) -> Workload:
    return Workload(
        target_id=1,
        target="t",
        database="d",
        since=NOW - timedelta(hours=hours),
        until=NOW,
        observed_hours=hours,
        queries=queries,
    )


def effect(queryid: int, ratio: float, low: float = 0.0, high: float = 0.0) -> Effect:
    return Effect(
        queryid=QueryId(queryid),
        improvement_ratio=ratio,
        improvement_low=min(ratio, low or ratio),
        improvement_high=max(ratio, high or ratio),
    )


def finding(key: str, *effects: Effect, confidence: float = 0.5, **more: Any) -> Finding:
    return Finding(
        **{
            "rule": "missing-index",
            "key": key,
            "title": key,
            "statement": "create index",
            "undo": "drop index",
            "reasoning": "because",
            "evidence_level": EvidenceLevel.COSTED,
            "confidence": confidence,
            "effects": effects,
            **more,
        }
    )


def indexed(table: str, *columns: str) -> dict[str, Any]:
    return {"indexes": [{"table": table, "key_columns": list(columns)}]}


QUERIES = st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 60_000)), min_size=1, max_size=4)
FINDINGS = st.lists(
    st.tuples(
        st.sampled_from(["missing-index", "missing-foreign-key-index", "spills"]),
        st.lists(
            st.tuples(st.integers(0, 3), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)),
            min_size=1,
            max_size=3,
            unique_by=lambda one: one[0],
        ),
        st.floats(0, 1),
        st.floats(0, 1000),
    ),
    max_size=5,
)


def built(findings: list[Any]) -> list[Finding]:
    return [
        finding(
            f"key {number}",
            *(
                effect(queryid, sorted((a, b, c))[1], min(a, b, c), max(a, b, c))
                for queryid, a, b, c in effects
            ),
            confidence=confidence,
            rule=rule,
            evidence={"write_ms_per_hour": upkeep},
        )
        for number, (rule, effects, confidence, upkeep) in enumerate(findings)
    ]


def workload_of(queries: list[tuple[int, float]], hours: float) -> Workload:
    return workload(*(query(i, calls, ms) for i, (calls, ms) in enumerate(queries)), hours=hours)


@given(QUERIES, FINDINGS, st.floats(0.01, 168))
def test_score_is_the_product_of_its_three_factors(
    queries: list[tuple[int, float]], findings: list[Any], hours: float
) -> None:
    for one in recommend(built(findings), workload_of(queries, hours)):
        assert one.urgency_score == one.frequency * one.current_impact
        assert one.roi_score == (
            one.confidence_score * one.estimated_improvement_percent * one.urgency_score
        )
        assert {factor.name: factor.value for factor in one.factors} == {
            "confidence_score": one.confidence_score,
            "estimated_improvement_percent": one.estimated_improvement_percent,
            "frequency": one.frequency,
            "current_impact": one.current_impact,
        }


@given(QUERIES, FINDINGS, st.floats(0.01, 168))
def test_the_interval_holds_the_estimate_and_nothing_is_above_a_hundred_percent(
    queries: list[tuple[int, float]], findings: list[Any], hours: float
) -> None:
    for one in recommend(built(findings), workload_of(queries, hours)):
        assert one.improvement_low_percent <= one.estimated_improvement_percent
        assert one.estimated_improvement_percent <= one.improvement_high_percent <= 100
        assert one.estimated_improvement_percent > 0
        assert one.improvement_low_percent >= -100


@given(QUERIES, FINDINGS)
def test_all_together_promise_no_more_than_the_time_of_each_query(
    queries: list[tuple[int, float]], findings: list[Any]
) -> None:
    promised: dict[QueryId, float] = {}
    for one in recommend(built(findings), workload_of(queries, 10.0)):
        for its in one.finding.effects:
            promised[its.queryid] = promised.get(its.queryid, 0.0) + its.improvement_ratio
    assert all(share <= 1 + 1e-9 for share in promised.values())


@given(QUERIES, FINDINGS, st.randoms(use_true_random=False))
def test_order_falls_by_score_and_does_not_depend_on_the_order_of_findings(
    queries: list[tuple[int, float]], findings: list[Any], random: Any
) -> None:
    given_order = built(findings)
    # rules run in a fixed order; within a rule findings may come in any
    shuffled = list(given_order)
    random.shuffle(shuffled)
    ranked = recommend(given_order, workload_of(queries, 10.0))
    scores = [one.roi_score for one in ranked]
    assert scores == sorted(scores, reverse=True)
    again = recommend(shuffled, workload_of(queries, 10.0))
    assert keys(ranked) == keys(again)


def keys(ranked: list[Recommendation]) -> list[str]:
    return [one.finding.key for one in ranked]


def test_a_hundredth_of_the_score_is_the_seconds_an_hour_that_one_may_expect_to_save() -> None:
    (one,) = recommend(
        [finding("k", effect(1, 0.5), confidence=1.0)], workload(query(1, 3600, 100), hours=1.0)
    )
    assert one.frequency == 3600
    assert one.current_impact == pytest.approx(0.1)
    assert one.roi_score / 100 == pytest.approx(180)


def test_effects_weigh_by_the_time_of_their_queries() -> None:
    (one,) = recommend(
        [finding("k", effect(1, 0.9), effect(2, 0.1))],
        workload(query(1, 100, 10), query(2, 100, 30)),
    )
    assert one.estimated_improvement_percent == pytest.approx(100 * (0.25 * 0.9 + 0.75 * 0.1))


def test_upkeep_is_taken_off_and_advice_that_costs_more_than_it_saves_is_none() -> None:
    load = workload(query(1, 3600, 100), hours=1.0)  # 360 s an hour
    (one,) = recommend([finding("k", effect(1, 0.5), evidence={"write_ms_per_hour": 36_000})], load)
    assert one.estimated_improvement_percent == pytest.approx(40)
    assert not recommend(
        [finding("k", effect(1, 0.5), evidence={"write_ms_per_hour": 200_000})], load
    )


def test_a_finding_whose_queries_never_ran_has_no_score() -> None:
    assert not recommend([finding("k", effect(1, 0.5))], workload(query(1, 0, 0)))
    assert not recommend([finding("k", effect(7, 0.5))], workload(query(1, 1, 1)))


def test_the_second_rule_gets_its_share_of_what_the_first_leaves() -> None:
    first, second = recommend(
        [finding("a", effect(1, 0.9)), finding("b", effect(1, 0.5), rule="spills")],
        workload(query(1, 100, 10)),
    )
    assert first.estimated_improvement_percent == pytest.approx(90)
    assert second.estimated_improvement_percent == pytest.approx(5)


def test_findings_of_one_rule_add_up_since_they_know_of_each_other() -> None:
    first, second = recommend(
        [finding("a", effect(1, 0.6)), finding("b", effect(1, 0.3))], workload(query(1, 100, 10))
    )
    assert first.estimated_improvement_percent == pytest.approx(60)
    assert second.estimated_improvement_percent == pytest.approx(30)


def test_two_rules_that_want_the_same_index_are_one_recommendation_with_both_effects() -> None:
    (one,) = recommend(
        [
            finding("index:t(a)", effect(1, 0.9), confidence=0.8),
            finding("index:t(a)", effect(2, 0.9), confidence=0.4, rule="missing-foreign-key-index"),
        ],
        workload(query(1, 100, 10), query(2, 100, 10)),
    )
    assert [its.queryid for its in one.finding.effects] == [1, 2]
    assert one.confidence_score == pytest.approx(0.6)
    assert one.estimated_improvement_percent == pytest.approx(90)


def test_a_wider_index_does_the_work_for_the_foreign_key() -> None:
    (one,) = recommend(
        [
            finding("index:t(b,a,c)", effect(1, 0.9), evidence=indexed("s.t", "b", "a", "c")),
            finding(
                "index:t(a,b)",
                effect(2, 0.9),
                rule="missing-foreign-key-index",
                evidence=indexed("s.t", "a", "b"),
            ),
        ],
        workload(query(1, 100, 10), query(2, 100, 10)),
    )
    assert one.finding.key == "index:t(b,a,c)"
    assert [its.queryid for its in one.finding.effects] == [1, 2]


@pytest.mark.parametrize(
    "wider", [indexed("s.t", "b", "c", "a"), indexed("s.u", "a", "b"), indexed("s.t", "a")]
)
def test_an_index_that_does_not_begin_with_the_key_does_not(wider: dict[str, Any]) -> None:
    ranked = recommend(
        [
            finding("one", effect(1, 0.9), evidence=wider),
            finding(
                "two",
                effect(2, 0.9),
                rule="missing-foreign-key-index",
                evidence=indexed("s.t", "a", "b"),
            ),
        ],
        workload(query(1, 100, 10), query(2, 100, 10)),
    )
    assert sorted(keys(ranked)) == ["one", "two"]


def test_the_check_inside_a_delete_is_not_counted_twice() -> None:
    (one,) = recommend(
        [
            finding("index:t(a)", effect(1, 0.9)),
            finding("index:t(a)", effect(2, 0.9), rule="missing-foreign-key-index"),
        ],
        workload(query(1, 100, 10, toplevel=False), query(2, 100, 10)),
    )
    assert [its.queryid for its in one.finding.effects] == [1]
