"""How big a btree would be, from the statistics of its columns.

HypoPG's estimate knows no deduplication and comes out up to six times too big, so we estimate:
an entry is an 8-byte header, the key padded to 8 bytes, and a 4-byte line pointer; equal keys
share one header and key and list their rows in 6 bytes each, padded to 8 (nbtdedup.c, PostgreSQL
13 and newer); pages are filled to 90 % (BTREE_DEFAULT_FILLFACTOR).
"""

from pgadvisor.records.catalog import Column, Table
from pgadvisor.records.what_if import IndexCandidate

__all__ = ["index_bytes"]

_PAGE = 8192
_USABLE = (_PAGE - 40) * 0.9
_ENTRY = 8 + 4
_TID = 6
#: the first row of a list, which the header held before, and half of the padding
_LIST = _TID + 3
_UNKNOWN_WIDTH = 16
#: types whose equal values may look different, so nbtree keeps every entry (btequalimage)
_NOT_DEDUPLICATED = ("numeric", "double precision", "real", "jsonb")
#: types of variable length: padding takes 4 bytes on average, whatever their average width
_VARIABLE = ("text", "character", "numeric", "bytea", "json", "inet", "cidr", "bit", "xml")


def index_bytes(candidate: IndexCandidate, table: Table) -> int:
    """Bytes on disk of the index right after it is built."""
    rows = max(table.reltuples, 0.0)
    columns = [table.column(name) for name in (*candidate.columns, *candidate.include)]
    entry = _key_bytes(columns) + _ENTRY
    if candidate.include or any(_is_type(column, _NOT_DEDUPLICATED) for column in columns):
        content = rows * entry
    else:
        keys = max(_distinct(table, candidate.columns), 1.0)
        lists = keys * min(rows / keys - 1, 1.0)
        content = keys * entry + max(lists, 0.0) * _LIST + max(rows - keys, 0.0) * _TID
    return int((content / _USABLE + 2) * _PAGE)


def _key_bytes(columns: list[Column | None]) -> float:
    """The key with its padding; unknown statistics count as 16 bytes."""
    width = sum(
        column.avg_width if column and column.avg_width is not None else _UNKNOWN_WIDTH
        for column in columns
    )
    if any(_is_type(column, _VARIABLE) for column in columns):
        return max(width + 4, 8)
    return -(-width // 8) * 8


def _is_type(column: Column | None, names: tuple[str, ...]) -> bool:
    return column is not None and column.type_name.startswith(names)


def _distinct(table: Table, names: tuple[str, ...]) -> float:
    """Distinct keys: the product over the columns, at most the rows; all rows when unknown."""
    rows = max(table.reltuples, 1.0)
    product = 1.0
    for name in names:
        column = table.column(name)
        if column is None or column.n_distinct is None:
            return rows
        product *= column.n_distinct if column.n_distinct > 0 else -column.n_distinct * rows
        product = max(product, 1.0)
    return min(product, rows)
