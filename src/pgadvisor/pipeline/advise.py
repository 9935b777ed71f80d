"""Analyze a database and save what to change."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgadvisor.analyze import Analysis, analyze, situation
from pgadvisor.collect.target import Target
from pgadvisor.collect.what_if import WhatIf
from pgadvisor.errors import ExtensionMissing, NotFound
from pgadvisor.pipeline.known_values import with_known_values
from pgadvisor.pipeline.observe import explain_unplanned, observe_catalog
from pgadvisor.pipeline.privacy import privacy_of
from pgadvisor.recommend import recommend
from pgadvisor.records.advice import Recommendation, Skipped
from pgadvisor.records.catalog import Catalog
from pgadvisor.records.workload import Workload
from pgadvisor.store import Store
from pgadvisor.store import advice as stored_advice
from pgadvisor.store import targets as stored_targets
from pgadvisor.store import workload as stored_workload
from pgadvisor.store.targets import StoredTarget

__all__ = ["Advice", "advise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The result of one analysis of one database."""

    workload: Workload
    #: by falling roi_score
    recommendations: tuple[Recommendation, ...]
    skipped: tuple[Skipped, ...]


def advise(
    target: Target,
    store: Store,
    target_id: int,
    *,
    now: datetime,
    window: timedelta = timedelta(days=7),
    progress: Callable[[float], None] = lambda share: None,
) -> Advice:
    """Analyze the connected database over the last full window and save the ranked advice.

    Catalog and generic plans are brought up to date first, so that advice somebody has carried
    out is gone. Without any interval yet, the counters since the last reset are the workload.
    A primary is advised on what its replicas run, too; a replica, where nothing can be changed,
    gets none, and each query the reason. Raises `NotFound` where the database has no history.
    """
    catalog = observe_catalog(target, store, target_id, now=now)
    explain_unplanned(target, store, target_id, now=now, since=now - window)
    with store.transaction() as conn:
        stored = stored_targets.target_by_id(conn, target_id)
        # the catalog was read after `now`: its counters are the newest there are
        until = max(now, catalog.captured_at)
        workload = stored_workload.load_workload(
            conn,
            stored,
            target.database,
            since=now - window,
            until=until,
            members=() if stored.in_recovery else stored_targets.cluster_members(conn, target_id),
        )
    if workload is None or not workload.queries:
        raise NotFound(
            f"no statements of database {target.database} in the history yet",
            hint="Run `pgadvisor observe` while the application works, then ask again.",
        )
    if stored.in_recovery:
        found = Analysis(skipped=tuple(_of_replica(stored, workload)))
    else:
        asked = with_known_values(target, workload, catalog, privacy_of(store))
        found = _analyze(target, asked, catalog, progress)
    recommendations = tuple(recommend(found.findings, workload))
    with store.transaction() as conn:
        stored_advice.save_advice(
            conn, target_id, target.database, recommendations, found.skipped, now=now
        )
    return Advice(workload=workload, recommendations=recommendations, skipped=found.skipped)


def _of_replica(replica: StoredTarget, workload: Workload) -> Iterator[Skipped]:
    if replica.primary_name is None:
        reason = (
            "this is a replica: advice is made for its primary, which is not among the targets; "
            "`pgadvisor targets add` it"
        )
    else:
        reason = (
            f"this is a replica of {replica.primary_name}: the advice there covers what runs here"
        )
    for query in workload.queries:
        yield Skipped(rule="replica", queryid=query.queryid, reason=reason)


def _analyze(
    target: Target, workload: Workload, catalog: Catalog, progress: Callable[[float], None]
) -> Analysis:
    with ExitStack() as stack:
        what_if, reason = None, ""
        try:
            what_if = stack.enter_context(WhatIf(target, search_path=catalog.search_path))
        except ExtensionMissing as exc:
            reason = f"{exc.message}. {exc.hint}"
        given = situation(workload, catalog, what_if, no_what_if_reason=reason)
        return analyze(given, progress)
