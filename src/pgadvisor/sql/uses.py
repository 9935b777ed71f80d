"""What one statement does with each of its tables: the input of the index candidate generator.

Only conditions that are AND-ed and must hold for every row are predicates here; the arms of an
OR stand in `Disjunction`. A predicate is about a bare column, or it is an `ExpressionPredicate`.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Block",
    "Disjunction",
    "Equality",
    "ExpressionPredicate",
    "Join",
    "NullTest",
    "Operand",
    "OtherPredicate",
    "Pattern",
    "Predicate",
    "Range",
    "References",
    "SortColumn",
    "TableUse",
    "Unresolved",
]


class Operand(StrEnum):
    """What a column is compared with."""

    CONSTANT = "constant"
    PARAMETER = "parameter"
    #: without columns: now() - interval '1 day'
    EXPRESSION = "expression"
    #: a scalar or array subquery that does not depend on this query block's rows
    SUBQUERY = "subquery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equality:
    """``column = operand``, ``column IN (...)`` or ``column = ANY (...)``."""

    column: str
    operand: Operand
    #: the operand as SQL, empty for a list
    value: str
    is_list: bool = False
    #: items of a written-out list, None when only known at run time
    items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """``column < operand`` and so on; the operator has the column on its left."""

    column: str
    #: <, <=, >, >= or BETWEEN
    operator: str
    operand: Operand
    value: str
    #: all columns of a row comparison ``(a, b) > ($1, $2)``, in order; `column` is the first
    row: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern match: LIKE, ILIKE, SIMILAR TO, ~, ~* or ^@."""

    column: str
    operator: str
    operand: Operand
    value: str
    #: constant text before the first wildcard; None when the pattern is not known. A btree
    #: serves a prefix of LIKE only with text_pattern_ops or the C collation
    prefix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NullTest:
    """``column IS NULL`` or ``column IS NOT NULL``."""

    column: str
    is_null: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPredicate:
    """Any other operator on a bare column (@>, <>, &&, @@, ?): not for btree, perhaps for GIN."""

    column: str
    operator: str
    operand: Operand
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionPredicate:
    """A comparison of an expression over this table's columns: ``lower(name) = $1``."""

    #: SQL with unqualified columns, as CREATE INDEX wants it
    expression: str
    columns: tuple[str, ...]
    #: as written, or IS NULL, IS NOT NULL, IN, BETWEEN
    operator: str
    operand: Operand
    value: str
    #: the column when the expression is only a cast of it: varchar to text needs no own index
    cast_column: str | None = None


Predicate = Equality | Range | Pattern | NullTest | OtherPredicate | ExpressionPredicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """``column = other.column``, or another comparison with something of other tables."""

    column: str
    #: = < <= > >=
    operator: str
    #: `TableUse.id` on the other side; None when that is an expression or a computed column
    other: int | None
    other_column: str | None
    #: the other side stands in an enclosing query block
    is_correlated: bool = False
    #: an index on `column` can serve as the inner side of a nested loop. False on the side of
    #: an outer join that keeps all its rows: there it could only give an order for a merge join
    is_lookup: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Disjunction:
    """An OR whose arms are all about this table: one index per arm can be combined (BitmapOr).

    Each arm is a tuple of AND-ed predicates.
    """

    arms: tuple[tuple[Predicate, ...], ...]

    @property
    def columns(self) -> frozenset[str]:
        """The bare columns of all arms; one name only means that one index serves all."""
        return frozenset(
            predicate.column
            for arm in self.arms
            for predicate in arm
            if not isinstance(predicate, ExpressionPredicate)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SortColumn:
    """One key of an ordering: a bare column, or an expression with `column` None."""

    column: str | None
    expression: str
    descending: bool = False
    #: PostgreSQL's default is NULLS LAST for ASC and NULLS FIRST for DESC
    nulls_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A query block: one SELECT, VALUES arm, or the body of UPDATE, DELETE, INSERT, MERGE."""

    id: int
    parent: int | None
    #: select, update, delete, insert or merge
    command: str
    #: name of the CTE or subquery alias that it is the body of
    name: str | None = None
    has_limit: bool = False
    has_grouping: bool = False
    has_distinct: bool = False
    has_window: bool = False
    #: an arm of UNION, INTERSECT or EXCEPT
    is_set_arm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUse:
    """One table reference of one query block. Column names are those of the table."""

    id: int
    block: int
    #: as written, None when unqualified
    schema: str | None
    name: str
    alias: str
    #: select for a table that is read, else what is done to it: update, delete, insert, merge
    command: str
    #: the caller's catalog knew the columns
    is_known: bool
    #: on the side of an outer join that may be missing
    is_nullable: bool = False
    #: ONLY was written, so child tables do not count
    is_only: bool = False
    #: every column referenced, in order of first appearance
    columns: tuple[str, ...] = ()
    #: all columns are needed: * or the whole row
    uses_star: bool = False
    equalities: tuple[Equality, ...] = ()
    ranges: tuple[Range, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    null_tests: tuple[NullTest, ...] = ()
    others: tuple[OtherPredicate, ...] = ()
    expressions: tuple[ExpressionPredicate, ...] = ()
    disjunctions: tuple[Disjunction, ...] = ()
    joins: tuple[Join, ...] = ()
    #: longest leading part of ORDER BY that is about this table alone
    order_by: tuple[SortColumn, ...] = ()
    #: `order_by` is the whole ORDER BY: an index in that order removes the Sort
    is_order_complete: bool = False
    #: columns of GROUP BY, and whether they are all of it
    group_by: tuple[str, ...] = ()
    is_group_complete: bool = False
    #: columns of DISTINCT or DISTINCT ON, and whether they are all of it
    distinct: tuple[str, ...] = ()
    is_distinct_complete: bool = False
    #: PARTITION BY then ORDER BY of each window that is about this table alone
    windows: tuple[tuple[SortColumn, ...], ...] = ()
    #: columns under min() or max() of an ungrouped block: the end of an index answers them
    extremes: tuple[str, ...] = ()
    has_limit: bool = False
    #: columns set by UPDATE, INSERT or MERGE
    assigned: tuple[str, ...] = ()

    @property
    def leading_columns(self) -> tuple[str, ...]:
        """Columns that could lead a btree: equality first, then lookups of joins, then ranges."""
        found = (
            *(equality.column for equality in self.equalities),
            *(test.column for test in self.null_tests if test.is_null),
            *(join.column for join in self.joins if join.is_lookup),
            *(range_.column for range_ in self.ranges),
        )
        return tuple(dict.fromkeys(found))

    @property
    def covering_columns(self) -> tuple[str, ...] | None:
        """Columns an index must have for an index-only scan; None when it needs all."""
        return None if self.uses_star else self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A name whose table could not be told; nothing is reported for it."""

    name: str
    block: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """All table references of one statement, by `TableUse.id`, and its query blocks."""

    tables: tuple[TableUse, ...] = ()
    blocks: tuple[Block, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
