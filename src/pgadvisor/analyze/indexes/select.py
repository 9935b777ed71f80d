"""Which of the candidates to take: the greedy choice over the whole workload.

A move is an index, or the bundle of indexes that one plan needs together (the arms of an OR);
bundles come into play when no single index is left that pays.

Each step takes the index that saves most database time an hour, given those already taken, less
what keeping it up costs. Costs come from the planner through `WhatIf`. After Chaudhuri and
Narasayya, "An Efficient Cost-Driven Index Selection Tool for Microsoft SQL Server", VLDB 1997
(what-if, candidates per query, greedy over the workload), with the lazy evaluation of Minoux,
"Accelerated greedy algorithms", 1978: a benefit that fell behind is not computed again.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pgadvisor.analyze.cost_model import Remaining
from pgadvisor.analyze.indexes.candidates import relaxations
from pgadvisor.analyze.indexes.definition import extends
from pgadvisor.analyze.indexes.outlook import MOST_QUESTIONS, Outlook
from pgadvisor.analyze.indexes.pool import SMALLEST_GAIN, Pool, pool
from pgadvisor.analyze.indexes.size import index_bytes
from pgadvisor.analyze.indexes.upkeep import INDEX_WRITE_MS, writes_per_hour
from pgadvisor.analyze.rule import Situation, Subject
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate, WhatIf

__all__ = ["Change", "Choice", "Selection", "select_indexes"]

#: An index has to save this share of the workload's time.
_SMALLEST_SHARE = 0.002
#: The narrower index is taken when it keeps this share of the wider one's benefit.
_GOOD_ENOUGH = 0.9
#: An index is left out or made narrower beside others when no more of its own benefit is lost.
_NO_LOSS = 0.01
#: A query that gets slower by more than this counts as slowed down,
_LARGEST_LOSS = 0.1
#: and an index that loses more than this share of what it saves is not taken.
_LARGEST_LOST_SHARE = 0.1
_MOST_INDEXES = 25
#: A plan that needs more new indexes than this at once is not advised.
_LARGEST_BUNDLE = 3
#: Rounds of leaving out and narrowing; the second seldom finds anything.
_PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an index does to one query: what remains of its time before and with it."""

    before: Remaining
    after: Remaining

    @property
    def improvement(self) -> float:
        """The share of today's time that goes away; negative when it gets slower."""
        return self.before.share - self.after.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Indexes that are taken together, mostly one, with what they do to queries."""

    candidates: tuple[IndexCandidate, ...]
    #: milliseconds of execution an hour that go away, and those that are added to other queries
    saved_ms_per_hour: float
    lost_ms_per_hour: float
    write_ms_per_hour: float
    writes_per_hour: float
    #: by candidate
    sizes: tuple[int, ...]
    changes: Mapping[QueryId, Change]

    @property
    def size_bytes(self) -> int:
        """All of them on disk, right after they are built."""
        return sum(self.sizes)

    @property
    def slowed(self) -> tuple[QueryId, ...]:
        """Queries that get slower."""
        return tuple(q for q, change in self.changes.items() if change.improvement < 0)

    @property
    def net_ms_per_hour(self) -> float:
        """What it saves less its upkeep; nothing where it slows queries down too much."""
        if self.lost_ms_per_hour > _LARGEST_LOST_SHARE * self.saved_ms_per_hour:
            return -float("inf")
        return self.saved_ms_per_hour - self.lost_ms_per_hour - self.write_ms_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was chosen, in order, and why other queries get nothing."""

    choices: tuple[Choice, ...] = ()
    reasons: Mapping[QueryId, str] = field(default_factory=dict)
    #: (mean time in ms, cost) of all queries: how cost relates to time on this server
    times_and_costs: tuple[tuple[float, float], ...] = ()
    #: what-if questions that the planner was asked
    questions: int = 0


