"""The ROI of a finding, and the order.

    roi_score     = confidence_score x estimated_improvement_percent x urgency_score
    urgency_score = frequency x current_impact

over the queries a finding concerns: `frequency` is their calls per hour, `current_impact` their
mean execution time in seconds, so urgency is seconds of database time an hour, and the
improvement is the share of exactly those seconds that goes away. A hundredth of the score is
the seconds of database time an hour that one may expect to save.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pgadvisor.recommend.combine import combined
from pgadvisor.records.advice import Effect, Factor, Finding, Recommendation
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query, Workload

__all__ = ["recommend"]

_SHORTEST_HOURS = 1 / 60


def recommend(findings: Iterable[Finding], workload: Workload) -> list[Recommendation]:
    """Recommendations by falling roi_score; findings that ask for the same change are one.

    A second of a query can be saved once only: each recommendation counts what those above it
    leave, so that all of them together promise no more than the whole of a query's time.
    """
    queries = {query.queryid: query for query in workload.queries}
    waiting = combined(findings, queries)
    promised = _Promised()
    ranked: list[Recommendation] = []
    while waiting:
        scored = [
            (one, finding)
            for finding in waiting
            if (one := _score(promised.limited(finding), queries, workload)) is not None
        ]
        if not scored:
            break
        best, original = min(scored, key=lambda pair: (-pair[0].roi_score, pair[1].key))
        ranked.append(best)
        promised.add(best.finding)
        waiting.remove(original)
    return ranked


@dataclass(frozen=True, slots=True)
class _Promised:
    """Shares of each query's time that earlier recommendations take away, by rule."""

    shares: dict[QueryId, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )

    def add(self, finding: Finding) -> None:
        for effect in finding.effects:
            self.shares[effect.queryid][finding.rule] += max(effect.improvement_ratio, 0.0)

    def limited(self, finding: Finding) -> Finding:
        """The finding with effects on what is left.

        Findings of one rule know of each other (an index is costed beside those chosen before
        it), those of other rules do not: they take their share of the rest.
        """
        return replace(
            finding,
            effects=tuple(self._limited(finding.rule, effect) for effect in finding.effects),
        )

    def _limited(self, rule: str, effect: Effect) -> Effect:
        promised = self.shares.get(effect.queryid, {})
        ratio = effect.improvement_ratio
        if not promised or ratio <= 0:
            return effect
        by_others = sum(share for other, share in promised.items() if other != rule)
        left = max(1 - sum(promised.values()), 0.0)
        factor = min(ratio * max(1 - by_others, 0.0), left) / ratio
        return replace(
            effect,
            improvement_ratio=ratio * factor,
            improvement_low=effect.improvement_low * factor,
            improvement_high=effect.improvement_high * factor,
        )


def _score(
    finding: Finding, queries: Mapping[QueryId, Query], workload: Workload
) -> Recommendation | None:
    """The finding with its score; None where it saves nothing, or less than its upkeep."""
    hours = max(workload.observed_hours, _SHORTEST_HOURS)
    concerned = [
        (queries[effect.queryid], effect) for effect in finding.effects if effect.queryid in queries
    ]
    total_ms = sum(query.total_exec_time for query, _ in concerned)
    calls = sum(query.calls for query, _ in concerned)
    if not total_ms or not calls:
        return None  # nothing ran in the window: there is no time to save
    frequency = calls / hours
    current_impact = total_ms / calls / 1000
    urgency = frequency * current_impact
    upkeep_percent = _upkeep_percent(finding, urgency)

    def percent(share_of: Callable[[Effect], float]) -> float:
        """Of the time of all queries concerned; intervals add up as if errors went together."""
        saved = sum(query.total_exec_time * share_of(effect) for query, effect in concerned)
        return max(min(100 * saved / total_ms - upkeep_percent, 100.0), -100.0)

    improvement = percent(lambda effect: effect.improvement_ratio)
    if improvement <= 0:
        return None
    return Recommendation(
        finding=finding,
        confidence_score=finding.confidence,
        estimated_improvement_percent=improvement,
        improvement_low_percent=percent(lambda effect: effect.improvement_low),
        improvement_high_percent=percent(lambda effect: effect.improvement_high),
        frequency=frequency,
        current_impact=current_impact,
        urgency_score=urgency,
        roi_score=finding.confidence * improvement * urgency,
        factors=_factors(finding, workload, improvement, frequency, current_impact, upkeep_percent),
    )


def _upkeep_percent(finding: Finding, urgency: float) -> float:
    """What keeping up an index costs, as a percentage of the time of the queries it helps."""
    upkeep_ms = float(finding.evidence.get("write_ms_per_hour", 0.0))
    return 100 * (upkeep_ms / 1000) / urgency if urgency else 0.0


def _factors(
    finding: Finding,
    workload: Workload,
    improvement: float,
    frequency: float,
    current_impact: float,
    upkeep_percent: float,
) -> tuple[Factor, ...]:
    window = (
        f"pg_stat_statements deltas from {workload.since:%Y-%m-%d %H:%M} to "
        f"{workload.until:%Y-%m-%d %H:%M} UTC, {workload.observed_hours:.2f} hours observed"
    )
    return (
        Factor(
            name="confidence_score",
            value=finding.confidence,
            unit="probability",
            source=f"rule {finding.rule}, evidence level {finding.evidence_level}",
        ),
        Factor(
            name="estimated_improvement_percent",
            value=improvement,
            unit="percent of the time of the queries concerned",
            source=f"effects on {len(finding.effects)} queries, weighted by their time, less "
            f"{upkeep_percent:.2f} percent for the upkeep of the index",
        ),
        Factor(name="frequency", value=frequency, unit="calls per hour", source=window),
        Factor(name="current_impact", value=current_impact, unit="seconds per call", source=window),
    )
