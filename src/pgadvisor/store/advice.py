"""Recommendations and the reasons for silence."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pgadvisor.errors import NotFound
from pgadvisor.records.advice import Recommendation, Skipped
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = [
    "StoredRecommendation",
    "list_recommendations",
    "recommendation",
    "save_advice",
    "silences_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecommendation:
    """A row of optimization_recommendations, with the name of its target."""

    id: int
    target: str
    database_name: str
    rule: str
    key: str
    title: str
    statement: str
    undo: str
    reasoning: str
    queryids: list[int]
    effects: list[dict[str, Any]]
    evidence_level: str
    evidence: dict[str, Any]
    risk: dict[str, Any]
    factors: list[dict[str, Any]]
    confidence_score: float
    estimated_improvement_percent: float
    improvement_low_percent: float
    improvement_high_percent: float
    frequency: float
    current_impact: float
    urgency_score: float
    roi_score: float
    state: str
    state_reason: str | None
    created_at: datetime
    updated_at: datetime


def save_advice(
    conn: Connection,
    target_id: int,
    database: str,
    recommendations: Sequence[Recommendation],
    skipped: Iterable[Skipped],
    *,
    now: datetime,
) -> None:
    """Save the result of one analysis of a database.

    Advice found again keeps its id and is brought up to date; a proposal that is not found any
    more, because somebody carried it out or the workload changed, expires. What a person
    rejected stays rejected.
    """
    place = {"target_id": target_id, "database": database, "now": now}
    for one in recommendations:
        finding = one.finding
        conn.execute(
            load("save_recommendation"),
            {
                **place,
                "rule": finding.rule,
                "key": finding.key,
                "title": finding.title,
                "statement": finding.statement,
                "undo": finding.undo,
                "reasoning": finding.reasoning,
                "queryids": [effect.queryid for effect in finding.effects],
                "effects": _json(
                    [{**asdict(e), "queryid": str(e.queryid)} for e in finding.effects]
                ),
                "evidence_level": finding.evidence_level,
                "evidence": _json(finding.evidence),
                "risk": _json(asdict(finding.risk)),
                "factors": _json([asdict(factor) for factor in one.factors]),
                "confidence_score": one.confidence_score,
                "estimated_improvement_percent": one.estimated_improvement_percent,
                "improvement_low_percent": one.improvement_low_percent,
                "improvement_high_percent": one.improvement_high_percent,
                "frequency": one.frequency,
                "current_impact": one.current_impact,
                "urgency_score": one.urgency_score,
            },
        )
    conn.execute(
        load("expire_recommendations"),
        {**place, "keys": [one.finding.key for one in recommendations]},
    )
    _save_silences(conn, place, skipped)


def _json(value: object) -> str:
    return json.dumps(value, default=str)


def _save_silences(conn: Connection, place: dict[str, Any], skipped: Iterable[Skipped]) -> None:
    conn.execute(
        "delete from advice_silences where target_id = %(target_id)s"
        " and database_name = %(database)s",
        place,
    )
    rows = {(one.queryid, one.rule): one.reason for one in skipped if one.queryid is not None}
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into advice_silences (target_id, database_name, queryid, rule, reason,
                   analyzed_at) values (%s, %s, %s, %s, %s, %s)""",
            [
                (place["target_id"], place["database"], queryid, rule, reason, place["now"])
                for (queryid, rule), reason in rows.items()
            ],
        )


def list_recommendations(
    conn: Connection,
    *,
    target: str | None = None,
    database: str | None = None,
    queryids: Sequence[int] | None = None,
    states: Sequence[str] = ("proposed", "accepted"),
    rule: str | None = None,
    min_roi: float | None = None,
    after: tuple[float, int] | None = None,
    limit: int = 20,
) -> list[StoredRecommendation]:
    """Recommendations by falling roi_score; with `queryids` those that concern one of them.

    `after` is (roi_score, id) of the last one seen.
    """
    with conn.cursor(row_factory=class_row(StoredRecommendation)) as cursor:
        return cursor.execute(
            load("list_recommendations"),
            {
                "id": None,
                "target": target,
                "database": database,
                "queryids": None if queryids is None else list(queryids),
                "states": list(states),
                "rule": rule,
                "min_roi": min_roi,
                "after_score": after[0] if after else None,
                "after_id": after[1] if after else None,
                "limit": limit,
            },
        ).fetchall()


def recommendation(conn: Connection, recommendation_id: int) -> StoredRecommendation:
    """One recommendation in whatever state. Raises `NotFound`."""
    with conn.cursor(row_factory=class_row(StoredRecommendation)) as cursor:
        found = cursor.execute(
            load("list_recommendations"),
            {
                **{"id": recommendation_id, "target": None, "database": None, "queryids": None},
                **{"states": None, "rule": None, "min_roi": None},
                **{"after_score": None, "after_id": None, "limit": 1},
            },
        ).fetchone()
    if found is None:
        raise NotFound(
            f"no recommendation {recommendation_id}",
            hint="`pgadvisor advise` and GET /api/v1/optimization-recommendations list them.",
        )
    return found


def silences_of(
    conn: Connection, target_id: int, database: str, queryid: int
) -> list[tuple[str, str]]:
    """(rule, reason) why there is no advice for a query."""
    return conn.execute(
        """select rule, reason from advice_silences
           where target_id = %s and database_name = %s and queryid = %s order by rule""",
        [target_id, database, queryid],
    ).fetchall()
