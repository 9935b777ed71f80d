"""Fills a store with a day of a shop: python tests/api/seed.py DATABASE_URL NOW.

A program of its own, because the tests of the API and of the pages both start from it.
Numbers are made up but hang together: counters grow with a daily rhythm, plans belong to their
queries, one target fails, one query is hidden, and some texts try to be HTML.
"""

import math
import random
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pgadvisor.config import Settings
from pgadvisor.records.advice import (
    Effect,
    EvidenceLevel,
    Factor,
    Finding,
    Recommendation,
    Risk,
    Skipped,
)
from pgadvisor.records.check import Check, CheckStatus
from pgadvisor.records.log import Execution, LogPosition, LogSkip
from pgadvisor.records.server import ServerInfo, ServerState
from pgadvisor.records.statement import (
    Counters,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
    StatementText,
)
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import fingerprint
from pgadvisor.store import Connection, Store, open_store
from pgadvisor.store.advice import save_advice
from pgadvisor.store.executions import save_executions
from pgadvisor.store.logs import save_log_position, save_log_problem
from pgadvisor.store.plans import save_plans, save_unexplained
from pgadvisor.store.snapshots import record_snapshot
from pgadvisor.store.targets import (
    register_target,
    save_checks,
    save_failure,
    save_names,
    save_server,
    save_state,
)
from pgadvisor.store.texts import save_texts

STEP = timedelta(minutes=15)
STEPS = 96
#: the step at which one entry is evicted
EVICTION = 60
SHOP, ANALYTICS = 16384, 16385
ORDERS_BY_EMAIL = QueryId(-4402183927123213)
XSS_QUERY = QueryId(777)
HIDDEN_QUERY = QueryId(999)
EVICTED = QueryId(53)
XSS = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"


@dataclass(frozen=True)
class Load:
    """A statement: what it costs and how often it runs an hour."""

    dbid: int
    queryid: QueryId
    query: str | None
    calls_per_hour: float
    mean_ms: float
    rows_per_call: float = 1.0
    blocks: int = 8
    hit_ratio: float = 0.99
    temp_blocks: int = 0


LOADS = (
    Load(
        SHOP,
        ORDERS_BY_EMAIL,
        "select o.id, o.number, o.placed_at, o.total_cents, c.name from orders o join customers c "
        "on c.id = o.customer_id where lower(o.email) = $1 and o.status <> $2 order by "
        "o.placed_at desc limit $3",
        1830,
        412.7,
        rows_per_call=12,
        blocks=18_400,
        hit_ratio=0.71,
    ),
    Load(
        SHOP,
        QueryId(8123456789012345678),
        "select p.id, p.name, sum(i.quantity * i.price_cents) as revenue from order_items i join "
        "products p on p.id = i.product_id where i.created_at >= $1 group by p.id, p.name order "
        "by revenue desc",
        42,
        9_420.0,
        rows_per_call=4_100,
        blocks=92_000,
        hit_ratio=0.44,
        temp_blocks=9_800,
    ),
    Load(SHOP, QueryId(31), "select * from products where id = $1", 184_000, 0.041),
    Load(SHOP, QueryId(32), "select id, email, name from customers where id = $1", 96_500, 0.038),
    Load(
        SHOP,
        QueryId(-33),
        "update inventory set stock = stock - $1 where product_id = $2",
        21_000,
        0.92,
    ),
    Load(
        SHOP,
        QueryId(34),
        "insert into events (customer_id, kind, payload, happened_at) values ($1, $2, $3, now())",
        64_000,
        0.31,
    ),
    Load(
        SHOP,
        QueryId(35),
        "select kind, payload from events where payload @> $1 order by happened_at desc limit 50",
        310,
        188.0,
        rows_per_call=50,
        blocks=5_100,
        hit_ratio=0.88,
    ),
    Load(
        SHOP, QueryId(36), "select count(*) from orders where status = $1", 240, 96.0, blocks=4400
    ),
    Load(
        SHOP,
        QueryId(37),
        "select i.*, p.name from order_items i join products p on p.id = i.product_id where "
        "i.order_id = $1",
        38_000,
        0.22,
        rows_per_call=3.2,
    ),
    Load(
        SHOP,
        QueryId(38),
        "select c.id from customers c where not exists (select 1 from orders o where "
        "o.customer_id = c.id and o.placed_at > now() - $1::interval)",
        6,
        3_300.0,
        rows_per_call=8_100,
        blocks=21_000,
    ),
    Load(SHOP, XSS_QUERY, f"select '{XSS}' as x, $1", 900, 1.4),
    Load(SHOP, HIDDEN_QUERY, None, 1200, 2.2),
    Load(
        ANALYTICS,
        QueryId(51),
        "with daily as (select date_trunc('day', at) as day, count(*) as visits from visits "
        "where at >= $1 group by 1) select day, visits, avg(visits) over (order by day rows 6 "
        "preceding) from daily",
        110,
        2_140.0,
        rows_per_call=30,
        blocks=40_000,
        hit_ratio=0.6,
    ),
    Load(ANALYTICS, QueryId(52), "refresh materialized view visits_by_page", 4, 21_000.0),
    Load(ANALYTICS, QueryId(53), "copy visits from stdin", 60, 310.0, rows_per_call=5_000),
    # ran before the window and never again
    Load(ANALYTICS, QueryId(54), "select 1 from archive where id = $1", 0, 0.0),
)

