"""What we found, what we advise, and why we stay silent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pgadvisor.records.statement import QueryId

__all__ = [
    "Effect",
    "EvidenceLevel",
    "Factor",
    "Finding",
    "Recommendation",
    "RecommendationState",
    "Risk",
    "Skipped",
]


class EvidenceLevel(StrEnum):
    """How a benefit is known, from strong to weak; never sold as more."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    COSTED = "costed"
    HEURISTIC = "heuristic"


class RecommendationState(StrEnum):
    """The life of a recommendation; the same words stand in SQL."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    APPLIED = "applied"
    VERIFIED = "verified"
    REVERTED = "reverted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a finding would do to one query."""

    queryid: QueryId
    #: share of the query's time that goes away, 0..1 (negative when it gets slower)
    improvement_ratio: float
    #: 90 % interval of the same
    improvement_low: float
    improvement_high: float
    cost_before: float | None = None
    cost_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a change costs and can break."""

    #: bytes the change adds on disk, 0 for a setting
    size_bytes: int = 0
    #: rows per hour that will also have to be written to the index
    writes_per_hour: float = 0.0
    #: the lock the statement takes and what it blocks
    lock: str = ""
    #: other things to know, each a sentence
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a rule saw, with the change that mends it."""

    #: kebab-case id of the rule, also its docs page
    rule: str
    #: stable identity of the change: the same advice tomorrow has the same key
    key: str
    title: str
    #: SQL to run, one statement a line, and SQL that undoes it
    statement: str
    undo: str
    reasoning: str
    evidence_level: EvidenceLevel
    #: 0..1, how sure we are that it helps: that at least 5 % of the time goes away
    confidence: float
    effects: tuple[Effect, ...]
    #: plan nodes, counts, sizes: what a person can check
    evidence: Mapping[str, Any] = field(default_factory=dict)
    risk: Risk = field(default_factory=Risk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One number of the ROI arithmetic and where it came from."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A finding with its score; `roi_score` is confidence x improvement percent x urgency."""

    finding: Finding
    confidence_score: float
    estimated_improvement_percent: float
    improvement_low_percent: float
    improvement_high_percent: float
    #: calls per hour and seconds per call of the queries concerned
    frequency: float
    current_impact: float
    urgency_score: float
    roi_score: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Why there is no advice for a query (or for a whole rule when queryid is None)."""

    rule: str
    queryid: QueryId | None
    reason: str
