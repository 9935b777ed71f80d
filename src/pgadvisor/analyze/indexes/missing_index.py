"""missing-index: a selective scan of a large table, or a sort, that an index would spare."""

from collections.abc import Mapping
from typing import Any

from pgadvisor.analyze.cost_model import confidence, improvement, scatter
from pgadvisor.analyze.indexes.definition import (
    build_lock,
    create_statement,
    drop_statement,
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
        name = index_name(choice.candidate, taken)
        taken.add(name)
        findings.append(_finding(given, choice, sigma, name))
    return tuple(findings)


def _finding(given: Situation, choice: Choice, sigma: float, name: str) -> Finding:
    candidate = choice.candidate
    table = given.catalog.tables[candidate.table_oid]
    subjects = {s.query.queryid: s for s in given.subjects_of(table.oid)}
    costs = _costs(choice)
    spared = _spared(table, [subjects[queryid] for queryid in choice.changes])
    redundant = made_redundant(given.catalog, candidate)
    return Finding(
        rule=RULE,
        key=index_key(candidate),
        title=f"index {table.qualified_name} ({', '.join(candidate.columns)})",
        statement=create_statement(candidate, name, table),
        undo=drop_statement(candidate, name, table),
        reasoning=_reasoning(table, choice, spared),
        evidence_level=EvidenceLevel.COSTED,
        confidence=_confidence(choice, subjects, sigma),
        effects=tuple(
            _effect(queryid, change, sigma) for queryid, change in sorted(choice.changes.items())
        ),
        evidence={
            "index_name": name,
            "table": table.qualified_name,
            "key_columns": list(candidate.columns),
            "table_rows": table.reltuples,
            "table_bytes": table.table_bytes,
            "plan_nodes": spared,
            "costs": costs,
            "saved_ms_per_hour": choice.saved_ms_per_hour,
            "write_ms_per_hour": choice.write_ms_per_hour,
            "scatter_of_time_per_cost": sigma,
            "makes_redundant": [index.name for index in redundant],
        },
        risk=_risk(table, choice, redundant),
    )


def _costs(choice: Choice) -> dict[str, dict[str, float]]:
    """For people: by query, the planner's costs and what of the time was measured to stay."""
    return {
        str(queryid): {
            "before": change.before.cost,
            "after": change.after.cost,
            "share_of_time_kept": change.after.kept,
            "row_underestimate": change.after.underestimate,
        }
        for queryid, change in choice.changes.items()
    }


def _effect(queryid: QueryId, change: Change, sigma: float) -> Effect:
    ratio, low, high = improvement(change.before.share, change.after, sigma)
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
        weight / total * confidence(choice.changes[q].before.share, choice.changes[q].after, sigma)
        for q, weight in weights.items()
    )


def _spared(table: Table, subjects: list[Subject]) -> list[dict[str, Any]]:
    """The nodes of today's plans that the index is for: scans of the table, and sorts."""
    found = []
    for subject in subjects:
        for plan in subject.plans[:1]:
            found += [
                {"queryid": str(subject.query.queryid), **node} for node in _nodes(plan, table)
            ]
    return found[:20]


def _nodes(plan: Plan, table: Table) -> list[dict[str, Any]]:
    nodes = []
    for node in plan.walk():
        is_scan = node.node_type in _SCANS and node.relation_name == table.name
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
    count = len(choice.changes)
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


def _risk(table: Table, choice: Choice, redundant: tuple[Index, ...]) -> Risk:
    notes = []
    if table.n_tup_upd and table.n_tup_hot_upd / table.n_tup_upd > 0.5:
        notes.append(
            f"{table.n_tup_hot_upd / table.n_tup_upd:.0%} of the updates of the table are HOT; "
            "those that change an indexed column no longer will be."
        )
    if redundant:
        names = ", ".join(index.name for index in redundant)
        notes.append(f"It does the work of {names} too, which can be dropped afterwards.")
    return Risk(
        size_bytes=choice.size_bytes,
        writes_per_hour=choice.writes_per_hour,
        lock=build_lock(table),
        notes=tuple(notes),
    )
