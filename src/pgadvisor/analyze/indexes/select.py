"""Which of the candidates to take: the greedy choice over the whole workload.

Each step takes the index that saves most database time an hour, given those already taken, less
what keeping it up costs. Costs come from the planner through `WhatIf`. After Chaudhuri and
Narasayya, "An Efficient Cost-Driven Index Selection Tool for Microsoft SQL Server", VLDB 1997
(what-if, candidates per query, greedy over the workload), with the lazy evaluation of Minoux,
"Accelerated greedy algorithms", 1978: a benefit that fell behind is not computed again.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pgadvisor.analyze.indexes.candidates import candidates, relaxations
from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.analyze.rule import Situation, Subject
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate, WhatIf

__all__ = ["Choice", "Selection", "select_indexes"]

#: A query has to become this much cheaper before an index is considered for it.
SMALLEST_GAIN = 0.2
#: Included columns must not make the index nearly a second copy of the table.
_LARGEST_COVERING_SHARE = 0.5
#: An index has to save this share of the workload's time.
_SMALLEST_SHARE = 0.002
#: The narrower index is taken when it keeps this share of the wider one's benefit.
_GOOD_ENOUGH = 0.9
_MOST_INDEXES = 25
#: Time to add one entry to a btree; measured by benchmarks/index_write_cost.py.
INDEX_WRITE_MS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An index that is taken, with the costs of the queries it helps: before and after it."""

    candidate: IndexCandidate
    #: milliseconds of execution an hour that the planner's costs say go away
    saved_ms_per_hour: float
    write_ms_per_hour: float
    writes_per_hour: float
    size_bytes: int
    #: queryid: (cost without any new index, cost before this one, cost with it)
    costs: Mapping[QueryId, tuple[float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was chosen, in order, and why other queries get nothing."""

    choices: tuple[Choice, ...] = ()
    reasons: Mapping[QueryId, str] = field(default_factory=dict)
    #: (mean time in ms, cost) of all queries: how cost relates to time on this server
    times_and_costs: tuple[tuple[float, float], ...] = ()


class _Costs:
    """Costs of the subjects under a configuration, asked for only where it touches a table."""

    def __init__(self, what_if: WhatIf, subjects: Iterable[Subject]) -> None:
        self.what_if = what_if
        self.base: dict[QueryId, float] = {}
        self.subjects: dict[QueryId, Subject] = {s.query.queryid: s for s in subjects}
        self.tables: dict[QueryId, frozenset[int]] = {}

    def cost(self, subject: Subject, configuration: Iterable[IndexCandidate]) -> float:
        indexes = tuple(configuration)
        return sum(
            weight * self.what_if.cost(text, indexes).total_cost for text, weight in subject.texts
        )

    def used(
        self, subject: Subject, configuration: tuple[IndexCandidate, ...]
    ) -> set[IndexCandidate]:
        return {
            index
            for text, _ in subject.texts
            for index in self.what_if.cost(text, configuration).used
        }


def select_indexes(given: Situation, what_if: WhatIf) -> Selection:
    """Choose indexes for the workload; see the module for the method."""
    costs = _Costs(what_if, given.subjects)
    reasons: dict[QueryId, str] = {}
    pool: dict[IndexCandidate, set[QueryId]] = {}
    for subject in given.subjects:
        reason = _collect(given, subject, costs, pool)
        if reason:
            reasons[subject.query.queryid] = reason
    choices = _greedy(given, costs, pool)
    helped = {queryid for choice in choices for queryid in choice.costs}
    for queryid in costs.base:
        if queryid not in helped:
            reasons.setdefault(
                queryid,
                "an index would help, but saves too little of the workload's time to be worth "
                "its upkeep",
            )
    return Selection(
        choices=tuple(choices),
        reasons=reasons,
        times_and_costs=tuple(
            (costs.subjects[queryid].query.mean_exec_time, cost)
            for queryid, cost in costs.base.items()
        ),
    )


def _collect(
    given: Situation,
    subject: Subject,
    costs: _Costs,
    pool: dict[IndexCandidate, set[QueryId]],
) -> str | None:
    """Put what the planner would use for one query into the pool, or say why nothing."""
    queryid = subject.query.queryid
    try:
        base = costs.cost(subject, ())
        costs.base[queryid] = base
        listed = tuple(c for c in candidates(given, subject) if _is_small_enough(given, c))
        if not listed:
            return _nothing_to_index(given, subject)
        best = costs.cost(subject, listed)
        used = costs.used(subject, listed)
        for index in tuple(used):
            used.update(relaxations(index))
    except (NotExplainable, UnsafeStatement) as exc:
        return f"the planner gives no plan: {exc.message}"
    if best > base * (1 - SMALLEST_GAIN):
        return (
            f"{len(listed)} indexes were tried: with the best of them the planner's cost falls "
            f"only from {base:,.0f} to {best:,.0f}"
        )
    for index in used:
        pool.setdefault(index, set()).add(queryid)
    return None


def _is_small_enough(given: Situation, index: IndexCandidate) -> bool:
    table = given.catalog.tables[index.table_oid]
    room = _LARGEST_COVERING_SHARE * table.table_bytes
    return not index.include or index_bytes(index, table) <= room


def _nothing_to_index(given: Situation, subject: Subject) -> str:
    tables = [given.table_of(use.schema, use.name) for use in subject.references.tables]
    if not tables:
        return "it reads no table"
    if all(table is None for table in tables):
        return "its tables are not in the catalog: temporary, dropped, or another search_path"
    if subject.references.unresolved:
        name = subject.references.unresolved[0]
        return f"the column {name.name} could not be resolved: {name.reason}"
    return "existing indexes serve its conditions, or its tables are too small for an index"


def _greedy(
    given: Situation, costs: _Costs, pool: Mapping[IndexCandidate, set[QueryId]]
) -> list[Choice]:
    taken: list[IndexCandidate] = []
    choices: list[Choice] = []
    current = dict(costs.base)
    smallest = _SMALLEST_SHARE * given.workload.total_exec_time / _hours(given)
    queue = [(-float("inf"), number, -1, index) for number, index in enumerate(pool)]
    heapq.heapify(queue)
    while queue and len(choices) < _MOST_INDEXES:
        bound, number, seen, index = heapq.heappop(queue)
        if seen != len(taken):  # its benefit is out of date: compute it again, then queue it
            choice = _choice(given, costs, current, taken, index)
            heapq.heappush(queue, (-_net(choice), number, len(taken), index))
            continue
        if -bound < smallest:
            break
        choice = _narrowest(given, costs, current, taken, index)
        queue = [entry for entry in queue if entry[3] != choice.candidate]
        heapq.heapify(queue)
        taken.append(choice.candidate)
        choices.append(choice)
        current.update({queryid: after for queryid, (_, _, after) in choice.costs.items()})
    return choices


def _net(choice: Choice) -> float:
    return choice.saved_ms_per_hour - choice.write_ms_per_hour


def _narrowest(
    given: Situation,
    costs: _Costs,
    current: Mapping[QueryId, float],
    taken: list[IndexCandidate],
    index: IndexCandidate,
) -> Choice:
    """The index, or the smallest of its relaxations that is nearly as good."""
    best = _choice(given, costs, current, taken, index)
    for narrower in relaxations(index):
        other = _choice(given, costs, current, taken, narrower)
        if _net(other) >= _GOOD_ENOUGH * _net(best) and other.size_bytes < best.size_bytes:
            best = other
    return best


def _choice(
    given: Situation,
    costs: _Costs,
    current: Mapping[QueryId, float],
    taken: list[IndexCandidate],
    index: IndexCandidate,
) -> Choice:
    """What an index does beside those already taken."""
    changed: dict[QueryId, tuple[float, float, float]] = {}
    saved = 0.0
    for queryid, base in costs.base.items():
        subject = costs.subjects[queryid]
        if not _touches(given, subject, index.table_oid):
            continue
        before = current[queryid]
        after = costs.cost(subject, (*taken, index))
        if after < before * (1 - SMALLEST_GAIN):
            changed[queryid] = (base, before, after)
            saved += subject.query.total_exec_time * (before - after) / base
    inserted, updated, _ = given.workload.write_rates.get(index.table_oid, (0.0, 0.0, 0.0))
    # an update that is HOT today writes all indexes once one of its columns is indexed: count all
    writes = inserted + updated
    return Choice(
        candidate=index,
        saved_ms_per_hour=saved / _hours(given),
        write_ms_per_hour=writes * INDEX_WRITE_MS,
        writes_per_hour=writes,
        size_bytes=index_bytes(index, given.catalog.tables[index.table_oid]),
        costs=changed,
    )


def _touches(given: Situation, subject: Subject, table_oid: int) -> bool:
    return any(
        (table := given.table_of(use.schema, use.name)) is not None and table.oid == table_oid
        for use in subject.references.tables
    )


def _hours(given: Situation) -> float:
    return max(given.workload.observed_hours, 1e-6)
