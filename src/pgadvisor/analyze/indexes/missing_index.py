"""missing-index: a selective scan of a large table, or a sort, that an index would spare."""

from collections.abc import Mapping
from typing import Any

from pgadvisor.analyze.cost_model import confidence, improvement, scatter
from pgadvisor.analyze.indexes.definition import (
    build_lock,
    create_statement,
    drop_statement,
    index_evidence,
    index_key,
    index_name,
    made_redundant,
)
from pgadvisor.analyze.indexes.select import Change, Choice, Selection, select_indexes
from pgadvisor.analyze.rule import Analysis, Situation, Subject
from pgadvisor.plans import Plan
from pgadvisor.records.advice import Effect, EvidenceLevel, Finding, Risk, Skipped
from pgadvisor.records.catalog import Index, Table
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate

__all__ = ["missing_index"]

RULE = "missing-index"
_SCANS = ("Seq Scan", "Parallel Seq Scan")
_SORTS = ("Sort", "Incremental Sort")


def missing_index(given: Situation) -> Analysis:
    """Advise the indexes that save most database time over the workload.

    Needs what-if costs; without them it says why it is silent, and how to mend that.
    """
    silences = [
        Skipped(rule=RULE, queryid=queryid, reason=reason)
        for queryid, reason in given.unreadable.items()
    ]
    if given.what_if is None:
        silences += [
            Skipped(rule=RULE, queryid=s.query.queryid, reason=given.no_what_if_reason)
            for s in given.subjects
        ]
        return Analysis((), tuple(silences))
    selection = select_indexes(given, given.what_if)
    silences += [
        Skipped(rule=RULE, queryid=queryid, reason=reason)
        for queryid, reason in selection.reasons.items()
    ]
    return Analysis(_findings(given, selection), tuple(silences))


def _findings(given: Situation, selection: Selection) -> tuple[Finding, ...]:
    sigma = scatter(selection.times_and_costs)
    taken = {index.name for index in given.catalog.indexes}
    findings = []
    for choice in selection.choices:
        names = []
        for candidate in choice.candidates:
            names.append(index_name(candidate, taken))
            taken.add(names[-1])
        findings.append(_finding(given, choice, sigma, names))
    return tuple(findings)


def _finding(given: Situation, choice: Choice, sigma: float, names: list[str]) -> Finding:
    tables = {c.table_oid: given.catalog.tables[c.table_oid] for c in choice.candidates}
    named = [
        (c, name, tables[c.table_oid]) for c, name in zip(choice.candidates, names, strict=True)
    ]
    subjects = {s.query.queryid: s for s in given.subjects}
    spared = _spared(named, [subjects[queryid] for queryid in choice.changes])
    redundant = tuple(
        index for candidate in choice.candidates for index in made_redundant(given, candidate)
    )
    return Finding(
        rule=RULE,
        key=" + ".join(sorted(index_key(candidate) for candidate in choice.candidates)),
        title="; ".join(
            f"index {table.qualified_name} ({', '.join(candidate.columns)})"
            for candidate, _, table in named
        ),
        statement="\n".join(create_statement(*one) for one in named),
        undo="\n".join(drop_statement(*one) for one in named),
        reasoning=_reasoning(named[0][2], choice, spared),
        evidence_level=EvidenceLevel.COSTED,
        confidence=_confidence(choice, subjects, sigma),
        effects=tuple(
            _effect(queryid, change, sigma) for queryid, change in sorted(choice.changes.items())
        ),
        evidence={
            "indexes": [
                index_evidence(candidate, name, table, size)
                for (candidate, name, table), size in zip(named, choice.sizes, strict=True)
            ],
            "plan_nodes": spared,
            "costs": _costs(choice),
            "saved_ms_per_hour": choice.saved_ms_per_hour,
            "write_ms_per_hour": choice.write_ms_per_hour,
            "scatter_of_time_per_cost": sigma,
            "makes_redundant": [index.name for index in redundant],
        },
        risk=_risk(list(tables.values()), choice, redundant),
    )


def _costs(choice: Choice) -> dict[str, dict[str, float]]:
    """For people: by query, the planner's costs and what of the time was measured to stay."""
    return {
        str(queryid): {
            "before": change.before.cost,
            "after": change.after.cost,
            "share_of_time_kept": change.after.kept,
            "row_error": change.after.row_error,
        }
        for queryid, change in choice.changes.items()
    }


