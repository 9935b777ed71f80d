"""The ROI of a finding, and the order.

    roi_score     = confidence_score x estimated_improvement_percent x urgency_score
    urgency_score = frequency x current_impact

over the queries a finding concerns: `frequency` is their calls per hour, `current_impact` their
mean execution time in seconds, so urgency is seconds of database time an hour, and the
improvement is the share of exactly those seconds that goes away. A hundredth of the score is
the seconds of database time an hour that one may expect to save.
"""

from collections.abc import Iterable, Mapping, Sequence

from pgadvisor.records.advice import Factor, Finding, Recommendation
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query, Workload

__all__ = ["recommend"]

_SHORTEST_HOURS = 1 / 60


def recommend(findings: Iterable[Finding], workload: Workload) -> list[Recommendation]:
    """Recommendations by falling roi_score; findings that ask for the same change are one."""
    queries = {query.queryid: query for query in workload.queries}
    scored = [
        recommendation
        for finding in _merged(findings)
        if (recommendation := _score(finding, queries, workload)) is not None
    ]
    return sorted(scored, key=lambda one: (-one.roi_score, one.finding.key))


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a key: the first, which comes from the rule that runs first."""
    merged: dict[str, Finding] = {}
    for finding in findings:
        merged.setdefault(finding.key, finding)
    return list(merged.values())


def _score(
    finding: Finding, queries: Mapping[QueryId, Query], workload: Workload
) -> Recommendation | None:
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

    def percent(of: Sequence[float]) -> float:
        saved = sum(q.total_exec_time * share for (q, _), share in zip(concerned, of, strict=True))
        return max(min(100 * saved / total_ms - upkeep_percent, 100.0), -100.0)

    improvement = percent([effect.improvement_ratio for _, effect in concerned])
    if improvement <= 0:
        return None  # its upkeep costs more than it saves
    return Recommendation(
        finding=finding,
        confidence_score=finding.confidence,
        estimated_improvement_percent=improvement,
        improvement_low_percent=percent([effect.improvement_low for _, effect in concerned]),
        improvement_high_percent=percent([effect.improvement_high for _, effect in concerned]),
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
