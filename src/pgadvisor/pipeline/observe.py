"""Counters, activity, catalog and generic plans of a target, into the store."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pgadvisor.collect.activity import fetch_activity, fetch_running
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.checks import check
from pgadvisor.collect.explain import explain
from pgadvisor.collect.server import server_state
from pgadvisor.collect.statements import fetch_statements, fetch_texts, without
from pgadvisor.collect.target import Target
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.pipeline.privacy import privacy_of
from pgadvisor.pipeline.watched import Watched
from pgadvisor.records.catalog import Catalog
from pgadvisor.records.database_filter import DatabaseFilter
from pgadvisor.records.statement import Interval, QueryId, StatementKey, StatementSnapshot
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import is_own
from pgadvisor.store import Store
from pgadvisor.store import activity as stored_activity
from pgadvisor.store import catalog as stored_catalog
from pgadvisor.store import plans as stored_plans
from pgadvisor.store import snapshots as stored_snapshots
from pgadvisor.store import targets as stored_targets
from pgadvisor.store import texts as stored_texts
from pgadvisor.store import workload as stored_workload

__all__ = [
    "explain_unplanned",
    "observe_activity",
    "observe_catalog",
    "observe_state",
    "observe_statements",
]

#: a statement that runs for so long is noted with its text while it runs
_LONG_RUN = timedelta(seconds=2)


def observe_statements(
    target: Target,
    store: Store,
    target_id: int,
    *,
    now: datetime,
    retry_hidden: bool = False,
    watched: Watched | None = None,
) -> Interval | None:
    """Read the counters, save what happened since the last time.

    Texts are read for queryids seen for the first time only, and before the counters are
    saved, so that our own statements never enter the history.
    """
    privacy = privacy_of(store)

    def read() -> StatementSnapshot:
        snapshot = fetch_statements(target)
        if watched is not None:
            snapshot = watched.only(target, snapshot)
        # what the last snapshot had was looked at then; it never has statements of ours
        baseline = None if retry_hidden else store.baselines.get(target_id)
        seen = baseline.ids.keys() if baseline else set[StatementKey]()
        unseen = snapshot.statements.keys() - seen
        with store.transaction() as conn:
            known = stored_texts.known_texts(conn, target_id, unseen, retry_hidden=retry_hidden)
            own = stored_texts.own_queryids(conn, target_id)
        new = [key for key in unseen if (key.dbid, key.queryid) not in known]
        if new:
            texts = fetch_texts(target, new)
            kept = [privacy.statement(text) for text in texts]
            with store.transaction() as conn:
                stored_texts.save_texts(conn, target_id, kept, new, now=now)
            own |= {text.queryid for text in texts if is_own(text.query)}
        return without(snapshot, own, target.fetch_userid())

    return stored_snapshots.record_snapshot(store, target_id, read)


def observe_state(
    target: Target,
    store: Store,
    target_id: int,
    *,
    now: datetime,
    clock: Callable[[], datetime],
) -> None:
    """Note that the target was read, whether it is a replica, and what its clock says."""
    state = server_state(target, clock)
    with store.transaction() as conn:
        stored_targets.save_state(conn, target_id, state, now=now)


def observe_activity(
    target: Target,
    store: Store,
    target_id: int,
    *,
    now: datetime,
    watched: Watched | None = None,
) -> None:
    """Sample what the backends are doing, and note statements that have run for a while."""
    watched = watched or Watched(DatabaseFilter())
    samples = [one for one in fetch_activity(target) if watched.watches(one.datname)]
    privacy = privacy_of(store)
    running = [
        privacy.running(one)
        for one in fetch_running(target, longer_than=_LONG_RUN)
        if watched.watches(one.datname)
    ]
    with store.transaction() as conn:
        stored_activity.save_activity(conn, target_id, samples)
        stored_activity.save_running(conn, target_id, running, now=now)


def observe_catalog(target: Target, store: Store, target_id: int, *, now: datetime) -> Catalog:
    """Read catalog and statistics of the connected database; only changes are saved."""
    catalog = fetch_catalog(target)
    checks = check(target)
    with store.transaction() as conn:
        stored_catalog.save_catalog(conn, target_id, catalog)
        stored_targets.save_checks(conn, target_id, target.database, checks, now=now)
        stored_targets.save_database(conn, target_id, catalog.dbid, problem=None, now=now)
    return catalog


def explain_unplanned(
    target: Target, store: Store, target_id: int, *, now: datetime, since: datetime, most: int = 50
) -> int:
    """Ask the planner for the generic plan of busy queries that no log has shown a plan of.

    Returns how many plans came; why others did not is saved with the query.
    """
    with store.transaction() as conn:
        stored = stored_targets.target_by_id(conn, target_id)
        workload = stored_workload.load_workload(
            conn,
            stored,
            target.database,
            since=since,
            until=now,
            most=most,
            members=() if stored.in_recovery else stored_targets.cluster_members(conn, target_id),
        )
        catalog = stored_catalog.load_catalog(conn, target_id, target.database)
    if workload is None or catalog is None:
        return 0
    privacy = privacy_of(store)
    captures: list[PlanCapture] = []
    reasons: dict[QueryId, str] = {}
    for query in workload.queries:
        if query.plans or query.query is None or query.no_plan_reason:
            continue
        try:
            found = explain(target, query.query, search_path=catalog.search_path)
        except (NotExplainable, UnsafeStatement) as exc:
            reasons[query.queryid] = exc.message
            continue
        capture = PlanCapture(
            captured_at=now,
            database=target.database,
            source=PlanSource.GENERIC_PLAN,
            query=query.query,
            plan=found["Plan"],
            queryid=query.queryid,
        )
        captures.append(privacy.plan(capture))
    with store.transaction() as conn:
        stored_plans.save_plans(conn, target_id, captures)
        for queryid, reason in reasons.items():
            stored_plans.save_unexplained(conn, target_id, catalog.dbid, queryid, reason, now=now)
    return len(captures)
