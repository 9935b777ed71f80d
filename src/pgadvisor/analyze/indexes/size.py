"""How big a btree would be, from the statistics of its columns.

HypoPG's estimate knows no deduplication and comes out up to four times too big, so we estimate:
an entry is an 8-byte header, the key padded to 8 bytes, and a 4-byte line pointer; equal keys
share one header and key and add 6 bytes a row (nbtdedup.c, PostgreSQL 13 and newer); pages are
filled to 90 % (BTREE_DEFAULT_FILLFACTOR).
"""

from pgadvisor.records.catalog import Table
from pgadvisor.records.what_if import IndexCandidate

__all__ = ["index_bytes"]

_PAGE = 8192
_USABLE = (_PAGE - 40) * 0.9
_ENTRY = 8 + 4
_TID = 6
_UNKNOWN_WIDTH = 16
#: types whose equal values may look different, so nbtree keeps every entry (btequalimage)
_NOT_DEDUPLICATED = ("numeric", "double precision", "real", "jsonb", "float4", "float8")


def index_bytes(candidate: IndexCandidate, table: Table) -> int:
    """Bytes on disk of the index right after it is built."""
    rows = max(table.reltuples, 0.0)
    width = _padded(sum(_width(table, name) for name in (*candidate.columns, *candidate.include)))
    if candidate.include or any(_type(table, name) for name in candidate.columns):
        content = rows * (width + _ENTRY)
    else:
        keys = _distinct(table, candidate.columns)
        content = keys * (width + _ENTRY) + max(rows - keys, 0.0) * _TID
    return int((content / _USABLE + 1) * _PAGE)


def _padded(width: float) -> int:
    return -(-int(width) // 8) * 8


def _width(table: Table, name: str) -> int:
    column = table.column(name)
    return column.avg_width if column and column.avg_width is not None else _UNKNOWN_WIDTH


def _type(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.type_name.startswith(_NOT_DEDUPLICATED)


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