def select_indexes(
    given: Situation, what_if: WhatIf, most_questions: int = MOST_QUESTIONS
) -> Selection:
    """Choose indexes for the workload; see the module for the method."""
    outlook = Outlook(what_if, most_questions)
    found = pool(given, outlook, most_questions)
    greedy = _Greedy(given, outlook, found)
    taken = greedy.chosen([(index,) for index in found.indexes], [])
    choices = greedy.consolidated(greedy.chosen(found.bundles, taken))
    helped = {q for choice in choices for q, c in choice.changes.items() if c.improvement > 0}
    reasons = dict(found.reasons)
    for queryid in found.costs:
        if queryid not in helped:
            reason = _spent(most_questions) if outlook.is_spent else _TOO_LITTLE
            reasons.setdefault(queryid, greedy.refused.get(queryid, reason))
    times = {subject.query.queryid: subject.query.mean_exec_time for subject in given.subjects}
    return Selection(
        choices=tuple(choices),
        reasons={queryid: reason for queryid, reason in reasons.items() if queryid not in helped},
        times_and_costs=tuple((times[queryid], cost) for queryid, cost in found.costs.items()),
        questions=outlook.questions,
    )


_TOO_LITTLE = (
    "an index would help, but saves too little of the workload's time to be worth its upkeep"
)


Move = tuple[IndexCandidate, ...]


def _spent(most_questions: int) -> str:
    return (
        f"an index may help, but the {most_questions:,} questions that one analysis asks the "
        "planner went to others that save more: carry those out and ask again"
    )


class _Greedy:
    """The choice and what it has to remember: the situation, the outlook, the refusals."""

    def __init__(self, given: Situation, outlook: Outlook, found: Pool) -> None:
        self.given = given
        self.outlook = outlook
        self.pool = found
        self.hours = max(given.workload.observed_hours, 1e-6)
        self.smallest = _SMALLEST_SHARE * given.workload.total_exec_time / self.hours
        #: why an index that would help a query was not taken
        self.refused: dict[QueryId, str] = {}

    def chosen(self, moves: Iterable[Move], taken: list[Move]) -> list[Move]:
        """The moves taken before, and those of the given ones that pay, in order."""
        taken = list(taken)
        queue = [(-self._most_saved(move), n, -1, move) for n, move in enumerate(moves)]
        heapq.heapify(queue)
        while queue and len(taken) < _MOST_INDEXES and not self.outlook.is_spent:
            bound, number, seen, move = heapq.heappop(queue)
            if -bound < self.smallest:
                break
            if seen != len(taken):  # its benefit is out of date: compute it, then queue it again
                choice = self.choice(taken, move)
                self._note_refusal(choice)
                heapq.heappush(queue, (-choice.net_ms_per_hour, number, len(taken), move))
            else:
                best = self._narrowest(taken, move)
                queue = [entry for entry in queue if entry[3] != best]
                heapq.heapify(queue)
                if len(best) <= _LARGEST_BUNDLE:
                    taken.append(best)
        known = [e for e in queue if e[2] == len(taken) and -e[0] >= self.smallest]
        if known and self.outlook.is_spent:
            taken.append(min(known)[3])
        return taken

    def consolidated(self, taken: list[Move]) -> list[Choice]:
        """The choices, without what others taken later do nearly as well, in the narrowest form.

        The greedy choice takes an index for two queries before one for a third turns out to
        serve the second as well.
        """
        best = self._in_order(taken)
        for _ in range(_PASSES):
            moves = [choice.candidates for choice in best]
            for move in moves:
                best = self._without(best, move)
            if [choice.candidates for choice in best] == moves:
                break
        return [choice for choice in best if choice.net_ms_per_hour >= self.smallest]

    def _without(self, best: list[Choice], move: Move) -> list[Choice]:
        """The choices without a move, or with a narrower form of it, where that is as good."""
        moves = [choice.candidates for choice in best]
        own = _net(choice for choice in best if choice.candidates == move)
        wider = _net(choice for choice in best if _serves(choice.candidates, move))
        for form in ((), *_narrower(move)):
            loss = (1 - _GOOD_ENOUGH) * wider if not form and wider > own else _NO_LOSS * own
            replaced = (form if one == move else one for one in moves)
            other = self._in_order([one for one in replaced if one])
            if _net(other) >= _net(best) - loss:
                return other
        return best

    def choice(self, taken: Iterable[Move], move: Move) -> Choice:
        """What a move does beside those already taken."""
        old = tuple(index for one in taken for index in one)
        new = tuple(index for index in move if index not in old)
        changes: dict[QueryId, Change] = {}
        saved = lost = 0.0
        for subject in self._concerned(new):
            before = self.outlook.remaining(subject, old)
            change = Change(before=before, after=self.outlook.remaining(subject, (*old, *new)))
            if _matters(change):
                changes[subject.query.queryid] = change
                gain = subject.query.total_exec_time * change.improvement
                saved, lost = saved + max(gain, 0.0), lost + max(-gain, 0.0)
        writes = sum(writes_per_hour(self.given, index) for index in new)
        tables = self.given.catalog.tables
        return Choice(
            candidates=new,
            saved_ms_per_hour=saved / self.hours,
            lost_ms_per_hour=lost / self.hours,
            write_ms_per_hour=writes * INDEX_WRITE_MS,
            writes_per_hour=writes,
            sizes=tuple(index_bytes(index, tables[index.table_oid]) for index in new),
            changes=changes,
        )

    def _concerned(self, move: Move) -> list[Subject]:
        """The queries that the planner could plan otherwise with the move."""
        found = {
            subject.query.queryid: subject
            for index in move
            for subject in self.given.subjects_of(index.table_oid)
            if (index.table_oid, index.columns[0])
            in self.pool.columns.get(subject.query.queryid, ())
        }
        return list(found.values())

    def _most_saved(self, move: Move) -> float:
        """More than a move can save an hour: where the lazy evaluation begins."""
        saved = (self.pool.most_saved.get(s.query.queryid, 0.0) for s in self._concerned(move))
        return sum(saved) / self.hours

    def _narrowest(self, taken: list[Move], move: Move) -> Move:
        """The move, or a narrower form that is nearly as good: slowing fewest queries, smallest."""
        whole = self.choice(taken, move)
        enough = _GOOD_ENOUGH * whole.net_ms_per_hour
        best = whole
        while True:  # a bundle loses one index after the other
            forms = [self.choice(taken, narrower) for narrower in _narrower(best.candidates)]
            good = [form for form in forms if form.candidates and form.net_ms_per_hour >= enough]
            smallest = min((best, *good), key=lambda form: (len(form.slowed), form.size_bytes))
            if smallest is best or len(move) == 1:
                return smallest.candidates
            best = smallest

    def _in_order(self, taken: Iterable[Move]) -> list[Choice]:
        choices: list[Choice] = []
        for move in taken:
            choices.append(self.choice([choice.candidates for choice in choices], move))
        return choices

    def _note_refusal(self, choice: Choice) -> None:
        is_harmful = choice.net_ms_per_hour == -float("inf")
        for queryid in choice.changes:
            if is_harmful:
                self.refused[queryid] = (
                    f"{_words(choice)} would help, but make query {choice.slowed[0]} slower: the "
                    "planner misjudges how many rows it meets"
                )
            elif choice.net_ms_per_hour < self.smallest:
                self.refused.setdefault(queryid, _worth(choice))


