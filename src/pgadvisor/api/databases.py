"""GET /databases."""

from fastapi import APIRouter

from pgadvisor.api.context import Context
from pgadvisor.api.parameters import DatabaseName, TargetName, Window
from pgadvisor.api.problems import problem_responses
from pgadvisor.api.schemas import Database, DatabaseList
from pgadvisor.store.history import list_databases

__all__ = ["router"]

router = APIRouter(tags=["databases"])


@router.get("/databases", responses=problem_responses())
def get_databases(
    door: Context, span: Window, target: TargetName = None, database: DatabaseName = None
) -> DatabaseList:
    """All databases of all targets with their load over the window, busiest first."""
    with door.store.transaction() as conn:
        found = list_databases(
            conn, since=span.since, until=span.until, target=target, database=database
        )
    return DatabaseList(
        since=span.since,
        until=span.until,
        items=[Database.model_validate(one) for one in found],
    )
