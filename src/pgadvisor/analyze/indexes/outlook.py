"""What the planner says of each query under a configuration of new indexes, asked for once."""

from collections.abc import Iterable
from dataclasses import replace

from pgadvisor.analyze.cost_model import TODAY, Remaining
from pgadvisor.analyze.indexes.remaining import remaining
from pgadvisor.analyze.rule import Subject
from pgadvisor.plans import Plan, parse_plan
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import IndexCandidate, WhatIf, WhatIfPlan

__all__ = ["MOST_QUESTIONS", "Outlook"]

#: A question takes the target's planner 1 to 5 ms: less than a minute of one core.
MOST_QUESTIONS = 10_000

_Configuration = frozenset[IndexCandidate]


class Outlook:
    """Costs and remaining time of queries, remembered by the indexes that each could use."""

    def __init__(self, what_if: WhatIf, most_questions: int = MOST_QUESTIONS) -> None:
        self._what_if = what_if
        self._most_questions = most_questions
        self._known: dict[tuple[QueryId, _Configuration], Remaining] = {}
        self._bases: dict[str, Plan] = {}
        self._asked: set[tuple[str, _Configuration]] = set()

    @property
    def questions(self) -> int:
        """How many different questions the planner was asked."""
        return len(self._asked)

    @property
    def is_spent(self) -> bool:
        """True when no more questions should be asked."""
        return self.questions >= self._most_questions

    def cost(self, subject: Subject, indexes: Iterable[IndexCandidate] = ()) -> float:
        """The planner's cost, the mean over the samples of a query."""
        usable = _relevant(subject, indexes)
        return sum(s.weight * self._ask(s.text, usable).total_cost for s in subject.samples)

    def remaining(self, subject: Subject, indexes: Iterable[IndexCandidate]) -> Remaining:
        """The share of the query's time that is left with these indexes."""
        usable = _relevant(subject, indexes)
        key = (subject.query.queryid, usable)
        if key not in self._known:
            self._known[key] = self._remaining(subject, usable)
        return self._known[key]

    def used(self, subject: Subject, indexes: Iterable[IndexCandidate]) -> set[IndexCandidate]:
        """Those of the indexes that a plan of the query takes."""
        usable = _relevant(subject, indexes)
        return {i for sample in subject.samples for i in self._ask(sample.text, usable).used}

    def _remaining(self, subject: Subject, indexes: _Configuration) -> Remaining:
        cost = self.cost(subject, indexes)
        if not indexes:
            return replace(TODAY, cost=cost)
        pages = {use.alias: table.relpages for use, table in subject.uses}
        parts = [
            (
                sample.weight,
                remaining(
                    self._base(sample.text),
                    parse_plan(self._ask(sample.text, indexes).plan),
                    sample.observed,
                    pages,
                ),
            )
            for sample in subject.samples
        ]
        return Remaining(
            kept=sum(weight * part.kept for weight, part in parts),
            costed=sum(weight * part.costed for weight, part in parts),
            cost=cost,
            at_worst=sum(weight * part.at_worst for weight, part in parts),
            row_error=max(part.row_error for _, part in parts),
        )

    def _base(self, text: str) -> Plan:
        if text not in self._bases:
            self._bases[text] = parse_plan(self._ask(text, frozenset()).plan)
        return self._bases[text]

    def _ask(self, text: str, indexes: _Configuration) -> WhatIfPlan:
        self._asked.add((text, indexes))
        return self._what_if.cost(text, tuple(indexes))


def _may_use(subject: Subject, index: IndexCandidate) -> bool:
    """False for an index whose first column the query does not name: it cannot help."""
    return any(
        table.oid == index.table_oid and index.columns[0] in use.columns
        for use, table in subject.uses
    )


def _relevant(subject: Subject, indexes: Iterable[IndexCandidate]) -> _Configuration:
    return frozenset(index for index in indexes if _may_use(subject, index))