SEQ_SCAN = {
    "Node Type": "Seq Scan",
    "Parent Relationship": "Outer",
    "Parallel Aware": False,
    "Relation Name": "orders",
    "Alias": "o",
    "Startup Cost": 0.0,
    "Total Cost": 41250.0,
    "Plan Rows": 4980,
    "Plan Width": 60,
    "Actual Startup Time": 0.8,
    "Actual Total Time": 398.4,
    "Actual Rows": 12,
    "Actual Loops": 1,
    "Filter": "((status <> 'cancelled'::text) AND (lower(email) = 'ann@example.org'::text))",
    "Rows Removed by Filter": 1199988,
    "Shared Hit Blocks": 13100,
    "Shared Read Blocks": 5300,
}
INDEX_SCAN = {
    "Node Type": "Index Scan",
    "Parent Relationship": "Inner",
    "Parallel Aware": False,
    "Scan Direction": "Forward",
    "Index Name": "customers_pkey",
    "Relation Name": "customers",
    "Alias": "c",
    "Startup Cost": 0.42,
    "Total Cost": 0.55,
    "Plan Rows": 1,
    "Plan Width": 22,
    "Actual Startup Time": 0.01,
    "Actual Total Time": 0.012,
    "Actual Rows": 1,
    "Actual Loops": 12,
    "Index Cond": "(id = o.customer_id)",
    "Shared Hit Blocks": 48,
    "Shared Read Blocks": 0,
}
EXECUTED_PLAN: dict[str, Any] = {
    "Node Type": "Limit",
    "Startup Cost": 44200.0,
    "Total Cost": 44200.1,
    "Plan Rows": 20,
    "Plan Width": 70,
    "Actual Startup Time": 411.9,
    "Actual Total Time": 411.95,
    "Actual Rows": 12,
    "Actual Loops": 1,
    "Shared Hit Blocks": 13148,
    "Shared Read Blocks": 5300,
    "Plans": [
        {
            "Node Type": "Sort",
            "Parent Relationship": "Outer",
            "Startup Cost": 44200.0,
            "Total Cost": 44212.0,
            "Plan Rows": 4980,
            "Plan Width": 70,
            "Actual Startup Time": 411.9,
            "Actual Total Time": 411.92,
            "Actual Rows": 12,
            "Actual Loops": 1,
            "Sort Key": ["o.placed_at DESC"],
            "Sort Method": "top-N heapsort",
            "Sort Space Used": 27,
            "Sort Space Type": "Memory",
            "Shared Hit Blocks": 13148,
            "Shared Read Blocks": 5300,
            "Plans": [
                {
                    "Node Type": "Nested Loop",
                    "Parent Relationship": "Outer",
                    "Join Type": "Inner",
                    "Startup Cost": 0.42,
                    "Total Cost": 43998.0,
                    "Plan Rows": 4980,
                    "Plan Width": 70,
                    "Actual Startup Time": 0.9,
                    "Actual Total Time": 411.6,
                    "Actual Rows": 12,
                    "Actual Loops": 1,
                    "Shared Hit Blocks": 13148,
                    "Shared Read Blocks": 5300,
                    "Plans": [SEQ_SCAN, INDEX_SCAN],
                }
            ],
        }
    ],
}
GENERIC_PLAN: dict[str, Any] = {
    "Node Type": "Seq Scan",
    "Relation Name": "visits",
    "Alias": XSS,
    "Startup Cost": 0.0,
    "Total Cost": 1250.0,
    "Plan Rows": 400,
    "Plan Width": 8,
    "Filter": f"(note = '{XSS}'::text)",
}


