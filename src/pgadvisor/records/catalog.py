"""The catalog of one database: tables, columns, indexes, constraints, and their statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Catalog", "Column", "ForeignKey", "Index", "Table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, with the planner's statistics where our role may see them (pg_stats).

    Values (most common values, histogram bounds) are the user's data and never read.
    """

    attnum: int
    name: str
    type_name: str
    not_null: bool
    collation: str | None = None
    #: default btree operator class exists for the type
    btree: bool = True
    null_frac: float | None = None
    avg_width: int | None = None
    #: as in pg_stats: negative means a fraction of the rows
    n_distinct: float | None = None
    correlation: float | None = None
    most_common_freqs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table, partitioned table or materialized view, with its counters (pg_stat_all_tables)."""

    oid: int
    schema: str
    name: str
    #: pg_class.relkind: r, p, m
    relkind: str
    owner: str
    reltuples: float
    relpages: int
    total_bytes: int
    table_bytes: int
    columns: tuple[Column, ...]
    is_partition: bool = False
    row_security: bool = False
    seq_scan: int = 0
    seq_tup_read: int = 0
    idx_scan: int = 0
    n_tup_ins: int = 0
    n_tup_upd: int = 0
    n_tup_del: int = 0
    n_tup_hot_upd: int = 0
    n_live_tup: int = 0
    n_dead_tup: int = 0
    n_mod_since_analyze: int = 0
    last_analyze_at: datetime | None = None

    @property
    def qualified_name(self) -> str:
        """``schema.name`` for people; SQL quotes it with psycopg.sql."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column | None:
        """The column of that name, None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that exists, as pg_index and pg_get_indexdef show it."""

    oid: int
    table_oid: int
    schema: str
    name: str
    access_method: str
    #: key columns in order; None where the key is an expression
    key_columns: tuple[str | None, ...]
    include_columns: tuple[str, ...] = ()
    #: per key column: True for DESC
    descending: tuple[bool, ...] = ()
    is_unique: bool = False
    is_primary: bool = False
    is_valid: bool = True
    #: True where a constraint owns the index
    is_constraint: bool = False
    predicate: str | None = None
    definition: str = ""
    total_bytes: int = 0
    idx_scan: int = 0

    @property
    def is_plain(self) -> bool:
        """A valid, complete btree on columns: what covers a candidate with the same prefix."""
        return (
            self.is_valid
            and self.access_method == "btree"
            and self.predicate is None
            and None not in self.key_columns
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key constraint."""

    name: str
    table_oid: int
    columns: tuple[str, ...]
    referenced_oid: int
    referenced_columns: tuple[str, ...]
    #: pg_constraint.confdeltype, confupdtype: a no action, r restrict, c cascade, n, d
    on_delete: str = "a"
    on_update: str = "a"
    is_validated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What one database is made of, at one moment."""

    captured_at: datetime
    database: str
    dbid: int
    tables: Mapping[int, Table] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    #: schemas in the order names are looked up
    search_path: tuple[str, ...] = ("public",)
    #: pg_db_role_setting for this database, by role name: what ALTER ROLE ... SET has set
    role_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """The table that a name means, by schema or along the search path."""
        schemas = (schema,) if schema else self.search_path
        found = {(table.schema, table.name): table for table in self.tables.values()}
        return next((found[s, name] for s in schemas if (s, name) in found), None)

    def indexes_of(self, table_oid: int) -> tuple[Index, ...]:
        """All indexes of a table."""
        return tuple(index for index in self.indexes if index.table_oid == table_oid)
