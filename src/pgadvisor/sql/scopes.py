"""Name resolution as PostgreSQL does it (parse_relation.c): inner query block first, then outer.

A name that could belong to a table whose columns we do not know is never guessed: it resolves
only where the statement, being valid, leaves no other choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["SYSTEM_COLUMNS", "Base", "Found", "Missing", "Output", "Reach", "Relation", "Scope"]

SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


class Reach(IntEnum):
    """How far a condition on a column of a FROM item gets down to the table behind it."""

    #: it is computed, or LIMIT, aggregation or a materialized CTE stand between
    NONE = 0
    #: the planner pushes comparisons with constants down (grouping columns, arms of UNION)
    PUSHED = 1
    #: the table itself, or a subquery that the planner pulls up: joins too
    DIRECT = 2


@dataclass(frozen=True, slots=True)
class Base:
    """A column of a table use."""

    use: int
    column: str


@dataclass(frozen=True, slots=True)
class Output:
    """What stands behind a column of a FROM item: a table's column, one per arm of a UNION."""

    bases: tuple[Base, ...] = ()
    reach: Reach = Reach.NONE


@dataclass(slots=True, eq=False)
class Relation:
    """A FROM item under the name by which the query block sees it."""

    name: str
    schema: str | None = None
    #: the table use, None for a subquery, CTE or function
    use: int | None = None
    columns: Mapping[str, Output] = field(default_factory=dict)
    #: `columns` are all there are
    is_complete: bool = False
    #: only ``name.column`` refers to it: EXCLUDED, OLD, NEW
    is_qualified_only: bool = False

    def output(self, column: str) -> Output | None:
        """What stands behind a column; None when the relation surely has no such column."""
        if column in self.columns:
            return self.columns[column]
        if self.use is not None and column in SYSTEM_COLUMNS:
            return Output((Base(self.use, column),), Reach.NONE)
        if self.is_complete:
            return None
        return self.inferred(column)

    def inferred(self, column: str) -> Output:
        """The column that an incompletely known relation must have."""
        if self.use is None:
            return Output()
        return Output((Base(self.use, column),), Reach.DIRECT)


@dataclass(frozen=True, slots=True)
class Found:
    """A resolved column reference; `column` is None for a whole row."""

    relation: Relation
    column: str | None
    output: Output
    #: the relation belongs to an enclosing query block
    is_outer: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a name has no answer."""

    reason: str


@dataclass(slots=True, eq=False)
class Scope:
    """The FROM items one query block sees, and the block around it."""

    block: int
    parent: "Scope | None" = None
    relations: list[Relation] = field(default_factory=list)
    #: columns merged by USING and NATURAL: the unqualified name means this side
    merged: dict[str, tuple[Relation, Output]] = field(default_factory=dict)
    #: relations of enclosing blocks that this one refers to
    outer: set[Relation] = field(default_factory=set)

    def find(self, names: Sequence[str]) -> Found | Missing:
        """Resolve ``column``, ``relation.column``, ``schema.relation.column`` or a whole row."""
        if len(names) == 1:
            return self._unqualified(names[0])
        relation = self.relation(names[-2], names[-3] if len(names) > 2 else None)
        if isinstance(relation, Missing):
            return relation
        output = relation.output(names[-1])
        if output is None:
            return Missing(f"{relation.name} has no column {names[-1]}")
        return self._found(relation, names[-1], output)

    def relation(self, name: str, schema: str | None = None) -> Relation | Missing:
        """The FROM item of that name, inner block first."""
        for scope in self._outwards():
            for relation in scope.relations:
                same_schema = schema is None or relation.schema in (None, schema)
                if relation.name == name and same_schema:
                    self._note_crossing(relation)
                    return relation
        return Missing(f"no FROM item is named {name}")

    def candidates(self) -> list[Relation]:
        """Relations that an unresolved name may belong to."""
        visible = [relation for scope in self._outwards() for relation in scope.relations]
        return [relation for relation in visible if not relation.is_complete] or visible

    def _unqualified(self, name: str) -> Found | Missing:
        for scope in self._outwards():
            if name in scope.merged:
                return self._found(scope.merged[name][0], name, scope.merged[name][1])
            visible = [r for r in scope.relations if not r.is_qualified_only]
            exact = [relation for relation in visible if name in relation.columns]
            if len(exact) == 1:
                return self._found(exact[0], name, exact[0].columns[name])
            if exact:
                return Missing(f"column {name} is in {_names(exact)}")
            unknown = [relation for relation in visible if not relation.is_complete]
            if unknown:
                return scope._from_unknown(name, unknown, self)
        return self._last_resort(name)

    def _from_unknown(self, name: str, unknown: list[Relation], start: "Scope") -> Found | Missing:
        whole_row = start._last_resort(name)
        if isinstance(whole_row, Found):
            return whole_row
        outer = [r for scope in list(self._outwards())[1:] for r in scope._possible(name)]
        if len(unknown) == 1 and not outer:
            return start._found(unknown[0], name, unknown[0].inferred(name))
        return Missing(f"column {name} may be of {_names([*unknown, *outer])}")

    def _possible(self, name: str) -> list[Relation]:
        visible = [r for r in self.relations if not r.is_qualified_only]
        return [r for r in visible if name in r.columns or not r.is_complete]

    def _last_resort(self, name: str) -> Found | Missing:
        """A system column of the only table, else the name of a FROM item as a whole row."""
        tables = [relation for relation in self.relations if relation.use is not None]
        if name in SYSTEM_COLUMNS and len(tables) == 1:
            output = tables[0].output(name)
            assert output is not None, "tables have system columns"
            return self._found(tables[0], name, output)
        relation = self.relation(name)
        if isinstance(relation, Missing):
            return Missing(f"no FROM item has a column {name}")
        return self._found(relation, None, Output())

    def _found(self, relation: Relation, column: str | None, output: Output) -> Found:
        self._note_crossing(relation)
        return Found(relation, column, output, relation not in self.relations)

    def _note_crossing(self, relation: Relation) -> None:
        for scope in self._outwards():
            if relation in scope.relations:
                return
            scope.outer.add(relation)

    def _outwards(self) -> Iterator["Scope"]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


def _names(relations: Sequence[Relation]) -> str:
    return ", ".join(dict.fromkeys(relation.name for relation in relations))