def snapshots(now: datetime) -> list[StatementSnapshot]:
    """Cumulative counters every quarter of an hour, with the rhythm of a day and a little noise."""
    noise = random.Random(7)
    first = now - STEP * STEPS
    totals = {load.queryid: Counters() for load in LOADS}
    found = []
    for step in range(STEPS + 1):
        at = first + STEP * step
        rhythm = 1 + 0.6 * math.sin((at.hour + at.minute / 60 - 9) / 24 * 2 * math.pi)
        statements = {}
        for load in LOADS:
            if step == EVICTION and load.queryid == EVICTED:
                totals[load.queryid] = Counters()
                continue
            totals[load.queryid] = _grown(totals[load.queryid], load, rhythm, noise)
            key = StatementKey(load.dbid, 10, load.queryid, True)
            statements[key] = StatementCounters(
                key=key,
                counters=totals[load.queryid],
                min_exec_time=load.mean_ms / 3,
                max_exec_time=load.mean_ms * 9,
            )
        found.append(
            StatementSnapshot(
                captured_at=at,
                system_identifier="7300000000000000001",
                postmaster_start_at=now - timedelta(days=30),
                stats_reset=now - timedelta(days=20),
                dealloc=int(step >= EVICTION),
                statements=statements,
                extension_version="1.10",
            )
        )
    return found


def _grown(before: Counters, load: Load, rhythm: float, noise: random.Random) -> Counters:
    calls = round(load.calls_per_hour / 4 * rhythm * noise.uniform(0.85, 1.15))
    if load.queryid == QueryId(54):
        calls = 3 if before.calls == 0 else 0
    time = calls * load.mean_ms * noise.uniform(0.9, 1.2)
    hit = round(calls * load.blocks * load.hit_ratio)
    return Counters(
        calls=before.calls + calls,
        rows=before.rows + round(calls * load.rows_per_call),
        total_exec_time=before.total_exec_time + time,
        sum_squared_exec_time=before.sum_squared_exec_time + time * load.mean_ms,
        shared_blks_hit=before.shared_blks_hit + hit,
        shared_blks_read=before.shared_blks_read + calls * load.blocks - hit,
        temp_blks_written=before.temp_blks_written + calls * load.temp_blocks,
    )


