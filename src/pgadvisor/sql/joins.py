"""Joins in FROM: which side may be missing, USING and NATURAL, and what ON narrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.conditions import Side, record
from pgadvisor.sql.recorder import Fact, Recorder
from pgadvisor.sql.scopes import Base, Output, Reach, Relation, Scope
from pgadvisor.sql.strictness import strict_uses
from pgadvisor.sql.uses import Join

__all__ = ["JoinCondition", "merge_columns", "record_joins"]

_TYPE = enums.JoinType


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCondition:
    """One JOIN: its ON, and the table uses on the side that is kept or may be missing."""

    condition: Any
    kept: frozenset[int] = frozenset()
    nullable: frozenset[int] = frozenset()
    #: columns of USING and NATURAL, left and right
    merged: tuple[tuple[Output, Output], ...] = ()

    @classmethod
    def of(
        cls,
        node: ast.JoinExpr,
        left: Sequence[Relation],
        right: Sequence[Relation],
        merged: Sequence[tuple[Output, Output]] = (),
    ) -> "JoinCondition":
        """Read the sides off the join's type."""
        lefts, rights = _uses(left), _uses(right)
        kept, nullable = {
            _TYPE.JOIN_LEFT: (lefts, rights),
            _TYPE.JOIN_RIGHT: (rights, lefts),
            _TYPE.JOIN_FULL: (lefts | rights, lefts | rights),
        }.get(node.jointype or _TYPE.JOIN_INNER, (frozenset(), frozenset()))
        return cls(
            condition=node.quals,
            kept=kept,
            nullable=nullable,
            merged=tuple(merged),
        )

    def missing(self, strict: frozenset[int]) -> frozenset[int]:
        """Table uses that may still be missing where those of `strict` must have a row."""
        is_full = self.kept == self.nullable
        return frozenset() if self.nullable & strict and not is_full else self.nullable


def record_joins(
    joins: Sequence[JoinCondition], strict: frozenset[int], scope: Scope, recorder: Recorder
) -> None:
    """Note what ON and USING mean; `joins` are outermost first.

    A condition above an outer join that no row of NULLs passes turns it into an inner one
    (reduce_outer_joins in prepjointree.c); `strict` are the table uses that WHERE so asks for.
    """
    for join in joins:
        missing = join.missing(strict)
        for use in join.nullable - missing:
            recorder.describe_use(use, is_nullable=False)
        kept = join.kept if missing else frozenset[int]()
        record(join.condition, scope, recorder, Side(kept=kept))
        for left, right in join.merged:
            recorder.add([*_facts(left, right, kept), *_facts(right, left, kept)])
            strict |= {base.use for base in (*left.bases, *right.bases)} - kept
        strict |= strict_uses(join.condition, scope) - kept


def merge_columns(
    node: ast.JoinExpr,
    left: Sequence[Relation],
    right: Sequence[Relation],
    scope: Scope,
    recorder: Recorder,
) -> list[tuple[Output, Output]]:
    """The pairs of columns that USING or NATURAL equates; the scope learns their common name."""
    names = [str(name.sval) for name in node.usingClause or ()]
    if node.isNatural:
        names = _common_names(left, right, scope, recorder)
    pairs: list[tuple[Output, Output]] = []
    for name in names:
        one, two = _side(name, left, scope), _side(name, right, scope)
        if one is None or two is None:
            recorder.miss(name, scope.block, f"USING ({name}): a side's columns are not known")
            continue
        scope.merged[name] = two if node.jointype == _TYPE.JOIN_RIGHT else one
        pairs.append((one[1], two[1]))
        for base in (*one[1].bases, *two[1].bases):
            recorder.columns[base.use][base.column] = None
    return pairs


def _uses(relations: Sequence[Relation]) -> frozenset[int]:
    """Table uses of the relations, those behind pulled-up subqueries too."""
    direct = {relation.use for relation in relations if relation.use is not None}
    behind = {b.use for r in relations for output in r.columns.values() for b in output.bases}
    return frozenset(direct | behind)


def _common_names(
    left: Sequence[Relation], right: Sequence[Relation], scope: Scope, recorder: Recorder
) -> list[str]:
    if not all(relation.is_complete for relation in (*left, *right)):
        recorder.miss("natural join", scope.block, "a side's columns are not known")
        return []
    names = {name for relation in right for name in relation.columns}
    found = [name for relation in left for name in relation.columns if name in names]
    return list(dict.fromkeys(found))


def _side(name: str, relations: Sequence[Relation], scope: Scope) -> tuple[Relation, Output] | None:
    """The column of that name on one side of a join."""
    if name in scope.merged and scope.merged[name][0] in relations:
        return scope.merged[name]
    exact = [relation for relation in relations if name in relation.columns]
    unknown = [relation for relation in relations if not relation.is_complete]
    if len(exact) == 1:
        return exact[0], exact[0].columns[name]
    if not exact and len(unknown) == 1:
        return unknown[0], unknown[0].inferred(name)
    return None


def _facts(own: Output, other: Output, kept: frozenset[int]) -> list[Fact]:
    if own.reach != Reach.DIRECT:
        return []
    is_direct = other.reach == Reach.DIRECT and len(other.bases) == 1
    base = other.bases[0] if is_direct else Base(-1, "")
    return [
        Fact(
            mine.use,
            Join(
                column=mine.column,
                operator="=",
                other=base.use if base.use >= 0 else None,
                other_column=base.column or None,
                is_lookup=mine.use not in kept,
            ),
        )
        for mine in own.bases
    ]
