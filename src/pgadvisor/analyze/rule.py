"""What a rule gets and what it gives back."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pgadvisor.errors import NotParsable
from pgadvisor.plans import Plan, parse_plan
from pgadvisor.records.advice import Finding, Skipped
from pgadvisor.records.catalog import Catalog, Index, Table
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import WhatIf
from pgadvisor.records.workload import PlanSource, Query, Workload
from pgadvisor.sql import ParsedStatement, is_explainable, parse
from pgadvisor.sql.reading_part import reading_part
from pgadvisor.sql.references import references
from pgadvisor.sql.uses import References, TableUse

__all__ = ["Analysis", "Progress", "Rule", "Sample", "Situation", "Subject", "situation"]

Progress = Callable[[float], None]
TableOf = Callable[[str | None, str], Table | None]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Findings, and the reasons for silence."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __add__(self, other: "Analysis") -> "Analysis":
        return Analysis(self.findings + other.findings, self.skipped + other.skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text to ask the planner about, standing for a part of a query's executions."""

    text: str
    #: its part of the query's time; those of one query add up to 1
    weight: float
    #: the plan that was logged with it, with actual rows
    observed: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A query that can be analyzed: parsed, its names resolved, its plans read."""

    query: Query
    samples: tuple[Sample, ...]
    references: References
    #: what it does with the tables that are in the catalog
    uses: tuple[tuple[TableUse, Table], ...]
    #: plans as trees, those from logs first
    plans: tuple[Plan, ...]
    #: one of the plans has actual rows
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
    #: subjects and indexes by the oid of their tables
    by_table: Mapping[int, tuple[Subject, ...]] = field(default_factory=dict)
    indexes: Mapping[int, tuple[Index, ...]] = field(default_factory=dict)

    def subjects_of(self, table_oid: int) -> tuple[Subject, ...]:
        """The queries that use a table."""
        return self.by_table.get(table_oid, ())

    def indexes_of(self, table_oid: int) -> tuple[Index, ...]:
        """The indexes that a table has."""
        return self.indexes.get(table_oid, ())


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
    table_of = _table_of(catalog)
    for query in workload.queries:
        subject = _subject(query, table_of)
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
        by_table=_by_table(subjects),
        indexes=_indexes(catalog),
    )


def _table_of(catalog: Catalog) -> TableOf:
    """The table that a name in a statement means."""
    tables = {(table.schema, table.name): table for table in catalog.tables.values()}

    def table_of(schema: str | None, name: str) -> Table | None:
        schemas = (schema,) if schema else catalog.search_path
        return next((tables[s, name] for s in schemas if (s, name) in tables), None)

    return table_of


def _by_table(subjects: list[Subject]) -> dict[int, tuple[Subject, ...]]:
    found: dict[int, list[Subject]] = defaultdict(list)
    for subject in subjects:
        for oid in dict.fromkeys(table.oid for _, table in subject.uses):
            found[oid].append(subject)
    return {oid: tuple(of_table) for oid, of_table in found.items()}


def _indexes(catalog: Catalog) -> dict[int, tuple[Index, ...]]:
    found: dict[int, list[Index]] = defaultdict(list)
    for index in catalog.indexes:
        found[index.table_oid].append(index)
    return {oid: tuple(of_table) for oid, of_table in found.items()}


def _subject(query: Query, table_of: TableOf) -> Subject | str:
    """The query made ready, or why it cannot be."""
    if query.query is None:
        return "its text is hidden from the role of pgadvisor: grant pg_read_all_stats"
    try:
        statement = parse(query.query)
        if not is_explainable(statement):
            return "a utility statement: it has no plan to improve"
        if reading_part(statement) is None:
            return "it only adds rows: there is nothing to search"
        found = _references(statement, table_of)
    except NotParsable as exc:
        return f"its text cannot be parsed: {exc.message}"
    plans = _plans(query)
    named = ((use, table_of(use.schema, use.name)) for use in found.tables)
    return Subject(
        query=query,
        samples=_samples(query, plans),
        references=found,
        uses=tuple((use, table) for use, table in named if table is not None),
        plans=tuple(plans.values()),
        is_observed=any(plan.is_analyzed for plan in plans.values()),
    )


def _references(statement: ParsedStatement, table_of: TableOf) -> References:
    def columns_of(schema: str | None, name: str) -> tuple[str, ...] | None:
        table = table_of(schema, name)
        return None if table is None else tuple(column.name for column in table.columns)

    return references(statement, columns_of)


def _samples(query: Query, plans: Mapping[int, Plan]) -> tuple[Sample, ...]:
    """Real statements from the log, weighted by the time they took; else the normalized text."""
    logged = [
        (stored, stored.executions * (stored.mean_duration_ms or 0.0))
        for stored in query.plans
        if stored.source is PlanSource.AUTO_EXPLAIN and _is_whole(stored.example_query)
    ]
    total = sum(time for _, time in logged)
    if total <= 0:
        return (Sample(text=_reading(query.query or ""), weight=1.0),)
    return tuple(
        Sample(
            text=_reading(stored.example_query), weight=time / total, observed=plans.get(stored.id)
        )
        for stored, time in logged
        if time > 0
    )


def _reading(text: str) -> str:
    """What to ask the planner about: the search, whatever is done with the rows found.

    So that a role without the right to write can ask, too.
    """
    return reading_part(parse(text)) or text


def _is_whole(text: str) -> bool:
    """False for a text that was cut off in the log."""
    try:
        return is_explainable(parse(text))
    except NotParsable:
        return False


def _plans(query: Query) -> dict[int, Plan]:
    """Plans as trees by id; one that cannot be read is left out, the text is what counts."""
    plans = {}
    for stored in query.plans:
        try:
            plans[stored.id] = parse_plan({**stored.extra, "Plan": stored.plan})
        except NotParsable:
            continue
    return plans