def recommendations() -> list[Recommendation]:
    """An index that pays, a setting, and one whose title tries to be HTML."""
    return [
        _recommendation(
            rule="missing-index",
            title="Create an index on orders (lower(email), placed_at)",
            statement="CREATE INDEX CONCURRENTLY orders_lower_email_placed_at_idx\n"
            "  ON public.orders (lower(email), placed_at DESC);",
            undo="DROP INDEX CONCURRENTLY public.orders_lower_email_placed_at_idx;",
            queryid=ORDERS_BY_EMAIL,
            improvement=0.962,
            frequency=1830.0,
            impact=0.4127,
            confidence=0.9,
            evidence={
                "table": "public.orders",
                "table_rows": 1_200_000,
                "table_bytes": 148_897_792,
                "rows_removed_by_filter": 1_199_988,
                "plan_nodes": ["Seq Scan on orders o"],
                "costs": {str(ORDERS_BY_EMAIL): {"before": 44200.1, "after": 98.2}},
                "write_ms_per_hour": 1180.4,
            },
        ),
        _recommendation(
            rule="sort-or-hash-spills-to-disk",
            title="Raise work_mem to 48MB for role reporting",
            statement="ALTER ROLE reporting IN DATABASE shop SET work_mem = '48MB';",
            undo="ALTER ROLE reporting IN DATABASE shop RESET work_mem;",
            queryid=QueryId(8123456789012345678),
            improvement=0.31,
            frequency=42.0,
            impact=9.42,
            confidence=0.6,
            evidence={"spilled_bytes": 80_281_600, "work_mem": "4MB"},
        ),
        _recommendation(
            rule="missing-foreign-key-index",
            title=f"Create an index {XSS}",
            statement=f"-- {XSS}\nCREATE INDEX CONCURRENTLY ON public.events (customer_id);",
            undo="DROP INDEX CONCURRENTLY public.events_customer_id_idx;",
            queryid=XSS_QUERY,
            improvement=0.2,
            frequency=900.0,
            impact=0.0014,
            confidence=0.5,
            evidence={XSS: XSS},
        ),
    ]


def _recommendation(
    *,
    rule: str,
    title: str,
    statement: str,
    undo: str,
    queryid: QueryId,
    improvement: float,
    frequency: float,
    impact: float,
    confidence: float,
    evidence: dict[str, Any],
) -> Recommendation:
    window = "pg_stat_statements deltas, 24.00 hours observed"
    numbers = (
        ("confidence_score", confidence, "probability", f"rule {rule}"),
        ("estimated_improvement_percent", improvement * 100, "percent", "effects on 1 query"),
        ("frequency", frequency, "calls per hour", window),
        ("current_impact", impact, "seconds per call", window),
    )
    return Recommendation(
        finding=Finding(
            rule=rule,
            key=f"{rule}:{statement}",
            title=title,
            statement=statement,
            undo=undo,
            reasoning="The plan reads 1,200,000 rows to return 12. With the index the planner "
            "would read only those that match.",
            evidence_level=EvidenceLevel.COSTED,
            confidence=confidence,
            effects=(
                Effect(
                    queryid=queryid,
                    improvement_ratio=improvement,
                    improvement_low=improvement * 0.8,
                    improvement_high=min(improvement * 1.1, 0.999),
                    cost_before=44200.1,
                    cost_after=98.2,
                ),
            ),
            evidence=evidence,
            risk=Risk(
                size_bytes=38_000_000,
                writes_per_hour=1830,
                lock="SHARE UPDATE EXCLUSIVE: reads and writes go on",
                notes=("Building reads the whole table twice.",),
            ),
        ),
        confidence_score=confidence,
        estimated_improvement_percent=improvement * 100,
        improvement_low_percent=improvement * 80,
        improvement_high_percent=min(improvement * 110, 99.9),
        frequency=frequency,
        current_impact=impact,
        urgency_score=frequency * impact,
        roi_score=confidence * improvement * 100 * frequency * impact,
        factors=tuple(
            Factor(name=name, value=value, unit=unit, source=source)
            for name, value, unit, source in numbers
        ),
    )


def plans(now: datetime) -> list[PlanCapture]:
    """Executions of the slow query, and one plan of ours."""
    captures = [
        PlanCapture(
            captured_at=now - timedelta(minutes=7 * n),
            database="shop",
            source=PlanSource.AUTO_EXPLAIN,
            query="select o.id, o.number, o.placed_at, o.total_cents, c.name from orders o join "
            "customers c on c.id = o.customer_id where lower(o.email) = 'ann@example.org' and "
            "o.status <> 'cancelled' order by o.placed_at desc limit 20",
            plan=EXECUTED_PLAN,
            queryid=ORDERS_BY_EMAIL,
            duration_ms=400.0 + n,
            application_name=XSS,
        )
        for n in range(20)
    ]
    generic = PlanCapture(
        captured_at=now,
        database="shop",
        source=PlanSource.GENERIC_PLAN,
        query=f"select '{XSS}' as x, $1",
        plan=GENERIC_PLAN,
        queryid=XSS_QUERY,
    )
    return [*captures, generic]


