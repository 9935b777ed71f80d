"""sort-or-hash-spills-to-disk: a sort or hash does not fit into work_mem."""

import math
from collections import defaultdict
from dataclasses import dataclass

from psycopg import sql

from pgadvisor.analyze.rule import Analysis, Situation, Subject
from pgadvisor.plans import Plan, PlanNode
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Risk, Skipped

__all__ = ["sort_or_hash_spills_to_disk"]

RULE = "sort-or-hash-spills-to-disk"

_MB = 1024 * 1024
_BLOCK = 8192
#: What a row in memory needs beyond its bytes on the tape: SortTuple, palloc header, MinimalTuple
#: header (tuplesort.c). Checked: a million bigints are 17 MB on disk and 70 MB in memory.
_SORT_ROW_OVERHEAD = 56
#: Beyond the row: TupleHashEntry, MinimalTuple and per-group state (nodeAgg.c).
_GROUP_OVERHEAD = 120
#: Head room over what was seen.
_MARGIN = 1.25
#: All that work_mem may claim at the busiest moment.
_SHARE_OF_MEMORY = 0.25
#: A block through the page cache; used only where temp_blk_*_time were not measured.
_BLOCK_MS = 0.01
_LARGEST_HEURISTIC_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class _Spill:
    subject: Subject
    #: what the hungriest node would need of work_mem, in bytes
    need_bytes: int
    #: nodes of the plan that take work_mem, times the processes that run them
    shares: int
    nodes: tuple[str, ...]


def sort_or_hash_spills_to_disk(given: Situation) -> Analysis:
    """Advise work_mem for the role whose queries spill, as far as memory allows.

    Only from what was seen: plans with sort or hash space, and temporary blocks counted by
    pg_stat_statements. The value is for a role in this database, not for the server.
    """
    by_role: dict[str, list[_Spill]] = defaultdict(list)
    silences: list[Skipped] = []
    for subject in given.subjects:
        if not subject.query.temp_blks_written:
            continue
        spill = _spill(given, subject)
        if spill is None or not subject.query.users:
            silences.append(_silence(subject, _unseen_reason(subject)))
        else:
            by_role[subject.query.users[0]].append(spill)
    findings = []
    for role, spills in sorted(by_role.items()):
        fitting = [spill for spill in spills if _fits(given, spill)]
        silences += [_silence(s.subject, _too_big(given, s)) for s in spills if s not in fitting]
        if fitting:
            findings.append(_finding(given, role, fitting))
    return Analysis(tuple(findings), tuple(silences))


def _silence(subject: Subject, reason: str) -> Skipped:
    return Skipped(rule=RULE, queryid=subject.query.queryid, reason=reason)


def _unseen_reason(subject: Subject) -> str:
    if not subject.is_observed:
        return (
            "it writes temporary blocks, but no plan with actual rows was logged: "
            "load auto_explain with log_analyze to see which node spills"
        )
    return "it writes temporary blocks, but not for a sort or hash: a materialized result or CTE"


def _spill(given: Situation, subject: Subject) -> _Spill | None:
    needs = [
        (need, node)
        for plan in subject.plans
        for node in plan.walk()
        if (need := _need(given, node))
    ]
    if not needs:
        return None
    plan = next(p for p in subject.plans if any(_need(given, node) for node in p.walk()))
    return _Spill(
        subject=subject,
        need_bytes=max(need for need, _ in needs),
        shares=_shares(plan),
        nodes=tuple(_words(node) for _, node in needs[:5]),
    )


def _need(given: Situation, node: PlanNode) -> int:
    """Bytes of work_mem a node would have needed to stay in memory; 0 when it did."""
    multiplier = float(given.workload.settings.get("hash_mem_multiplier", "1"))
    if node.sort_space_type == "Disk":
        rows = node.actual_rows or node.plan_rows
        return int((node.sort_space_used or 0) * 1024 + rows * _SORT_ROW_OVERHEAD)
    if (node.hash_batches or 1) > 1 and node.peak_memory_usage:
        return int(node.peak_memory_usage * 1024 * (node.hash_batches or 1) / multiplier)
    if node.disk_usage and node.node_type == "Aggregate":
        groups = node.actual_rows or node.plan_rows
        return int(groups * (node.plan_width + _GROUP_OVERHEAD) / multiplier)
    return 0


def _shares(plan: Plan) -> int:
    """How many times one execution may take work_mem: nodes, times workers where parallel."""
    hungry = sum(
        node.sort_space_type is not None
        or node.hash_batches is not None
        or (node.node_type == "Aggregate" and node.strategy == "Hashed")
        for node in plan.walk()
    )
    workers = max((node.workers_planned or 0 for node in plan.walk()), default=0)
    return max(hungry, 1) * (1 + workers)


