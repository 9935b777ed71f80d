"""One database of a target: its catalog, generic plans and advice, over a connection of its own."""

from datetime import datetime, timedelta

from pgadvisor.config import Settings
from pgadvisor.errors import NotFound, PrivilegeMissing, TargetUnreachable
from pgadvisor.pipeline.advise import Advice, advise
from pgadvisor.pipeline.observe import explain_unplanned, observe_catalog
from pgadvisor.pipeline.targets import connect_target
from pgadvisor.store import Store
from pgadvisor.store import targets as stored_targets
from pgadvisor.store.targets import DueDatabase

__all__ = ["due_databases", "study_database"]

_WINDOW = timedelta(days=7)


def due_databases(
    store: Store, settings: Settings, *, now: datetime, target_id: int | None = None
) -> list[DueDatabase]:
    """The watched databases whose catalog is to be read now, of one target or of all."""
    with store.transaction() as conn:
        found = stored_targets.due_databases(
            conn, catalog_interval=settings.catalog_interval, now=now
        )
    return [one for one in found if target_id in (None, one.target_id)]


def study_database(
    dsn: str,
    store: Store,
    settings: Settings,
    database: DueDatabase,
    *,
    now: datetime,
    analyze: bool = True,
) -> Advice | None:
    """Read the catalog of one database and explain what has no plan; with `analyze` also advise.

    None where there is nothing to advise on yet. Where the database cannot be read, why is saved
    with it, and the error raised.
    """
    try:
        with connect_target(dsn, settings, dbname=database.datname) as target:
            if not analyze:
                observe_catalog(target, store, database.target_id, now=now)
                explain_unplanned(target, store, database.target_id, now=now, since=now - _WINDOW)
                return None
            try:
                return advise(target, store, database.target_id, now=now)
            except NotFound:
                return None
    except (PrivilegeMissing, TargetUnreachable) as exc:
        problem = f"{exc.message}. {exc.hint}"
        with store.transaction() as conn:
            stored_targets.save_database(
                conn, database.target_id, database.dbid, problem=problem, now=now
            )
        raise
