"""What the walk over a statement has seen so far, and the `References` made of it."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from pglast import ast

from pgadvisor.sql.scopes import Found, Missing, Output, Relation, Scope
from pgadvisor.sql.uses import (
    Block,
    Disjunction,
    Equality,
    ExpressionPredicate,
    Join,
    NullTest,
    OtherPredicate,
    Pattern,
    Predicate,
    Range,
    References,
    TableUse,
    Unresolved,
)

__all__ = ["Fact", "Recorder", "SubqueryFacts", "column_names"]

#: the field of `TableUse` that a value is appended to
_FIELDS: dict[type[Any], str] = {
    Equality: "equalities",
    Range: "ranges",
    Pattern: "patterns",
    NullTest: "null_tests",
    OtherPredicate: "others",
    ExpressionPredicate: "expressions",
    Disjunction: "disjunctions",
    Join: "joins",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of one table use."""

    use: int
    value: Predicate | Join | Disjunction


@dataclass(frozen=True, slots=True)
class SubqueryFacts:
    """What the block around a subquery has to know about it."""

    outputs: tuple[Output, ...]
    #: relations of enclosing blocks it depends on
    outer: frozenset[Relation]
    #: facts recorded inside
    facts: tuple[Fact, ...]


@dataclass(slots=True)
class Recorder:
    """Grows while the tree is walked; `references` gives the frozen result."""

    uses: list[TableUse] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    facts: dict[Fact, None] = field(default_factory=dict)
    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    #: subqueries in expressions, by identity of their SubLink node
    sublinks: dict[int, SubqueryFacts] = field(default_factory=dict)
    columns: defaultdict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def open_block(self, command: str, parent: int | None, name: str | None = None) -> int:
        """A new query block; its id."""
        self.blocks.append(Block(id=len(self.blocks), parent=parent, command=command, name=name))
        return len(self.blocks) - 1

    def describe_block(self, block: int, **changes: Any) -> None:
        """Set fields of a block that are known by now."""
        self.blocks[block] = replace(self.blocks[block], **changes)

    def describe_use(self, use: int, **changes: Any) -> None:
        """Set fields of a table use that are known by now."""
        self.uses[use] = replace(self.uses[use], **changes)

    def add(self, facts: list[Fact]) -> None:
        """Facts, each counted once: a condition may be found twice (an OR's common part)."""
        self.facts.update((fact, None) for fact in facts)

    def reference(self, node: ast.ColumnRef, scope: Scope) -> None:
        """Note the columns that a reference needs, or that it could not be resolved."""
        names = column_names(node)
        if names and names[-1] == "*":
            self._star(names[:-1], scope)
            return
        found = scope.find(names)
        if isinstance(found, Missing):
            self.miss(".".join(names), scope.block, found.reason)
            # Whose column it is cannot be told, so no list of columns is surely complete.
            for relation in scope.candidates():
                self.whole_row(relation)
        elif found.column is None:
            self.whole_row(found.relation)
        else:
            self.need(found)

    def need(self, found: Found) -> None:
        """A column is read."""
        for base in found.output.bases:
            self.columns[base.use][base.column] = None

    def whole_row(self, relation: Relation) -> None:
        """All columns of a relation are read."""
        if relation.use is not None:
            self.describe_use(relation.use, uses_star=True)

    def miss(self, name: str, block: int, reason: str) -> None:
        """A name without an answer."""
        self.unresolved[Unresolved(name=name, block=block, reason=reason)] = None

    def enclosing_block(self, use: int) -> int | None:
        """The block around the one that a table use stands in."""
        return self.blocks[self.uses[use].block].parent

    def references(self) -> References:
        """The frozen result."""
        by_use: defaultdict[int, defaultdict[str, list[Any]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for fact in self.facts:
            by_use[fact.use][_FIELDS[type(fact.value)]].append(fact.value)
        return References(
            tables=tuple(self._finished(use, by_use[use.id]) for use in self.uses),
            blocks=tuple(self.blocks),
            unresolved=tuple(self.unresolved),
        )

    def _finished(self, use: TableUse, facts: dict[str, list[Any]]) -> TableUse:
        changes: dict[str, Any] = {name: tuple(values) for name, values in facts.items()}
        changes["columns"] = tuple(self.columns[use.id])
        changes["has_limit"] = self.blocks[use.block].has_limit
        return replace(use, **changes)

    def _star(self, names: list[str], scope: Scope) -> None:
        if not names:
            for item in scope.relations:
                self.whole_row(item)
            return
        relation = scope.relation(names[-1], names[-2] if len(names) > 1 else None)
        if isinstance(relation, Missing):
            self.miss(".".join([*names, "*"]), scope.block, relation.reason)
        else:
            self.whole_row(relation)


def column_names(node: ast.ColumnRef) -> list[str]:
    """The parts of a reference, ``*`` for a star."""
    return ["*" if isinstance(f, ast.A_Star) else str(f.sval) for f in node.fields or ()]