def _words(node: PlanNode) -> str:
    if node.sort_space_type == "Disk":
        return f"Sort: {(node.sort_space_used or 0) / 1024:,.0f} MB on disk ({node.sort_method})"
    if (node.hash_batches or 1) > 1:
        return f"Hash: {node.hash_batches} batches"
    return f"HashAggregate: {(node.disk_usage or 0) / 1024:,.0f} MB on disk"


def _advised_bytes(spills: list[_Spill]) -> int:
    need = max(spill.need_bytes for spill in spills) * _MARGIN
    return max(math.ceil(need / _MB / 4) * 4, 8) * _MB


def _memory_bytes(given: Situation) -> int:
    """The server's memory, guessed low: PostgreSQL does not tell it.

    effective_cache_size is usually set to three quarters of it and shared_buffers to a quarter.
    """
    settings = given.workload.settings
    cache = int(settings.get("effective_cache_size", "524288")) * _BLOCK
    buffers = int(settings.get("shared_buffers", "16384")) * _BLOCK
    return max(int(cache / 0.75), buffers * 4)


def _concurrency(given: Situation) -> int:
    """Backends that may run it at once: twice the most seen active, else a quarter of all."""
    seen = given.workload.peak_active_backends
    if seen is not None:
        return max(2 * seen, 2)
    return max(int(given.workload.settings.get("max_connections", "100")) // 4, 2)


def _claim(given: Situation, spill: _Spill) -> int:
    return _advised_bytes([spill]) * spill.shares * _concurrency(given)


def _fits(given: Situation, spill: _Spill) -> bool:
    return _claim(given, spill) <= _SHARE_OF_MEMORY * _memory_bytes(given)


def _too_big(given: Situation, spill: _Spill) -> str:
    return (
        f"staying in memory would need work_mem of {_advised_bytes([spill]) // _MB:,} MB, "
        f"{_claim(given, spill) // _MB:,} MB with {_concurrency(given)} backends at once, more "
        f"than a quarter of the server's memory ({_memory_bytes(given) // _MB:,} MB, from "
        "effective_cache_size): read or sort fewer rows instead"
    )


def _share(spill: _Spill) -> tuple[float, bool]:
    """The share of the query's time that temporary files take, and whether it was measured."""
    query = spill.subject.query
    measured = query.temp_blk_read_time + query.temp_blk_write_time
    if measured > 0:
        return min(measured / query.total_exec_time, 0.95), True
    blocks = query.temp_blks_read + query.temp_blks_written
    return min(blocks * _BLOCK_MS / query.total_exec_time, _LARGEST_HEURISTIC_SHARE), False


def _finding(given: Situation, role: str, spills: list[_Spill]) -> Finding:
    database = given.workload.database
    advised = _advised_bytes(spills)
    current = int(given.workload.settings.get("work_mem", "4096"))
    shares = {spill.subject.query.queryid: _share(spill) for spill in spills}
    is_measured = any(measured for _, measured in shares.values())
    claim = max(_claim(given, spill) for spill in spills)
    place = sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(
        sql.Identifier(role), sql.Identifier(database)
    )
    return Finding(
        rule=RULE,
        key=f"work_mem:{database}:{role}",
        title=f"work_mem {advised // _MB} MB for role {role}",
        statement=(place + sql.SQL("SET work_mem = {};").format(f"{advised // _MB}MB")).as_string(
            None
        ),
        undo=(place + sql.SQL("RESET work_mem;")).as_string(None),
        reasoning=(
            f"{len(spills)} quer{'y' if len(spills) == 1 else 'ies'} of {role} sort or hash on "
            f"disk: {'; '.join(spills[0].nodes)}. work_mem is {current / 1024:,.0f} MB and the "
            f"largest needs about {max(s.need_bytes for s in spills) / _MB:,.0f} MB."
        ),
        evidence_level=EvidenceLevel.HEURISTIC,
        confidence=0.7 if is_measured else 0.4,
        effects=tuple(
            Effect(
                queryid=queryid,
                improvement_ratio=share,
                improvement_low=0.0,
                improvement_high=min(2 * share, 0.95),
            )
            for queryid, (share, _) in shares.items()
        ),
        evidence={
            "nodes": {str(s.subject.query.queryid): list(s.nodes) for s in spills},
            "work_mem_kb": current,
            "temp_time_is_measured": is_measured,
            "memory_bytes_assumed": _memory_bytes(given),
            "concurrent_backends_assumed": _concurrency(given),
        },
        risk=Risk(
            lock="None. New sessions of the role take it; `SET LOCAL work_mem` limits it to one "
            "transaction.",
            notes=(
                f"At the busiest moment it may claim {claim / _MB:,.0f} MB of about "
                f"{_memory_bytes(given) / _MB:,.0f} MB.",
                "RESET removes the role's value; if it had another one in this database before, "
                "set that again instead.",
            ),
        ),
    )
