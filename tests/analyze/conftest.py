"""A workload on a real server: queries with weights, their plans made or measured there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgadvisor.analyze import Situation, situation
from pgadvisor.collect.catalog import fetch_catalog
from pgadvisor.collect.explain import explain
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target, connect
from pgadvisor.collect.what_if import WhatIf
from pgadvisor.errors import NotExplainable, NotParsable, UnsafeStatement
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import PlanSource, Query, StoredPlan, Workload
from pgadvisor.sql import fingerprint, normalized_query

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = 10.0


@dataclass
class Lab:
    """A database with a workload that tests put together; a situation of it on request."""

    dsn: str
    conn: psycopg.Connection[Any]
    stack: ExitStack
    queries: list[Query] = field(default_factory=list)
    writes: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    role_settings: dict[str, dict[str, str]] = field(default_factory=dict)
    peak_active_backends: int | None = None
    what_if: WhatIf | None = None

    def query(
        self,
        text: str,
        *,
        calls: int = 1000,
        ms: float = 50.0,
        observed: bool = False,
        setup: str = "",
        hidden: bool = False,
        **more: Any,
    ) -> Query:
        """Add a query: `ms` a call; observed: really run, its plan as auto_explain logs it."""
        queryid = QueryId(len(self.queries) + 1)
        query = Query(
            queryid=queryid,
            fingerprint=_or_none(fingerprint, text),
            query=None if hidden else _or_none(normalized_query, text) or text,
            calls=calls,
            total_exec_time=calls * ms,
            users=more.pop("users", ("app",)),
            plans=self._plans(text, observed, setup, calls, ms),
            **{"rows": calls, **more},
        )
        self.queries.append(query)
        return query

    def run(self, text: str, setup: str = "") -> dict[str, Any]:
        """EXPLAIN ANALYZE, rolled back: what auto_explain writes with everything on."""
        with self.conn.transaction(force_rollback=True):
            if setup:
                self.conn.execute(setup.encode())
            row = self.conn.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}".encode()
            ).fetchone()
        assert row is not None
        found: dict[str, Any] = row[0][0]
        return found

    def _plans(
        self, text: str, observed: bool, setup: str, calls: int, ms: float
    ) -> tuple[StoredPlan, ...]:
        source = PlanSource.AUTO_EXPLAIN if observed else PlanSource.GENERIC_PLAN
        try:
            plan = self.run(text, setup) if observed else self._generic(text)
        except (NotExplainable, UnsafeStatement):
            return ()
        return (
            StoredPlan(
                id=1000 + len(self.queries),
                shape="",
                source=source,
                plan=plan.pop("Plan"),
                extra=plan,
                example_query=text,
                first_seen_at=NOW - timedelta(hours=HOURS),
                last_seen_at=NOW,
                executions=calls if observed else 0,
                mean_duration_ms=ms if observed else None,
                max_duration_ms=ms if observed else None,
            ),
        )

    def _generic(self, text: str) -> dict[str, Any]:
        normalized = _or_none(normalized_query, text)
        if normalized is None:
            return {"Plan": {"Node Type": "Result"}}
        with connect(self.dsn) as target:
            return dict(explain(target, normalized))

    def target(self) -> Target:
        return self.stack.enter_context(connect(self.dsn))

    def situation(self, *, hypopg: bool = True) -> Situation:
        """What the rules see, with the catalog of this moment and HypoPG's what-if costs."""
        target = self.target()
        catalog = fetch_catalog(target)
        object.__setattr__(catalog, "role_settings", self.role_settings)
        oids = {table.name: table.oid for table in catalog.tables.values()}
        if hypopg:
            self.what_if = self.stack.enter_context(WhatIf(target))
        workload = Workload(
            target_id=1,
            target="lab",
            database="shop",
            since=NOW - timedelta(hours=HOURS),
            until=NOW,
            observed_hours=HOURS,
            queries=tuple(self.queries),
            settings={s.name: s.setting for s in fetch_settings(target)} | self.settings,
            server_version_num=target.conn.info.server_version,
            peak_active_backends=self.peak_active_backends,
            write_rates={oids[name]: rate for name, rate in self.writes.items()},
        )
        what_if = self.what_if if hypopg else None
        return situation(workload, catalog, what_if, no_what_if_reason="hypopg is not installed")


def _or_none(read: Callable[[str], str], text: str) -> str | None:
    try:
        return read(text)
    except NotParsable:
        return None


@pytest.fixture
def lab(target_dsn: str, target_conn: psycopg.Connection[Any]) -> Iterator[Lab]:
    target_conn.execute("set jit = off; set log_min_messages = fatal")
    target_conn.execute("set auto_explain.log_analyze = off")
    # else VACUUM cannot mark pages all-visible until the WAL writer has come by
    target_conn.execute("set synchronous_commit = on")
    with ExitStack() as stack:
        yield Lab(target_dsn, target_conn, stack)