def _effect(queryid: QueryId, change: Change, sigma: float) -> Effect:
    ratio, low, high = improvement(change.before, change.after, sigma)
    return Effect(
        queryid=queryid,
        improvement_ratio=ratio,
        improvement_low=low,
        improvement_high=high,
        cost_before=change.before.cost,
        cost_after=change.after.cost,
    )


def _confidence(choice: Choice, subjects: Mapping[QueryId, Subject], sigma: float) -> float:
    """The mean over the queries it helps, weighted by the time they save."""
    weights = {
        queryid: subjects[queryid].query.total_exec_time * change.improvement
        for queryid, change in choice.changes.items()
        if change.improvement > 0
    }
    total = sum(weights.values()) or 1.0
    return sum(
        weight / total * confidence(choice.changes[q].before, choice.changes[q].after, sigma)
        for q, weight in weights.items()
    )


def _spared(
    named: list[tuple[IndexCandidate, str, Table]], subjects: list[Subject]
) -> list[dict[str, Any]]:
    """The nodes of today's plans that the index is for: scans of its table, and sorts."""
    names = {table.name for _, _, table in named}
    found = []
    for subject in subjects:
        for plan in subject.plans[:1]:
            found += [
                {"queryid": str(subject.query.queryid), **node} for node in _nodes(plan, names)
            ]
    return found[:20]


def _nodes(plan: Plan, names: set[str]) -> list[dict[str, Any]]:
    nodes = []
    for node in plan.walk():
        is_scan = node.node_type in _SCANS and node.relation_name in names
        if not is_scan and node.node_type not in _SORTS:
            continue
        facts = {
            "node_type": node.node_type,
            "relation_name": node.relation_name,
            "filter": node.filter,
            "sort_key": list(node.sort_key) or None,
            "plan_rows": node.plan_rows,
            "actual_rows": node.actual_rows,
            "actual_loops": node.actual_loops,
            "rows_removed_by_filter": node.rows_removed_by_filter,
            "total_cost": node.total_cost,
        }
        nodes.append({name: value for name, value in facts.items() if value is not None})
    return nodes


def _reasoning(table: Table, choice: Choice, spared: list[dict[str, Any]]) -> str:
    count = len(choice.changes) - len(choice.slowed)
    scans = [node for node in spared if node["node_type"] in _SCANS]
    if scans:
        worst = max(scans, key=lambda node: float(node["total_cost"]))
        removed = worst.get("rows_removed_by_filter")
        seen = f", throwing {removed:,.0f} rows away each time" if removed else ""
        first = (
            f"{_queries(count)} read all of {table.qualified_name} "
            f"({table.reltuples:,.0f} rows, {_megabytes(table.table_bytes)}){seen}."
        )
    elif any(node["node_type"] in _SORTS for node in spared):
        first = f"{_queries(count)} sort rows of {table.qualified_name}."
    else:
        first = f"{_queries(count)} reach rows of {table.qualified_name} by a longer way."
    queryid, change = max(choice.changes.items(), key=lambda item: item[1].improvement)
    return (
        f"{first} With the index the planner's cost of query {queryid} falls from "
        f"{change.before.cost:,.0f} to {change.after.cost:,.0f}."
    )


def _queries(count: int) -> str:
    return "One query has to" if count == 1 else f"{count} queries have to"


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f} MB"


def _risk(tables: list[Table], choice: Choice, redundant: tuple[Index, ...]) -> Risk:
    notes = [
        f"{table.n_tup_hot_upd / table.n_tup_upd:.0%} of the updates of {table.name} are HOT; "
        "those that change an indexed column no longer will be."
        for table in tables
        if table.n_tup_upd and table.n_tup_hot_upd / table.n_tup_upd > 0.5
    ]
    if redundant:
        names = ", ".join(index.name for index in redundant)
        notes.append(f"It does the work of {names} too, which can be dropped afterwards.")
    notes += [
        f"Query {queryid} may get {-choice.changes[queryid].improvement:.0%} slower: the planner "
        "would use the index for it, and misjudges how many rows it meets."
        for queryid in choice.slowed
    ]
    if len(choice.candidates) > 1:
        notes.append("One alone does nothing: the plan needs all of them.")
    return Risk(
        size_bytes=choice.size_bytes,
        writes_per_hour=choice.writes_per_hour,
        lock=" ".join(dict.fromkeys(build_lock(table) for table in tables)),
        notes=tuple(notes),
    )
