"""missing-foreign-key-index: deletes and key updates of the parent read the whole child."""

from psycopg import sql

from pgadvisor.analyze.cost_model import confidence, improvement_interval, scatter
from pgadvisor.analyze.indexes.candidates import is_large
from pgadvisor.analyze.indexes.definition import (
    create_statement,
    drop_statement,
    index_key,
    index_name,
)
from pgadvisor.analyze.indexes.select import INDEX_WRITE_MS
from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.analyze.rule import Analysis, Situation, Subject
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Risk, Skipped
from pgadvisor.records.catalog import ForeignKey, Table
from pgadvisor.records.what_if import IndexCandidate, WhatIf

__all__ = ["missing_foreign_key_index"]

RULE = "missing-foreign-key-index"


def missing_foreign_key_index(given: Situation) -> Analysis:
    """Advise an index on the columns of a foreign key that the workload makes PostgreSQL check.

    A row that is deleted from the parent (or whose key changes) makes PostgreSQL look for rows
    that refer to it (ri_triggers.c): without an index on the child's columns that is a scan of
    the whole child, per row. A key whose parent is never deleted from needs no index for that.
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
    if child is None or parent is None or not is_large(child) or _is_indexed(given, key):
        return Analysis()
    writers = [
        (subject, share)
        for subject in given.subjects
        if (share := _check_share(given, subject, parent, key)) is not None
    ]
    if not writers:
        return Analysis()
    try:
        before, after = _costs(what_if, child, key)
    except (NotExplainable, UnsafeStatement) as exc:
        reason = f"the planner gives no plan for the check of {key.name}: {exc.message}"
        return Analysis(
            skipped=tuple(
                Skipped(rule=RULE, queryid=subject.query.queryid, reason=reason)
                for subject, _ in writers
            )
        )
    return Analysis((_finding(given, key, child, parent, writers, (before, after)),))


def _candidate(child: Table, key: ForeignKey) -> IndexCandidate:
    return IndexCandidate(
        table_oid=child.oid, schema=child.schema, table=child.name, columns=key.columns
    )


def _is_indexed(given: Situation, key: ForeignKey) -> bool:
    """True when a complete btree begins with the key's columns, in any order."""
    width = len(key.columns)
    return any(
        index.is_plain and set(index.key_columns[:width]) == set(key.columns)
        for index in given.catalog.indexes_of(key.table_oid)
    )


def _check_share(
    given: Situation, subject: Subject, parent: Table, key: ForeignKey
) -> float | None:
    """The share of a statement's time that the check of the key takes; None when it has none.

    From the trigger times of a logged plan. A statement without one has the check's share
    estimated from costs later, marked by a share of 0.
    """
    fires = any(
        use.command == "delete" or (use.command == "update" and _changes_key(use.assigned, key))
        for use in subject.references.tables
        if (table := given.table_of(use.schema, use.name)) is not None and table.oid == parent.oid
    )
    if not fires:
        return None
    for plan in subject.plans:
        for trigger in plan.triggers:
            if trigger.get("Constraint Name") == key.name and "Time" in trigger:
                spent = float(trigger["Time"])
                whole = spent + (plan.root.actual_total_time or 0.0)
                return spent / whole if whole else 0.0
    return 0.0


def _changes_key(assigned: tuple[str, ...], key: ForeignKey) -> bool:
    return bool(set(assigned) & set(key.referenced_columns))


def _costs(what_if: WhatIf, child: Table, key: ForeignKey) -> tuple[float, float]:
    """The cost of one check without and with the index."""
    conditions = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.SQL(f"${number}"))
        for number, column in enumerate(key.columns, 1)
    )
    check = (
        sql.SQL("SELECT 1 FROM ONLY {} WHERE {}")
        .format(sql.Identifier(child.schema, child.name), conditions)
        .as_string(None)
    )
    return (
        what_if.cost(check, ()).total_cost,
        what_if.cost(check, (_candidate(child, key),)).total_cost,
    )


def _finding(
    given: Situation,
    key: ForeignKey,
    child: Table,
    parent: Table,
    writers: list[tuple[Subject, float]],
    costs: tuple[float, float],
) -> Finding:
    candidate = _candidate(child, key)
    name = index_name(candidate, {index.name for index in given.catalog.indexes})
    before, after = costs
    sigma = scatter(())
    ratio, low, high = improvement_interval(after / before, sigma)
    shares = {s.query.queryid: share or _estimated_share(s, before) for s, share in writers}
    is_seen = any(share > 0 for _, share in writers)
    inserted, updated, _ = given.workload.write_rates.get(child.oid, (0.0, 0.0, 0.0))
    return Finding(
        rule=RULE,
        key=index_key(candidate),
        title=f"index {child.qualified_name} ({', '.join(key.columns)}) for foreign key {key.name}",
        statement=create_statement(candidate, name, child),
        undo=drop_statement(candidate, name, child),
        reasoning=(
            f"Every row deleted from {parent.qualified_name} (or whose key changes) makes "
            f"PostgreSQL search {child.qualified_name} ({child.reltuples:,.0f} rows) for rows that "
            f"refer to it, and no index begins with {', '.join(key.columns)}. The cost of one "
            f"such check falls from {before:,.0f} to {after:,.0f}."
        ),
        evidence_level=EvidenceLevel.COSTED if is_seen else EvidenceLevel.HEURISTIC,
        confidence=confidence(after / before, sigma) * (1.0 if is_seen else 0.6),
        effects=tuple(
            Effect(
                queryid=queryid,
                improvement_ratio=share * ratio,
                improvement_low=share * low,
                improvement_high=share * high,
                cost_before=before,
                cost_after=after,
            )
            for queryid, share in shares.items()
        ),
        evidence={
            "index_name": name,
            "constraint": key.name,
            "child_rows": child.reltuples,
            "child_bytes": child.table_bytes,
            "parent": parent.qualified_name,
            "parent_deleted_rows": parent.n_tup_del,
            "share_of_time_in_check": {str(queryid): s for queryid, s in shares.items()},
            "share_is_measured": is_seen,
            "write_ms_per_hour": (inserted + updated) * INDEX_WRITE_MS,
        },
        risk=Risk(
            size_bytes=index_bytes(candidate, child),
            writes_per_hour=inserted + updated,
            lock="SHARE UPDATE EXCLUSIVE while it builds: reads and writes go on.",
        ),
    )


def _estimated_share(subject: Subject, check_cost: float) -> float:
    """Without a trigger time: the check's part of the cost of statement and check together."""
    if not subject.plans:
        return 0.5
    return check_cost / (check_cost + subject.plans[0].root.total_cost)
