"""Indexes that serve two queries where each alone would want another one.

A query with ``a = $1 and b = $2`` is offered (b, a) when b is more selective; beside a query with
``a = $1`` one index (a, b) does for both. After index merging in Chaudhuri and Narasayya, "Index
Merging", ICDE 1999: the columns of one index, then those that the other has besides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pgadvisor.records.what_if import IndexCandidate

__all__ = ["merged"]

_WIDEST_KEY = 4
_MOST_INCLUDED = 4
_MOST_PER_TABLE = 40


def merged(candidates: Iterable[IndexCandidate]) -> Iterator[IndexCandidate]:
    """Merged indexes of pairs that share a column, without those that were candidates already.

    >>> one = IndexCandidate(table_oid=1, schema="s", table="t", columns=("b", "a"))
    >>> two = IndexCandidate(table_oid=1, schema="s", table="t", columns=("a",))
    >>> [index.columns for index in merged([one, two])]
    [('a', 'b')]
    """
    by_table: dict[int, list[IndexCandidate]] = defaultdict(list)
    for candidate in dict.fromkeys(candidates):
        by_table[candidate.table_oid].append(candidate)
    for found in by_table.values():
        known = set(found)
        fresh = dict.fromkeys(
            index
            for first in found
            for second in found
            if first != second and (index := _merge(first, second)) and index not in known
        )
        yield from tuple(fresh)[:_MOST_PER_TABLE]


def _merge(first: IndexCandidate, second: IndexCandidate) -> IndexCandidate | None:
    if first.descending or second.descending or not set(first.columns) & set(second.columns):
        return None
    columns = tuple(dict.fromkeys((*first.columns, *second.columns)))
    include = tuple(
        name for name in dict.fromkeys((*first.include, *second.include)) if name not in columns
    )
    if len(columns) > _WIDEST_KEY or len(include) > _MOST_INCLUDED:
        return None
    return IndexCandidate(
        table_oid=first.table_oid,
        schema=first.schema,
        table=first.table,
        columns=columns,
        include=include,
    )
