"""Catalog and settings, kept as changes; counters and statistics beside them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from pgadvisor.records.catalog import Catalog, Column, ForeignKey, Index, Table
from pgadvisor.records.server import Setting
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = ["current_settings", "load_catalog", "save_catalog", "save_settings"]

_COLUMN_STATISTICS = ("null_frac", "avg_width", "n_distinct", "correlation", "most_common_freqs")
#: what changes all the time and is kept as statistics, the rest as structure
_TABLE_STATISTICS = (
    *("reltuples", "relpages", "total_bytes", "table_bytes", "seq_scan", "seq_tup_read"),
    *("idx_scan", "n_tup_ins", "n_tup_upd", "n_tup_del", "n_tup_hot_upd", "n_live_tup"),
    *("n_dead_tup", "n_mod_since_analyze", "last_analyze_at"),
)
_INDEX_STATISTICS = ("total_bytes", "idx_scan")


def save_catalog(conn: Connection, target_id: int, catalog: Catalog) -> None:
    """Save what changed since the last time; nothing where nothing did."""
    objects: dict[tuple[str, str], dict[str, Any]] = {
        ("search_path", ""): {
            "search_path": list(catalog.search_path),
            "role_settings": {role: dict(own) for role, own in catalog.role_settings.items()},
        }
    }
    statistics: dict[int, tuple[str, dict[str, Any]]] = {}
    for table in catalog.tables.values():
        structure, numbers = _split(table, _TABLE_STATISTICS)
        structure["columns"] = [_split(c, _COLUMN_STATISTICS)[0] for c in table.columns]
        objects["table", str(table.oid)] = structure
        statistics[table.oid] = ("table", numbers)
    for index in catalog.indexes:
        structure, numbers = _split(index, _INDEX_STATISTICS)
        objects["index", str(index.oid)] = structure
        statistics[index.oid] = ("index", numbers)
    for key in catalog.foreign_keys:
        objects["foreign_key", f"{key.table_oid} {key.name}"] = asdict(key)
    place = {"target_id": target_id, "dbid": catalog.dbid, "now": catalog.captured_at}
    conn.execute(
        load("save_catalog_objects"),
        {
            **place,
            "kinds": [kind for kind, _ in objects],
            "objects": [name for _, name in objects],
            "definitions": [_json(definition) for definition in objects.values()],
        },
    )
    conn.execute(
        load("save_relation_statistics"),
        {
            **place,
            "oids": list(statistics),
            "kinds": [kind for kind, _ in statistics.values()],
            "statistics": [_json(numbers) for _, numbers in statistics.values()],
        },
    )
    _save_column_statistics(conn, place, catalog)


def _split(record: Any, numbers: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = {field.name: getattr(record, field.name) for field in fields(record)}
    return (
        {name: value for name, value in whole.items() if name not in numbers},
        {name: value for name, value in whole.items() if name in numbers},
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, default=lambda instant: instant.isoformat())


def _save_column_statistics(conn: Connection, place: dict[str, Any], catalog: Catalog) -> None:
    columns = [
        (table.oid, column)
        for table in catalog.tables.values()
        for column in table.columns
        if column.n_distinct is not None
    ]
    conn.execute(
        load("save_column_statistics"),
        {
            **place,
            "table_oids": [oid for oid, _ in columns],
            "attnames": [column.name for _, column in columns],
            "statistics": [
                _json({name: getattr(column, name) for name in _COLUMN_STATISTICS})
                for _, column in columns
            ],
        },
    )


def load_catalog(conn: Connection, target_id: int, database: str) -> Catalog | None:
    """The catalog as it was saved last, None when it never was."""
    head = conn.execute(
        """select d.dbid, max(o.since) from databases d
           join catalog_objects o using (target_id, dbid)
           where d.target_id = %s and d.datname = %s and o.until is null group by 1""",
        [target_id, database],
    ).fetchone()
    if head is None:
        return None
    dbid, captured_at = head
    found: dict[str, list[dict[str, Any]]] = {
        "table": [], "index": [], "foreign_key": [], "search_path": []
    }  # fmt: skip
    rows = conn.execute(load("current_catalog"), {"target_id": target_id, "dbid": dbid})
    for kind, definition, statistics in rows:
        found[kind].append({**definition, **(statistics or {})})
    columns = _column_statistics(conn, target_id, dbid)
    tables = [_table(values, columns) for values in found["table"]]
    return Catalog(
        captured_at=captured_at,
        database=database,
        dbid=dbid,
        tables={table.oid: table for table in tables},
        indexes=tuple(Index(**_tuples(values)) for values in found["index"]),
        foreign_keys=tuple(ForeignKey(**_tuples(values)) for values in found["foreign_key"]),
        search_path=tuple(found["search_path"][0]["search_path"]),
        role_settings=found["search_path"][0]["role_settings"],
    )


def _column_statistics(
    conn: Connection, target_id: int, dbid: int
) -> dict[tuple[int, str], dict[str, Any]]:
    rows = conn.execute(
        """select table_oid, attname, null_frac::float8, avg_width, n_distinct::float8,
               correlation::float8, coalesce(most_common_freqs::float8[], '{}')
           from column_statistics where target_id = %s and dbid = %s""",
        [target_id, dbid],
    )
    return {
        (oid, name): dict(zip(_COLUMN_STATISTICS, values, strict=True))
        for oid, name, *values in rows
    }


def _table(values: dict[str, Any], statistics: dict[tuple[int, str], dict[str, Any]]) -> Table:
    last = values.get("last_analyze_at")
    table = Table(
        **{
            **values,
            "columns": (),
            "last_analyze_at": datetime.fromisoformat(last) if last else None,
        }
    )
    columns = tuple(
        Column(**{**column, **_tuples(statistics.get((table.oid, column["name"]), {}))})
        for column in values["columns"]
    )
    return replace(table, columns=columns)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def save_settings(
    conn: Connection, target_id: int, settings: Iterable[Setting], *, now: datetime
) -> None:
    """Save the settings that changed."""
    listed = list(settings)
    conn.execute(
        load("save_settings"),
        {
            "target_id": target_id,
            "now": now,
            "names": [one.name for one in listed],
            "settings": [one.setting for one in listed],
            "units": [one.unit for one in listed],
            "sources": [one.source for one in listed],
        },
    )


def current_settings(conn: Connection, target_id: int) -> dict[str, Setting]:
    """The settings as they were saved last."""
    rows = conn.execute(
        "select name, setting, unit, source from settings where target_id = %s and until is null",
        [target_id],
    )
    return {
        name: Setting(name=name, setting=setting, unit=unit, source=source)
        for name, setting, unit, source in rows
    }
