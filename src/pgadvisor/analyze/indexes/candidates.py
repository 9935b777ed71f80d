"""Which btree indexes could help a query, from what it does with each of its tables.

The order of columns follows from how a btree is read: columns compared for equality first (the
index is entered at one place), then one column with a range or the columns of the order (the
rest is read in sequence), then columns that only spare the visit to the table (INCLUDE).
"""

from collections.abc import Iterator

from pgadvisor.analyze.indexes.definition import covers
from pgadvisor.analyze.rule import Situation, Subject
from pgadvisor.records.catalog import Table
from pgadvisor.records.what_if import IndexCandidate
from pgadvisor.sql.uses import SortColumn, TableUse

__all__ = ["LARGE_PAGES", "candidates", "relaxations"]

#: Below a megabyte a table is read whole as fast as through an index.
LARGE_PAGES = 128
#: header and line pointer of a row in a table
_ROW_HEADER = 28
_WIDEST_KEY = 4
_MOST_INCLUDED = 4
_MOST_CANDIDATES = 100


def candidates(given: Situation, subject: Subject) -> tuple[IndexCandidate, ...]:
    """The candidates for one query, less those that an existing index already serves.

    Plain ones of all its tables come first, so that the limit on their number cuts what only
    spares visits to the table.
    """
    found: dict[IndexCandidate, None] = {}
    keys = [
        (table, use, _usable_keys(table, use))
        for use, table in subject.uses
        if use.command != "insert" and is_large(table)
    ]
    listed = [_candidate(table, key, ()) for table, _, of_use in keys for key in of_use]
    listed += [
        _candidate(table, key, include)
        for table, use, of_use in keys
        for key in of_use
        if (include := _included(table, use, key))
    ]
    for candidate in listed:
        if not any(covers(index, candidate) for index in given.indexes_of(candidate.table_oid)):
            found[candidate] = None
    return tuple(found)[:_MOST_CANDIDATES]


def is_large(table: Table) -> bool:
    """True when reading the whole table is worth avoiding."""
    if table.relkind == "p":  # has no pages of its own, and no row count before its first ANALYZE
        width = _ROW_HEADER + sum(column.avg_width or 8 for column in table.columns)
        return table.reltuples < 0 or table.reltuples * width >= LARGE_PAGES * 8192
    return table.relkind in ("r", "m") and (
        table.relpages >= LARGE_PAGES or table.table_bytes >= LARGE_PAGES * 8192
    )


def relaxations(candidate: IndexCandidate) -> Iterator[IndexCandidate]:
    """Smaller indexes that do a part of its work: no included columns, then shorter keys."""
    if candidate.include:
        yield _candidate_like(candidate, candidate.width)
    for width in range(candidate.width - 1, 0, -1):
        yield _candidate_like(candidate, width)


def _candidate_like(candidate: IndexCandidate, width: int) -> IndexCandidate:
    return IndexCandidate(
        table_oid=candidate.table_oid,
        schema=candidate.schema,
        table=candidate.table,
        columns=candidate.columns[:width],
        descending=candidate.descending[:width],
    )


def _usable_keys(table: Table, use: TableUse) -> tuple[tuple[SortColumn, ...], ...]:
    keys: dict[tuple[SortColumn, ...], None] = {}
    for key in _keys(table, use):
        usable = tuple(part for part in key if _is_indexable(table, part.column))[:_WIDEST_KEY]
        if usable and len(usable) == min(len(key), _WIDEST_KEY):
            keys[usable] = None
    return tuple(keys)


def _candidate(
    table: Table, key: tuple[SortColumn, ...], include: tuple[str, ...]
) -> IndexCandidate:
    descending = tuple(part.descending for part in key)
    return IndexCandidate(
        table_oid=table.oid,
        schema=table.schema,
        table=table.name,
        columns=tuple(part.column or "" for part in key),
        descending=descending if any(descending) else (),
        include=include,
    )


