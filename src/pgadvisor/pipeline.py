"""The sentence of the project in code; nothing else knows all the stages.

    collect -> store -> analyze -> predict -> recommend -> (a person implements) -> measure -> learn

A door calls these functions with an open target, an open store and the time.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgadvisor.analyze import Analysis, analyze, situation
from pgadvisor.collect.activity import fetch_activity, fetch_running
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.checks import check
from pgadvisor.collect.explain import explain
from pgadvisor.collect.extensions import require_statements
from pgadvisor.collect.find_log import find_log
from pgadvisor.collect.logs import read_log
from pgadvisor.collect.names import fetch_databases, fetch_roles
from pgadvisor.collect.server import server_info
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.statements import fetch_statements, fetch_texts, without
from pgadvisor.collect.target import Target, connect
from pgadvisor.collect.what_if import WhatIf
from pgadvisor.config import Settings
from pgadvisor.errors import (
    ExtensionMissing,
    LogUnreadable,
    NotExplainable,
    NotFound,
    UnsafeStatement,
)
from pgadvisor.recommend import recommend
from pgadvisor.records.advice import Recommendation, Skipped
from pgadvisor.records.catalog import Catalog
from pgadvisor.records.check import Check
from pgadvisor.records.log import LogSource
from pgadvisor.records.statement import Interval, QueryId, StatementSnapshot
from pgadvisor.records.workload import PlanCapture, PlanSource, Workload
from pgadvisor.sql import is_own
from pgadvisor.store import Connection, Store
from pgadvisor.store import activity as stored_activity
from pgadvisor.store import advice as stored_advice
from pgadvisor.store import catalog as stored_catalog
from pgadvisor.store import plans as stored_plans
from pgadvisor.store import snapshots as stored_snapshots
from pgadvisor.store import targets as stored_targets
from pgadvisor.store import texts as stored_texts
from pgadvisor.store import workload as stored_workload

__all__ = [
    "Advice",
    "LogReading",
    "advise",
    "check_target",
    "connect_target",
    "explain_unplanned",
    "observe_activity",
    "observe_catalog",
    "observe_logs",
    "observe_statements",
    "register_target",
    "require_usable",
]

#: pieces of a log read in one round, of 16 MB or so each: the rest waits for the next round
_MOST_LOG_PIECES = 8
#: a statement that runs for so long is noted with its text while it runs
_LONG_RUN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The result of one analysis of one database."""

    workload: Workload
    #: by falling roi_score
    recommendations: tuple[Recommendation, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What one reading of a server log brought."""

    plans: int = 0
    lines: int = 0
    #: entries left out, by reason
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: what the log cannot tell
    notes: tuple[str, ...] = ()
    #: why the log could not be read at all
    problem: str | None = None

    def __add__(self, other: "LogReading") -> "LogReading":
        return LogReading(
            plans=self.plans + other.plans,
            lines=self.lines + other.lines,
            skipped=Counter(self.skipped) + Counter(other.skipped),
            notes=other.notes,
            problem=other.problem,
        )


def connect_target(dsn: str, settings: Settings) -> Target:
    """Connect to a target within the limits of the settings."""
    return connect(
        dsn, statement_timeout=settings.statement_timeout, lock_timeout=settings.lock_timeout
    )


def check_target(target: Target) -> tuple[Check, ...]:
    """Whether the target is ready to be watched, each check with what mends it."""
    return check(target)


def require_usable(target: Target) -> None:
    """Raise `ExtensionMissing` where there are no counters to collect."""
    require_statements(target)


def register_target(store: Store, target: Target, dsn: str, *, now: datetime) -> int:
    """The id of the target in the store, made if it is new; its password is not stored."""
    kept = {
        name: value
        for name, value in conninfo_to_dict(dsn).items()
        if name in ("host", "hostaddr", "port", "user", "dbname", "sslmode", "service")
    }
    kept.setdefault("dbname", target.database)
    name = target.place.rpartition("/")[0]
    server = server_info(target)
    with store.transaction() as conn:
        target_id = stored_targets.register_target(conn, name, make_conninfo("", **kept), now=now)
        stored_targets.save_server(conn, target_id, server, now=now)
        stored_targets.save_names(
            conn,
            target_id,
            databases=fetch_databases(target),
            roles=fetch_roles(target),
            now=now,
        )
    return target_id


def observe_statements(
    target: Target, store: Store, target_id: int, *, now: datetime, retry_hidden: bool = False
) -> Interval | None:
    """Read the counters, save what happened since the last time.

    Texts are read for queryids seen for the first time only, and before the counters are
    saved, so that our own statements never enter the history.
    """

    def read(conn: Connection) -> StatementSnapshot:
        snapshot = fetch_statements(target)
        known = stored_texts.known_texts(conn, target_id, retry_hidden=retry_hidden)
        own = stored_texts.own_queryids(conn, target_id)
        new = [key for key in snapshot.statements if (key.dbid, key.queryid) not in known]
        if new:
            texts = fetch_texts(target, new)
            stored_texts.save_texts(conn, target_id, texts, new, now=now)
            own |= {text.queryid for text in texts if is_own(text.query)}
        return without(snapshot, own, target.fetch_userid())

    interval = stored_snapshots.record_snapshot(store, target_id, read)
    with store.transaction() as conn:
        conn.execute(
            "update targets set last_seen_at = %s, last_error = null, last_error_at = null"
            " where id = %s",
            [now, target_id],
        )
    return interval


def observe_activity(target: Target, store: Store, target_id: int, *, now: datetime) -> None:
    """Sample what the backends are doing, and note statements that have run for a while."""
    samples = fetch_activity(target)
    running = fetch_running(target, longer_than=_LONG_RUN)
    with store.transaction() as conn:
        stored_activity.save_activity(conn, target_id, samples)
        stored_activity.save_running(conn, target_id, running, now=now)


def observe_catalog(target: Target, store: Store, target_id: int, *, now: datetime) -> Catalog:
    """Read catalog, statistics, settings and names; only changes are saved."""
    server = server_info(target)
    databases, roles = fetch_databases(target), fetch_roles(target)
    settings = fetch_settings(target)
    catalog = fetch_catalog(target)
    with store.transaction() as conn:
        stored_targets.save_server(conn, target_id, server, now=now)
        stored_targets.save_names(conn, target_id, databases=databases, roles=roles, now=now)
        stored_catalog.save_settings(conn, target_id, settings, now=now)
        stored_catalog.save_catalog(conn, target_id, catalog)
    return catalog


def observe_logs(
    target: Target, store: Store, target_id: int, *, now: datetime, from_end: bool = True
) -> LogReading:
    """Read what auto_explain wrote since the last time, where the log is on this machine.

    Plans and the position in the log are saved together: none is lost, none counted twice. A
    log never read before is begun `from_end`, because what is older was not observed.
    """
    whole = LogReading()
    try:
        source = find_log(target)
        for _ in range(_MOST_LOG_PIECES):
            piece, is_at_end = _read_piece(store, target_id, source, now=now, from_end=from_end)
            whole += piece
            if is_at_end:
                break
    except LogUnreadable as exc:
        return replace(whole, problem=f"{exc.message}. {exc.hint}")
    return whole


def _read_piece(
    store: Store, target_id: int, source: LogSource, *, now: datetime, from_end: bool
) -> tuple[LogReading, bool]:
    name = f"{source.format}:{source.path}"
    with store.transaction() as conn:
        # held from reading the position to saving the next one: two collectors take turns
        stored_targets.lock_target(conn, target_id)
        position = stored_plans.load_log_position(conn, target_id, name)
        batch = read_log(source, position, from_end=from_end)
        skipped = Counter(batch.skipped)
        skipped.update(f"log file {gap.reason} before its end was read" for gap in batch.gaps)
        unread = stored_plans.save_plans(conn, target_id, batch.captures)
        skipped.update({"invalid plan": unread} if unread else {})
        if batch.position is not None:
            stored_plans.save_log_position(
                conn,
                target_id,
                name,
                batch.position,
                lines=batch.lines,
                skipped=skipped,
                now=now,
            )
    reading = LogReading(
        plans=len(batch.captures) - unread,
        lines=batch.lines,
        skipped=dict(skipped),
        notes=source.notes,
    )
    return reading, batch.at_end


def explain_unplanned(
    target: Target, store: Store, target_id: int, *, now: datetime, since: datetime, most: int = 50
) -> int:
    """Ask the planner for the generic plan of busy queries that no log has shown a plan of.

    Returns how many plans came; why others did not is saved with the query.
    """
    with store.transaction() as conn:
        stored = stored_targets.target_by_id(conn, target_id)
        workload = stored_workload.load_workload(
            conn, stored, target.database, since=since, until=now, most=most
        )
        catalog = stored_catalog.load_catalog(conn, target_id, target.database)
    if workload is None or catalog is None:
        return 0
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
        captures.append(
            PlanCapture(
                captured_at=now,
                database=target.database,
                source=PlanSource.GENERIC_PLAN,
                query=query.query,
                plan=found["Plan"],
                queryid=query.queryid,
            )
        )
    with store.transaction() as conn:
        stored_plans.save_plans(conn, target_id, captures)
        for queryid, reason in reasons.items():
            stored_plans.save_unexplained(conn, target_id, catalog.dbid, queryid, reason, now=now)
    return len(captures)


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
    Raises `NotFound` where the database has no history at all.
    """
    catalog = observe_catalog(target, store, target_id, now=now)
    explain_unplanned(target, store, target_id, now=now, since=now - window)
    with store.transaction() as conn:
        stored = stored_targets.target_by_id(conn, target_id)
        # the catalog was read after `now`: its counters are the newest there are
        until = max(now, catalog.captured_at)
        workload = stored_workload.load_workload(
            conn, stored, target.database, since=now - window, until=until
        )
    if workload is None or not workload.queries:
        raise NotFound(
            f"no statements of database {target.database} in the history yet",
            hint="Run `pgadvisor observe` while the application works, then ask again.",
        )
    found = _analyze(target, workload, catalog, progress)
    recommendations = tuple(recommend(found.findings, workload))
    with store.transaction() as conn:
        stored_advice.save_advice(
            conn, target_id, target.database, recommendations, found.skipped, now=now
        )
    return Advice(workload=workload, recommendations=recommendations, skipped=found.skipped)


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
