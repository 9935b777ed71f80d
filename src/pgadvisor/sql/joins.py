"""Joins in FROM: which side may be missing, USING and NATURAL, and what ON narrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast, enums

from pgadvisor.sql.conditions import Side, record
from pgadvisor.sql.recorder import Fact, Recorder
from pgadvisor.sql.scopes import Base, Output, Reach, Relation, Scope
from pgadvisor.sql.uses import Equality, Join, NullTest, Range

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


def record_joins(
    joins: Sequence[JoinCondition], where: Sequence[Fact], scope: Scope, recorder: Recorder
) -> None:
    """Note what ON and USING mean; `joins` are outermost first.

    A condition above an outer join that no row of NULLs passes turns it into an inner one
    (reduce_outer_joins in prepjointree.c); `where` are the facts of WHERE.
    """
    strict = {fact.use for fact in where if _is_strict(fact)}
    for join in joins:
        is_full = join.kept == join.nullable
        is_inner = not is_full and bool(join.nullable & strict)
        for use in join.nullable if is_inner else ():
            recorder.describe_use(use, is_nullable=False)
        kept = frozenset[int]() if is_inner else join.kept
        facts = record(join.condition, scope, recorder, Side(kept=kept))
        for left, right in join.merged:
            facts += [*_facts(left, right, kept), *_facts(right, left, kept)]
        recorder.add(facts)
        strict |= {fact.use for fact in facts if _is_strict(fact)}


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


def _is_strict(fact: Fact) -> bool:
    if isinstance(fact.value, NullTest):
        return not fact.value.is_null
    return isinstance(fact.value, Equality | Range) or (
        isinstance(fact.value, Join) and fact.value.is_lookup
    )


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
