"""missing-foreign-key-index: deletes and key updates of the parent read the whole child."""

from collections.abc import Mapping
from dataclasses import dataclass

from pgadvisor.analyze.cost_model import SIGMA_FLOOR, TODAY, Remaining, confidence, improvement
from pgadvisor.analyze.indexes.candidates import is_large
from pgadvisor.analyze.indexes.definition import (
    build_lock,
    create_statement,
    drop_statement,
    index_evidence,
    index_key,
    index_name,
)
from pgadvisor.analyze.indexes.foreign_key_checks import (
    check_query,
    share_of_check,
    statements_checking,
)
from pgadvisor.analyze.indexes.pool import SMALLEST_GAIN
from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.analyze.indexes.upkeep import INDEX_WRITE_MS, writes_per_hour
from pgadvisor.analyze.rule import Analysis, Situation, Subject
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Risk, Skipped
from pgadvisor.records.catalog import ForeignKey, Table
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate, WhatIf

__all__ = ["missing_foreign_key_index"]

RULE = "missing-foreign-key-index"

#: Where no trigger time was logged, the share of the check is a guess.
_GUESSED = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A key whose check has no index, with the statements that fire it."""

    key: ForeignKey
    child: Table
    parent: Table
    #: the planner's cost of one check, without and with the index
    before: float
    after: float
    #: the share of its time that each statement spends in the check, and whether it was measured
    shares: Mapping[QueryId, tuple[float, bool]]

    def remaining(self, queryid: QueryId) -> Remaining:
        """What the index leaves of a statement's time."""
        share, _ = self.shares[queryid]
        return Remaining(kept=1 - share, costed=share * self.after / self.before)


def missing_foreign_key_index(given: Situation) -> Analysis:
    """Advise an index on the columns of a foreign key that the workload makes PostgreSQL check.

    Without an index on the child's columns each check is a scan of the whole child. A key whose
    parent is never deleted from needs no index for that.
    """
    what_if = given.what_if
    if what_if is None:
        return Analysis()  # missing-index has said why for every query
    whole = Analysis()
    for key in given.catalog.foreign_keys:
        whole += _check(given, what_if, key)
    return whole


def _check(given: Situation, what_if: WhatIf, key: ForeignKey) -> Analysis:
    child = given.catalog.tables.get(key.table_oid)
    parent = given.catalog.tables.get(key.referenced_oid)
    if child is None or parent is None or child.is_partition or not is_large(child):
        return Analysis()  # a partition gets its index with that of its parent
    writers = [] if _is_indexed(given, key) else statements_checking(given, key)
    if not writers:
        return Analysis()
    try:
        before = what_if.cost(check_query(child, key), ()).total_cost
        after = what_if.cost(check_query(child, key), (_candidate(child, key),)).total_cost
    except (NotExplainable, UnsafeStatement) as exc:
        return _refused(writers, f"the planner gives no plan for the check: {exc.message}")
    if after > before * (1 - SMALLEST_GAIN):
        return _refused(
            writers,
            f"{key.name} has no index, but one would not be used: the cost of a check falls only "
            f"from {before:,.0f} to {after:,.0f}",
        )
    shares = {
        subject.query.queryid: share
        for subject in writers
        if (share := share_of_check(given, what_if, subject, key, before))[0] > 0
    }
    if not shares:
        return _refused(writers, f"no row of it was ever checked against {key.name}")
    check = _Check(key=key, child=child, parent=parent, before=before, after=after, shares=shares)
    saved, upkeep = _saved_ms_per_hour(given, check), _upkeep_ms_per_hour(given, check)
    if saved <= upkeep:
        return _refused(
            writers,
            f"an index for {key.name} would save {saved:,.0f} ms an hour and cost {upkeep:,.0f} ms "
            "an hour to keep up: not worth it",
        )
    return Analysis((_finding(given, check),))