def _is_indexable(table: Table, name: str | None) -> bool:
    column = table.column(name) if name else None
    return column is not None and column.btree


def _included(table: Table, use: TableUse, key: tuple[SortColumn, ...]) -> tuple[str, ...]:
    """The other columns the query needs of the table, if few enough for an index-only scan."""
    needed = use.covering_columns
    if needed is None or use.command != "select":
        return ()
    rest = tuple(name for name in needed if name not in {part.column for part in key})
    if not rest or len(rest) > _MOST_INCLUDED:
        return ()
    widths = [column.avg_width or 8 for name in rest if (column := table.column(name))]
    # 100 bytes of included columns make the index as big as the table it should spare
    return rest if len(widths) == len(rest) and sum(widths) <= 100 else ()


def _keys(table: Table, use: TableUse) -> Iterator[tuple[SortColumn, ...]]:
    """Sequences of key columns worth asking the planner about, plain ones first."""
    equal = _by_selectivity(table, use)
    lists = [e.column for e in use.equalities if e.is_list]
    joined = list(dict.fromkeys(j.column for j in use.joins if j.operator == "=" and j.is_lookup))
    ranged = list(dict.fromkeys(r.column for r in use.ranges))
    for name in dict.fromkeys((*equal, *joined, *lists, *ranged)):
        yield _ascending([name])
    for key in _combinations(equal, lists, joined, ranged):
        yield _ascending(key)
    yield from _ordered(use, equal, ranged)
    for name in use.extremes:
        yield _ascending([*equal, name])
    for arm in _single_column_arms(use):
        yield _ascending([arm])


def _by_selectivity(table: Table, use: TableUse) -> list[str]:
    """Equality columns with most distinct values first: the shorter prefix is then of use too."""

    def distinct(name: str) -> float:
        column = table.column(name)
        if column is None or column.n_distinct is None:
            return 0.0
        return column.n_distinct if column.n_distinct >= 0 else -column.n_distinct * table.reltuples

    names = [equality.column for equality in use.equalities if not equality.is_list]
    nulls = [test.column for test in use.null_tests if test.is_null]
    return sorted(dict.fromkeys((*names, *nulls)), key=distinct, reverse=True)


def _combinations(
    equal: list[str], lists: list[str], joined: list[str], ranged: list[str]
) -> Iterator[list[str]]:
    if len(equal) > 1:
        yield equal
    for name in lists:
        yield [*equal, name]
    for name in ranged:
        yield [*equal, name]
        yield [*equal, *lists, name]
    for name in joined:
        yield [name, *equal]
        yield [*equal, name]
        for other in ranged:
            yield [name, *equal, other]
    if len(joined) > 1:
        yield joined


def _ordered(
    use: TableUse, equal: list[str], ranged: list[str]
) -> Iterator[tuple[SortColumn, ...]]:
    """Keys that give the order: of ORDER BY, GROUP BY, DISTINCT."""
    order = tuple(part for part in use.order_by if part.column not in equal)
    default_nulls = all(part.nulls_first == part.descending for part in order)
    if order and use.is_order_complete and default_nulls:
        if all(part.descending for part in order):  # the same index read backwards
            order = tuple(SortColumn(column=p.column, expression=p.expression) for p in order)
        yield (*_ascending(equal), *order)
        if use.has_limit:
            yield order
    if use.group_by and use.is_group_complete:
        yield _ascending([*equal, *(name for name in use.group_by if name not in equal)])
    if use.distinct and use.is_distinct_complete:
        yield _ascending([*equal, *(name for name in use.distinct if name not in equal)])


def _single_column_arms(use: TableUse) -> Iterator[str]:
    for disjunction in use.disjunctions:
        yield from sorted(disjunction.columns)


def _ascending(names: list[str]) -> tuple[SortColumn, ...]:
    return tuple(SortColumn(column=name, expression=name) for name in dict.fromkeys(names))
