"""The catalog of the connected database, in six set-based reads."""

from collections import defaultdict
from typing import Any

from pgadvisor.collect.target import Target
from pgadvisor.errors import TargetUnreachable
from pgadvisor.records.catalog import Catalog, Column, ForeignKey, Index, Table

__all__ = ["fetch_catalog"]

_ATTEMPTS = 3
Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def fetch_catalog(target: Target) -> Catalog:
    """Tables, columns, indexes and foreign keys with their statistics and sizes.

    Waits for no lock longer than lock_timeout. Statistics of columns are None where our role may
    not SELECT them (pg_stats shows only those; GRANT pg_read_all_data mends it).
    """
    columns = _fetch_columns(target)
    tables = _records(_patiently(target, "tables"))
    captured_at, database, dbid, search_path = target.row("database")
    return Catalog(
        captured_at=captured_at,
        database=database,
        dbid=dbid,
        tables={row["oid"]: Table(**row, columns=columns.get(row["oid"], ())) for row in tables},
        indexes=tuple(Index(**row) for row in _records(_patiently(target, "indexes"))),
        foreign_keys=tuple(ForeignKey(**row) for row in _records(target.table("foreign_keys"))),
        search_path=tuple(search_path),
        role_settings=_fetch_role_settings(target),
    )


def _fetch_role_settings(target: Target) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for rolname, name, setting in target.rows("role_settings"):
        found[rolname][name] = setting
    return dict(found)


def _fetch_columns(target: Target) -> dict[int, tuple[Column, ...]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for row in _records(target.table("columns")):
        found[row.pop("attrelid")].append(Column(**row))
    return {oid: tuple(columns) for oid, columns in found.items()}


def _patiently(target: Target, name: str) -> Rows:
    """Rows of a statement that skips locked relations: one locked meanwhile is skipped next time.

    Raises `TargetUnreachable` when locks come and go too fast.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return target.table(name)
        except TargetUnreachable:
            if target.closed:
                raise
    return target.table(name)


def _records(rows: Rows) -> list[dict[str, Any]]:
    """Each row by column name; arrays as tuples, so that records stay hashable."""
    names, values = rows
    return [{n: _frozen(n, value) for n, value in zip(names, row, strict=True)} for row in values]


def _frozen(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return () if value is None and name == "most_common_freqs" else value
