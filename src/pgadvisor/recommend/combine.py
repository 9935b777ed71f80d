"""Findings that ask for the same change are one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pgadvisor.records.advice import Effect, Finding
from pgadvisor.records.statement import QueryId
from pgadvisor.records.workload import Query

__all__ = ["combined"]

_CHECK_OF_KEY = "missing-foreign-key-index"


def combined(findings: Iterable[Finding], queries: Mapping[QueryId, Query]) -> list[Finding]:
    """One finding a change, in the order of the first; what others say of it is added to it.

    The same change is one with the same key, or an index for the check of a foreign key that
    another advised index begins with.
    """
    found: dict[str, Finding] = {}
    for finding in findings:
        key = _key_of_same(finding, found.values())
        found[key] = _merge(found[key], finding, queries) if key in found else finding
    return list(found.values())


def _key_of_same(finding: Finding, earlier: Iterable[Finding]) -> str:
    if finding.rule == _CHECK_OF_KEY:
        wanted = _indexes(finding)
        for other in earlier:
            if wanted and all(_is_served(index, _indexes(other)) for index in wanted):
                return other.key
    return finding.key


def _indexes(finding: Finding) -> list[Mapping[str, Any]]:
    found = finding.evidence.get("indexes", [])
    return found if isinstance(found, list) else []


def _is_served(wanted: Mapping[str, Any], indexes: list[Mapping[str, Any]]) -> bool:
    """A check compares all columns for equality, so their order does not matter."""
    width = len(wanted["key_columns"])
    return any(
        index["table"] == wanted["table"]
        and set(index["key_columns"][:width]) == set(wanted["key_columns"])
        for index in indexes
    )


def _merge(first: Finding, other: Finding, queries: Mapping[QueryId, Query]) -> Finding:
    """The first finding with the effects that only the other one has."""
    known = {effect.queryid for effect in first.effects}
    # The check of a key is a statement of its own inside the one that fires it. Where that inner
    # statement was counted (pg_stat_statements.track = all), its time must not count twice.
    is_counted = any(q in queries and not queries[q].toplevel for q in known)
    more = tuple(e for e in other.effects if e.queryid not in known and not is_counted)
    return replace(
        first,
        effects=first.effects + more,
        confidence=_confidence(first, other, more, queries),
        reasoning=f"{first.reasoning} {other.reasoning}",
        evidence={**other.evidence, **first.evidence, "also_found_by": other.rule},
    )


def _confidence(
    first: Finding, other: Finding, more: tuple[Effect, ...], queries: Mapping[QueryId, Query]
) -> float:
    """The mean of both, weighted by the time that each says goes away."""
    of_first, of_other = _saved(first.effects, queries), _saved(more, queries)
    total = of_first + of_other
    if total <= 0:
        return min(first.confidence, other.confidence)
    return (first.confidence * of_first + other.confidence * of_other) / total


def _saved(effects: Iterable[Effect], queries: Mapping[QueryId, Query]) -> float:
    return sum(
        max(effect.improvement_ratio, 0.0) * queries[effect.queryid].total_exec_time
        for effect in effects
        if effect.queryid in queries
    )
