"""sort-or-hash-spills-to-disk: a sort or hash does not fit into work_mem."""

import math
import re
from collections import defaultdict
from dataclasses import dataclass

from psycopg import sql

from pgadvisor.analyze.cost_model import Z90, probability_of_worth
from pgadvisor.analyze.parameters.memory import MemoryRules, need_bytes, spilling_nodes
from pgadvisor.analyze.rule import Analysis, Situation, Subject
from pgadvisor.plans import Plan, PlanNode
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Risk, Skipped

__all__ = ["sort_or_hash_spills_to_disk"]

RULE = "sort-or-hash-spills-to-disk"

_MB = 1024 * 1024
_BLOCK = 8192
#: head room over what was seen
_MARGIN = 1.25
#: all that work_mem may claim at the busiest moment
_SHARE_OF_MEMORY = 0.25
#: a block through the page cache (5 to 14 microseconds were measured); used only where
#: temp_blk_*_time were not measured
_BLOCK_MS = 0.01
_LARGEST_HEURISTIC_SHARE = 0.4
#: Below this share of a query's time a spill is not worth a setting: with temporary files in the
#: page cache, sorting the same rows in memory was 14 % faster to 30 % slower where it was 5 %.
_SMALLEST_SHARE = 0.08
_UNITS = {"B": 1 / 1024, "kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}


@dataclass(frozen=True, slots=True)
class _Spill:
    subject: Subject
    #: what the hungriest node would need of work_mem, in bytes
    need_bytes: int
    #: what all nodes of one execution that spilled would take together
    claim_bytes: int
    nodes: tuple[str, ...]
    #: the share of the query's time that temporary files take, and whether it was measured
    share: float
    is_measured: bool


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
        if isinstance(spill, str):
            silences.append(_silence(subject, spill))
        else:
            by_role[subject.query.users[0]].append(spill)
    findings = []
    for role, spills in sorted(by_role.items()):
        silences += [_silence(spill.subject, reason) for spill, reason in _refused(given, spills)]
        fitting = [spill for spill in spills if _fits(given, spill)]
        missing = [s for s in fitting if _advised_bytes([s]) > _current_bytes(given, role)]
        silences += [
            _silence(spill.subject, _already_set(given, role))
            for spill in fitting
            if spill not in missing
        ]
        if missing:
            findings.append(_finding(given, role, missing))
    return Analysis(tuple(findings), tuple(silences))


def _silence(subject: Subject, reason: str) -> Skipped:
    return Skipped(rule=RULE, queryid=subject.query.queryid, reason=reason)


def _spill(given: Situation, subject: Subject) -> _Spill | str:
    """What spills, or why nothing can be said about it."""
    if not subject.is_observed:
        return (
            "it writes temporary blocks, but no plan with actual rows was logged: "
            "load auto_explain with log_analyze to see which node spills"
        )
    rules = MemoryRules.of(given.workload.settings, given.workload.server_version_num)
    seen = [(plan, spilling_nodes(plan)) for plan in subject.plans]
    needs = [
        [(need_bytes(node, parent, rules), node) for node, parent in nodes] for _, nodes in seen
    ]
    if not any(needs):
        return (
            "it writes temporary blocks, but not for a sort or hash: a materialized result or CTE"
        )
    if not subject.query.users:
        return "a sort or hash spills, but it is not known which role runs it"
    share, is_measured = _share(subject)
    if share < _SMALLEST_SHARE:
        return f"a sort or hash spills, but that takes only {share:.1%} of its time"
    return _Spill(
        subject=subject,
        need_bytes=max(need for plan in needs for need, _ in plan),
        claim_bytes=max(
            sum(need for need, _ in of_plan) * _processes(plan)
            for (plan, _), of_plan in zip(seen, needs, strict=True)
        ),
        nodes=tuple(_words(node) for plan in needs for _, node in plan)[:5],
        share=share,
        is_measured=is_measured,
    )


def _processes(plan: Plan) -> int:
    """Each process of a parallel plan may take work_mem."""
    return 1 + max((node.workers_planned or 0 for node in plan.walk()), default=0)


def _share(subject: Subject) -> tuple[float, bool]:
    query = subject.query
    if not query.total_exec_time:
        return 0.0, False
    measured = query.temp_blk_read_time + query.temp_blk_write_time
    if measured > 0:
        return min(measured / query.total_exec_time, 0.95), True
    blocks = query.temp_blks_read + query.temp_blks_written
    return min(blocks * _BLOCK_MS / query.total_exec_time, _LARGEST_HEURISTIC_SHARE), False


def _words(node: PlanNode) -> str:
    if node.sort_space_type == "Disk":
        space = (node.sort_space_used or 0) / 1024
        return f"{node.node_type}: {space:,.0f} MB on disk ({node.sort_method})"
    if (node.hash_batches or 1) > 1:
        return f"Hash: {node.hash_batches} batches"
    return f"HashAggregate: {(node.disk_usage or 0) / 1024:,.0f} MB on disk"


def _advised_bytes(spills: list[_Spill]) -> int:
    need = max(spill.need_bytes for spill in spills) * _MARGIN
    return max(math.ceil(need / _MB / 4) * 4, 8) * _MB


def _current_bytes(given: Situation, role: str) -> int:
    """The work_mem that new sessions of the role get in this database."""
    of_role = given.catalog.role_settings.get(role, {}).get("work_mem")
    return _bytes(of_role or given.workload.settings.get("work_mem", "4096"))


def _bytes(setting: str) -> int:
    """Bytes of a value of work_mem; without a unit it is in kB."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?\s*", setting)
    return int(float(found[1]) * _UNITS[found[2] or "kB"] * 1024) if found else 0


def _already_set(given: Situation, role: str) -> str:
    return (
        f"work_mem of {role} is {_current_bytes(given, role) // _MB:,} MB by now, enough for the "
        "sorts and hashes that were seen to spill before"
    )


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
    return int(spill.claim_bytes * _MARGIN) * _concurrency(given)


def _fits(given: Situation, spill: _Spill) -> bool:
    return _claim(given, spill) <= _SHARE_OF_MEMORY * _memory_bytes(given)


def _refused(given: Situation, spills: list[_Spill]) -> list[tuple[_Spill, str]]:
    return [
        (
            spill,
            f"staying in memory would need work_mem of {_advised_bytes([spill]) // _MB:,} MB, "
            f"{_claim(given, spill) // _MB:,} MB with {_concurrency(given)} backends at once, "
            f"more than a quarter of the server's memory ({_memory_bytes(given) // _MB:,} MB, "
            "from effective_cache_size): read or sort fewer rows instead",
        )
        for spill in spills
        if not _fits(given, spill)
    ]


def _effect(spill: _Spill) -> Effect:
    """The time in temporary files goes away; what else changes is in the interval.

    The same rows are still sorted or hashed, by another algorithm and with more cache misses. In
    measurements the gain was the share, give or take 0.1 (shares to 0.3), and less on one server.
    """
    scatter = _scatter(spill)
    return Effect(
        queryid=spill.subject.query.queryid,
        improvement_ratio=spill.share,
        improvement_low=spill.share - Z90 * scatter,
        improvement_high=min(spill.share + Z90 * scatter, 1.0),
    )


def _scatter(spill: _Spill) -> float:
    return 0.12 + spill.share * (0.5 if spill.is_measured else 0.75)


def _confidence(spills: list[_Spill]) -> float:
    """The mean over the queries, weighted by the time they lose."""
    weights = [spill.subject.query.total_exec_time * spill.share for spill in spills]
    chances = [
        probability_of_worth(spill.share, _scatter(spill)) * (1.0 if spill.is_measured else 0.7)
        for spill in spills
    ]
    return sum(w * c for w, c in zip(weights, chances, strict=True)) / sum(weights)


def _finding(given: Situation, role: str, spills: list[_Spill]) -> Finding:
    database = given.workload.database
    advised = _advised_bytes(spills)
    claim = max(_claim(given, spill) for spill in spills)
    return Finding(
        rule=RULE,
        key=f"work_mem:{database}:{role}",
        title=f"work_mem {advised // _MB} MB for role {role}",
        statement=_alter(role, database, f"{advised // _MB}MB"),
        undo=_alter(role, database, given.catalog.role_settings.get(role, {}).get("work_mem")),
        reasoning=(
            f"{_queries(spills)} on disk for {role}: {'; '.join(spills[0].nodes)}. work_mem is "
            f"{_current_bytes(given, role) / _MB:,.0f} MB and the largest needs about "
            f"{max(s.need_bytes for s in spills) / _MB:,.0f} MB."
        ),
        evidence_level=EvidenceLevel.HEURISTIC,
        confidence=_confidence(spills),
        effects=tuple(_effect(spill) for spill in spills),
        evidence=_evidence(given, role, spills),
        risk=Risk(
            lock="None. New sessions of the role take it; `SET LOCAL work_mem` limits it to one "
            "transaction.",
            notes=(
                f"At the busiest moment these queries may claim {claim / _MB:,.0f} MB of about "
                f"{_memory_bytes(given) / _MB:,.0f} MB.",
                "Every sort and hash of the role may then take that much.",
                "The undo restores what pg_db_role_setting had for the role in this database; "
                "where pgadvisor could not read that, it is RESET.",
            ),
        ),
    )


def _queries(spills: list[_Spill]) -> str:
    return (
        "One query sorts or hashes" if len(spills) == 1 else f"{len(spills)} queries sort or hash"
    )


def _alter(role: str, database: str, value: str | None) -> str:
    """ALTER ROLE ... SET work_mem, or RESET for None."""
    statement = sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(
        sql.Identifier(role), sql.Identifier(database)
    )
    if value is None:
        statement += sql.SQL("RESET work_mem;")
    else:
        statement += sql.SQL("SET work_mem = {};").format(sql.Literal(value))
    return statement.as_string(None)


def _evidence(given: Situation, role: str, spills: list[_Spill]) -> dict[str, object]:
    return {
        "nodes": {str(s.subject.query.queryid): list(s.nodes) for s in spills},
        "need_bytes": {str(s.subject.query.queryid): s.need_bytes for s in spills},
        "temp_blks_written": {
            str(s.subject.query.queryid): s.subject.query.temp_blks_written for s in spills
        },
        "share_of_time": {str(s.subject.query.queryid): s.share for s in spills},
        "share_is_measured": all(s.is_measured for s in spills),
        "work_mem_bytes": _current_bytes(given, role),
        "backends_at_once": _concurrency(given),
    }
