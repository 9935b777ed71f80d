"""GET /data-quality."""

from fastapi import APIRouter

from pgadvisor.api.context import Context
from pgadvisor.api.parameters import DatabaseName, TargetName, Window
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.schemas import DataQuality, QualityItem, QualityLook
from pgadvisor.store.quality import LOOKED_AT, data_quality

__all__ = ["router"]

router = APIRouter(tags=["data quality"])


@router.get("/data-quality", responses=problem_responses())
def get_data_quality(
    door: Context, span: Window, target: TargetName = None, database: DatabaseName = None
) -> DataQuality:
    """What is missing in the history, worst first, with its share of the time and what mends it.

    The window is read in whole hours. States, such as a target that fails, are those of now.
    """
    with door.store.transaction() as conn:
        found = data_quality(
            conn,
            since=span.since,
            until=span.until,
            now=door.clock(),
            interval=door.settings.interval,
            target=target,
            database=database,
        )
    return DataQuality(
        since=found.since,
        until=found.until,
        attention=found.attention,
        items=[QualityItem.model_validate(one) for one in found.items],
        looked_at=[QualityLook(name=name, at=look.at) for name, look in LOOKED_AT.items()],
    )
