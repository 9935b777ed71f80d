"""The indexes worth choosing from: what the planner takes of each query's candidates."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pgadvisor.analyze.cost_model import Remaining
from pgadvisor.analyze.indexes.candidates import candidates, relaxations
from pgadvisor.analyze.indexes.definition import covers
from pgadvisor.analyze.indexes.merge import merged
from pgadvisor.analyze.indexes.outlook import Outlook
from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.analyze.rule import Situation, Subject
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate

__all__ = ["SMALLEST_GAIN", "Pool", "pool"]

#: A query has to become this much cheaper before an index is considered for it.
SMALLEST_GAIN = 0.2
#: Included columns must not make the index nearly a second copy of the table.
_LARGEST_COVERING_SHARE = 0.5
#: The busiest queries that take this share of the workload's time are looked at: also those that
#: are too rare for an index of their own, since an index for others may slow them down.
_SHARE_OF_TIME = 0.9999
#: This share of the questions is for finding candidates, the rest for choosing among them.
_SHARE_OF_QUESTIONS = 0.5


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates, the queries that were looked at with their costs, and why others were not."""

    indexes: tuple[IndexCandidate, ...] = ()
    #: indexes that one plan takes together: the arms of an OR need all of them
    bundles: tuple[tuple[IndexCandidate, ...], ...] = ()
    #: the planner's cost of each query without any new index
    costs: dict[QueryId, float] = field(default_factory=dict)
    reasons: dict[QueryId, str] = field(default_factory=dict)
    #: (table, column) of the indexes that the planner takes for a query, be it wise or not:
    #: only an index that begins with one of them can change it
    columns: dict[QueryId, frozenset[tuple[int, str]]] = field(default_factory=dict)
    #: the most that any choice of indexes saves of a query's time, in ms
    most_saved: dict[QueryId, float] = field(default_factory=dict)


def pool(given: Situation, outlook: Outlook, most_questions: int) -> Pool:
    """What the planner takes of all candidates of each query, narrower forms and merged ones."""
    found = Pool()
    indexes: dict[IndexCandidate, None] = {}
    bundles: dict[tuple[IndexCandidate, ...], None] = {}
    for subject, is_busy in _by_time(given):
        queryid = subject.query.queryid
        if not is_busy:
            found.reasons[queryid] = _rare(given, subject)
        elif outlook.questions >= most_questions * _SHARE_OF_QUESTIONS:
            found.reasons[queryid] = (
                f"the {most_questions:,} questions that one analysis asks the planner went to "
                "queries that take more time"
            )
        else:
            used = _used(given, subject, outlook, found)
            if isinstance(used, str):
                found.reasons[queryid] = used
                continue
            if len(used) > 1:
                bundles[used] = None
            indexes.update(dict.fromkeys(used))
            narrower = (other for index in used for other in relaxations(index))
            indexes.update(dict.fromkeys(i for i in narrower if _is_new(given, i)))
    merges = (m for m in merged(indexes) if _is_new(given, m) and _is_small_enough(given, m))
    return replace(found, indexes=(*indexes, *merges), bundles=tuple(bundles))


def _by_time(given: Situation) -> list[tuple[Subject, bool]]:
    """The queries, busiest first, each with whether it is among those that matter."""
    subjects = sorted(
        given.subjects, key=lambda s: (-s.query.total_exec_time, str(s.query.queryid))
    )
    enough = _SHARE_OF_TIME * sum(subject.query.total_exec_time for subject in subjects)
    passed, found = 0.0, []
    for subject in subjects:
        found.append((subject, passed < enough and subject.query.total_exec_time > 0))
        passed += subject.query.total_exec_time
    return found


def _rare(given: Situation, subject: Subject) -> str:
    spent = subject.query.total_exec_time
    return (
        f"it took {spent:,.0f} ms in {given.workload.observed_hours:,.1f} hours, too little to "
        f"look at: busier queries take {_SHARE_OF_TIME:.2%} of the workload's time"
    )