def _narrower(move: Move) -> Iterator[Move]:
    """Forms that do a part of the work of a move: shorter keys, nothing included, one fewer."""
    if len(move) == 1:  # the narrowest first
        yield from ((index,) for index in reversed(tuple(relaxations(move[0]))))
        return
    yield from (tuple(other for other in move if other != index) for index in move)
    if any(index.include for index in move):
        yield tuple(replace(index, include=()) for index in move)


def _serves(wider: Move, narrower: Move) -> bool:
    return all(any(extends(index, other) for index in wider) for other in narrower)


def _words(choice: Choice) -> str:
    indexes = " and ".join(f"{i.table} ({', '.join(i.columns)})" for i in choice.candidates)
    return f"an index on {indexes}"


def _worth(choice: Choice) -> str:
    return (
        f"{_words(choice)} would save {choice.saved_ms_per_hour:,.0f} ms an hour and cost "
        f"{choice.write_ms_per_hour:,.0f} ms an hour to keep up "
        f"({choice.writes_per_hour:,.0f} rows written): not worth it"
    )


def _net(choices: Iterable[Choice]) -> float:
    return sum(choice.net_ms_per_hour for choice in choices)


def _matters(change: Change) -> bool:
    before, after = change.before.share, change.after.share
    gains = after < before * (1 - SMALLEST_GAIN) and not change.after.is_gamble
    return gains or after > before * (1 + _LARGEST_LOSS)