def seed(store: Store, now: datetime) -> None:
    """Save all of it by the store's own functions."""
    with store.transaction() as conn:
        shop = register_target(conn, "/run/shop:5432", "host=/run/shop", now=now)
        broken = register_target(conn, "reports.example:5432", "host=reports.example", now=now)
        save_server(conn, shop, _server(now), now=now)
        save_failure(conn, broken, f"connection refused {XSS}", now=now)
        save_names(
            conn,
            shop,
            databases={SHOP: "shop", ANALYTICS: "analytics/<i>2026</i>"},
            roles={10: "app"},
            now=now,
        )
        save_texts(
            conn,
            shop,
            [
                StatementText(dbid=load.dbid, queryid=load.queryid, query=load.query)
                for load in LOADS
                if load.query is not None
            ],
            [StatementKey(load.dbid, 10, load.queryid, True) for load in LOADS],
            now=now,
        )
    for snapshot in snapshots(now):
        record_snapshot(store, shop, partial(_same, snapshot))
    with store.transaction() as conn:
        save_plans(conn, shop, plans(now))
        save_unexplained(conn, shop, SHOP, QueryId(34), "it is an INSERT with volatile", now=now)
        silences = [
            Skipped(rule="missing-index", queryid=QueryId(31), reason="the plan already uses one"),
            Skipped(rule="sort-or-hash-spills-to-disk", queryid=QueryId(31), reason=f"no {XSS}"),
        ]
        save_advice(conn, shop, "shop", recommendations(), silences, now=now)
        _seed_quality(conn, shop, now)


def _seed_quality(conn: Connection, shop: int, now: datetime) -> None:
    """Things that make the history less than whole, some of which try to be HTML."""
    state = ServerState(in_recovery=False, clock_skew_ms=2_400.0)
    save_state(conn, shop, state, now=now)
    save_log_problem(conn, shop, f"cannot read the folder {XSS}")
    position = LogPosition(
        path="/log/a.json",
        device=1,
        inode=1,
        offset=1,
        size=1,
        modified_at_ns=1,
        signature="x",
        signature_bytes=1,
    )
    skipped = {str(LogSkip.NO_PREFIX): 7, str(LogSkip.OWN_STATEMENT): 3, XSS: 1}
    save_log_position(conn, shop, "jsonlog:/log", position, lines=900, skipped=skipped, now=now)
    checks = [
        Check(
            name="track-io-timing",
            status=CheckStatus.WARNING,
            message=f"track_io_timing = off {XSS}",
            remedy=f"ALTER SYSTEM SET track_io_timing = on; -- {XSS}",
        ),
        Check(name="version", status=CheckStatus.OK, message="PostgreSQL 15.18"),
    ]
    save_checks(conn, shop, "shop", checks, now=now)
    slow = next(load for load in LOADS if load.queryid == ORDERS_BY_EMAIL)
    executions = [
        Execution(
            logged_at=now - timedelta(minutes=number),
            database="shop",
            query=slow.query or "",
            fingerprint=fingerprint(slow.query or ""),
            duration_ms=300.0 + number,
            kind="select",
            queryid=slow.queryid,
            threshold_ms=250.0,
            sample_rate=1.0,
        )
        for number in range(1, 41)
    ]
    save_executions(conn, shop, executions)


def _same(snapshot: StatementSnapshot) -> StatementSnapshot:
    return snapshot


def _server(now: datetime) -> ServerInfo:
    return ServerInfo(
        system_identifier="7300000000000000001",
        server_version_num=150018,
        captured_at=now,
        postmaster_start_at=now - timedelta(days=30),
        in_recovery=False,
        current_database="shop",
        current_user="pgadvisor",
        is_superuser=False,
        reads_all_stats=True,
    )


def main() -> None:
    """Seed the store that the arguments name."""
    url, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    with open_store(Settings(database_url=url), now=now, upgrade=True) as store:
        seed(store, now)


if __name__ == "__main__":
    main()