def _saved_ms_per_hour(given: Situation, check: _Check) -> float:
    times = {s.query.queryid: s.query.total_exec_time for s in given.subjects}
    hours = max(given.workload.observed_hours, 1e-6)
    return sum(times[q] * (1 - check.remaining(q).share) for q in check.shares) / hours


def _upkeep_ms_per_hour(given: Situation, check: _Check) -> float:
    return writes_per_hour(given, _candidate(check.child, check.key)) * INDEX_WRITE_MS


def _refused(writers: list[Subject], reason: str) -> Analysis:
    return Analysis(
        skipped=tuple(
            Skipped(rule=RULE, queryid=subject.query.queryid, reason=reason) for subject in writers
        )
    )


def _candidate(child: Table, key: ForeignKey) -> IndexCandidate:
    return IndexCandidate(
        table_oid=child.oid, schema=child.schema, table=child.name, columns=key.columns
    )


def _is_indexed(given: Situation, key: ForeignKey) -> bool:
    """True when a complete btree begins with the key's columns, in any order."""
    width = len(key.columns)
    return any(
        index.is_plain and set(index.key_columns[:width]) == set(key.columns)
        for index in given.indexes_of(key.table_oid)
    )


def _finding(given: Situation, check: _Check) -> Finding:
    key, child = check.key, check.child
    candidate = _candidate(child, key)
    name = index_name(candidate, {index.name for index in given.catalog.indexes})
    is_measured = all(measured for _, measured in check.shares.values())
    writes = writes_per_hour(given, candidate)
    return Finding(
        rule=RULE,
        key=index_key(candidate),
        title=f"index {child.qualified_name} ({', '.join(key.columns)}) for foreign key {key.name}",
        statement=create_statement(candidate, name, child),
        undo=drop_statement(candidate, name, child),
        reasoning=(
            f"Every row deleted from {check.parent.qualified_name} (or whose key changes) makes "
            f"PostgreSQL search {child.qualified_name} ({child.reltuples:,.0f} rows) for rows that "
            f"refer to it, and no index begins with {', '.join(key.columns)}. The cost of one "
            f"such check falls from {check.before:,.0f} to {check.after:,.0f}."
        ),
        evidence_level=EvidenceLevel.COSTED if is_measured else EvidenceLevel.HEURISTIC,
        confidence=_confidence(given, check),
        effects=tuple(_effect(check, queryid) for queryid in check.shares),
        evidence={
            "indexes": [index_evidence(candidate, name, child, index_bytes(candidate, child))],
            "constraint": key.name,
            "parent": check.parent.qualified_name,
            "parent_deleted_rows": check.parent.n_tup_del,
            "share_of_time_in_check": {str(q): share for q, (share, _) in check.shares.items()},
            "share_is_measured": is_measured,
            "write_ms_per_hour": _upkeep_ms_per_hour(given, check),
        },
        risk=Risk(
            size_bytes=index_bytes(candidate, child),
            writes_per_hour=writes,
            lock=build_lock(child),
        ),
    )


def _effect(check: _Check, queryid: QueryId) -> Effect:
    ratio, low, high = improvement(TODAY, check.remaining(queryid), SIGMA_FLOOR)
    _, is_measured = check.shares[queryid]
    return Effect(
        queryid=queryid,
        improvement_ratio=ratio,
        improvement_low=low if is_measured else min(low, 0.0),
        improvement_high=high,
        cost_before=check.before,
        cost_after=check.after,
    )


def _confidence(given: Situation, check: _Check) -> float:
    """The mean over the statements, weighted by the time they spend in the check."""
    times = {s.query.queryid: s.query.total_exec_time for s in given.subjects}
    weights = {queryid: times[queryid] * share for queryid, (share, _) in check.shares.items()}
    total = sum(weights.values()) or 1.0
    return sum(
        weight
        / total
        * confidence(TODAY, check.remaining(queryid), SIGMA_FLOOR)
        * (1.0 if check.shares[queryid][1] else _GUESSED)
        for queryid, weight in weights.items()
    )
