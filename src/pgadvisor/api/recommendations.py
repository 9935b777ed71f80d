"""GET /optimization-recommendations and GET /optimization-recommendations/{id}."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query

from pgadvisor.api.context import Context
from pgadvisor.api.cursor import decode_cursor, encode_cursor
from pgadvisor.api.parameters import Cursor, DatabaseName, Limit, TargetName
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.schemas import Recommendation, RecommendationList
from pgadvisor.records.advice import RecommendationState
from pgadvisor.store.advice import StoredRecommendation, list_recommendations, recommendation

__all__ = ["as_schema", "router"]

router = APIRouter(tags=["recommendations"])

_OPEN = (RecommendationState.PROPOSED, RecommendationState.ACCEPTED)

States = Annotated[
    list[RecommendationState],
    Query(max_length=7, description="Only these states; repeat it for several."),
]
Rule = Annotated[
    str | None,
    Query(pattern=r"^[a-z0-9-]{1,100}$", description="Only this rule.", examples=["missing-index"]),
]
MinRoi = Annotated[
    float | None,
    Query(
        allow_inf_nan=False, ge=-1e12, le=1e12, description="Only an roi_score of at least this."
    ),
]
RecommendationId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def as_schema(stored: StoredRecommendation) -> Recommendation:
    """The JSON of a stored recommendation."""
    return Recommendation.model_validate(stored)


@router.get("/optimization-recommendations", responses=problem_responses(400))
def get_recommendations(
    door: Context,
    target: TargetName = None,
    database: DatabaseName = None,
    state: States = list(_OPEN),  # noqa: B006 - FastAPI copies defaults
    rule: Rule = None,
    min_roi: MinRoi = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> RecommendationList:
    """What to change, highest roi_score first; open recommendations unless `state` says else."""
    states = sorted({str(one) for one in state})
    purpose = json.dumps(["recommendations", target, database, states, rule, min_roi])
    after: tuple[float, int] | None = None
    if cursor is not None:
        score, last_id = decode_cursor(purpose, cursor)
        after = (score, last_id)
    with door.store.transaction() as conn:
        found = list_recommendations(
            conn,
            target=target,
            database=database,
            states=states,
            rule=rule,
            min_roi=min_roi,
            after=after,
            limit=limit + 1,
        )
    page = found[:limit]
    more = len(found) > limit
    return RecommendationList(
        items=[as_schema(one) for one in page],
        next_cursor=encode_cursor(purpose, [page[-1].roi_score, page[-1].id]) if more else None,
    )


@router.get("/optimization-recommendations/{id}", responses=problem_responses(404))
def get_recommendation(door: Context, id: RecommendationId) -> Recommendation:
    """One recommendation, in whatever state."""
    with door.store.transaction() as conn:
        return as_schema(recommendation(conn, id))