def _used(
    given: Situation, subject: Subject, outlook: Outlook, found: Pool
) -> tuple[IndexCandidate, ...] | str:
    """What the planner would use for one query, or why nothing."""
    queryid = subject.query.queryid
    try:
        base = outlook.cost(subject)
        found.costs[queryid] = base
        listed = tuple(c for c in candidates(given, subject) if _is_small_enough(given, c))
        if not listed:
            return _nothing_to_index(given, subject)
        best = outlook.remaining(subject, listed)
        if best.cost > base * (1 - SMALLEST_GAIN):
            return _no_gain(len(listed), base, best)
        taken = outlook.used(subject, listed)
        found.columns[queryid] = frozenset((i.table_oid, c) for i in taken for c in i.columns)
        if not _is_good(best):
            # the planner thinks it good, but the rows and times that were logged do not
            taken = {i for i in listed if _is_good(outlook.remaining(subject, (i,)))}
    except (NotExplainable, UnsafeStatement) as exc:
        return f"the planner gives no plan: {exc.message}"
    if not taken:
        return _no_gain(len(listed), base, best)
    found.most_saved[queryid] = subject.query.total_exec_time * (1 - best.kept)
    return tuple(index for index in listed if index in taken)


def _is_good(remaining: Remaining) -> bool:
    return remaining.share <= 1 - SMALLEST_GAIN and not remaining.is_gamble


def _no_gain(tried: int, base: float, best: Remaining) -> str:
    were_tried = "one index was tried" if tried == 1 else f"{tried} indexes were tried"
    fall = f"the planner's cost falls from {base:,.0f} to {best.cost:,.0f}"
    if best.cost > base * (1 - SMALLEST_GAIN):
        return f"{were_tried}: with the best of them {fall} only"
    if best.is_gamble:
        return (
            f"{were_tried}: {fall}, if few enough rows have to be read in the order of an index "
            "until LIMIT is fulfilled; that depends on the values that are looked for, and in the "
            "worst case the new plan is slower than today's"
        )
    if best.row_error > 1:
        return (
            f"{were_tried}: {fall}, but by the logged plan the planner misjudges the rows by a "
            f"factor of {best.row_error:,.0f}, and for the real number the new plan is no faster. "
            "ANALYZE, or CREATE STATISTICS on columns that depend on each other, may help"
        )
    if best.kept > 0:
        return (
            f"{were_tried}: {fall}, but {best.kept:.0%} of its measured time is spent in nodes "
            "that an index does not change"
        )
    return (
        f"{were_tried}: {fall}, but only by reading the whole table in the order of an index, "
        "row by row, which is seldom faster than the sort it saves"
    )


def _is_new(given: Situation, index: IndexCandidate) -> bool:
    return not any(covers(old, index) for old in given.indexes_of(index.table_oid))


def _is_small_enough(given: Situation, index: IndexCandidate) -> bool:
    table = given.catalog.tables[index.table_oid]
    room = _LARGEST_COVERING_SHARE * table.table_bytes
    return not index.include or index_bytes(index, table) <= room


def _nothing_to_index(given: Situation, subject: Subject) -> str:
    tables = subject.references.tables
    if not tables:
        return "it reads no table"
    known = {use.id for use, _ in subject.uses}
    if not known:
        names = ", ".join(dict.fromkeys(use.name for use in tables))
        return (
            f"not in the catalog: {names} (a view, a temporary or foreign table, dropped, or "
            "under another search_path)"
        )
    if subject.references.unresolved:
        name = subject.references.unresolved[0]
        return f"the column {name.name} could not be resolved: {name.reason}"
    if all(use.command == "insert" for use, _ in subject.uses):
        return "it only inserts rows"
    return _served(given, subject)


def _served(given: Situation, subject: Subject) -> str:
    names = sorted({table.qualified_name for _, table in subject.uses})
    return (
        f"existing indexes serve its conditions, or {_listed(names)} "
        f"{'is' if len(names) == 1 else 'are'} too small for an index to pay"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
