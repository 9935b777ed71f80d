"""What a rule gets and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pgadvisor.errors import NotParsable
from pgadvisor.plans import Plan, parse_plan
from pgadvisor.records.advice import Finding, Skipped
from pgadvisor.records.catalog import Catalog, Table
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import WhatIf
from pgadvisor.records.workload import PlanSource, Query, Workload
from pgadvisor.sql import ParsedStatement, is_explainable, parse
from pgadvisor.sql.references import references
from pgadvisor.sql.uses import References

__all__ = ["Analysis", "Progress", "Rule", "Situation", "Subject", "situation"]

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Findings, and the reasons for silence."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __add__(self, other: "Analysis") -> "Analysis":
        return Analysis(self.findings + other.findings, self.skipped + other.skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A query that can be analyzed: parsed, its names resolved, its plans read."""

    query: Query
    #: texts to ask the planner about, with the weight of each; the weights add up to 1
    texts: tuple[tuple[str, float], ...]
    references: References
    #: plans as trees, those from logs first
    plans: tuple[Plan, ...]
    #: the first plan has actual times and rows
    is_observed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a rule may look at."""

    workload: Workload
    catalog: Catalog
    subjects: tuple[Subject, ...]
    #: queries that cannot be analyzed, with the reason
    unreadable: Mapping[QueryId, str] = field(default_factory=dict)
    #: asks the target's planner; None where nothing can be asked, with the reason
    what_if: WhatIf | None = None
    no_what_if_reason: str = ""

    def table_of(self, schema: str | None, name: str) -> Table | None:
        """The table that a name in a statement means."""
        return self.catalog.table(name, schema)


class Rule(Protocol):
    """One rule: one function in one module of the same name, one fixture, one docs page."""

    def __call__(self, given: Situation) -> Analysis:
        """What the rule finds, and why it stays silent."""
        ...


def situation(
    workload: Workload,
    catalog: Catalog,
    what_if: WhatIf | None,
    *,
    no_what_if_reason: str = "",
) -> Situation:
    """Parse every query of the workload once and note those that cannot be analyzed."""
    subjects: list[Subject] = []
    unreadable: dict[QueryId, str] = {}
    for query in workload.queries:
        subject = _subject(query, catalog)
        if isinstance(subject, Subject):
            subjects.append(subject)
        else:
            unreadable[query.queryid] = subject
    return Situation(
        workload=workload,
        catalog=catalog,
        subjects=tuple(subjects),
        unreadable=unreadable,
        what_if=what_if,
        no_what_if_reason=no_what_if_reason,
    )


def _subject(query: Query, catalog: Catalog) -> Subject | str:
    """The query made ready, or why it cannot be."""
    if query.query is None:
        return "its text is hidden from the role of pgadvisor: grant pg_read_all_stats"
    try:
        statement = parse(query.query)
        if not is_explainable(statement):
            return "a utility statement: it has no plan to improve"
        plans, is_observed = _plans(query)
        return Subject(
            query=query,
            texts=_texts(query),
            references=_references(statement, catalog),
            plans=plans,
            is_observed=is_observed,
        )
    except NotParsable as exc:
        return f"its text cannot be parsed: {exc.message}"


def _references(statement: ParsedStatement, catalog: Catalog) -> References:
    def columns_of(schema: str | None, name: str) -> tuple[str, ...] | None:
        table = catalog.table(name, schema)
        return None if table is None else tuple(column.name for column in table.columns)

    return references(statement, columns_of)


def _texts(query: Query) -> tuple[tuple[str, float], ...]:
    """Real statements from the log, weighted by the time they took; else the normalized text."""
    logged = [plan for plan in query.plans if plan.source is PlanSource.AUTO_EXPLAIN]
    times = [plan.executions * (plan.mean_duration_ms or 0.0) for plan in logged]
    total = sum(times)
    if total > 0:
        return tuple(
            (plan.example_query, time / total) for plan, time in zip(logged, times, strict=True)
        )
    return ((query.query or "", 1.0),)


def _plans(query: Query) -> tuple[tuple[Plan, ...], bool]:
    plans = tuple(parse_plan({**stored.extra, "Plan": stored.plan}) for stored in query.plans)
    return plans, bool(plans) and plans[0].root.actual_rows is not None
