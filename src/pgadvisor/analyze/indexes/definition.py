"""The SQL of an index: its name, how to make it, how to take it away."""

import re
from collections.abc import Collection

from psycopg import sql

from pgadvisor.analyze.rule import Situation
from pgadvisor.records.catalog import Index, Table
from pgadvisor.records.what_if import IndexCandidate

__all__ = [
    "build_lock",
    "covers",
    "create_statement",
    "drop_statement",
    "extends",
    "index_evidence",
    "index_key",
    "index_name",
    "made_redundant",
]

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SPECIAL = re.compile(r"_ops\b| COLLATE | NULLS (?:FIRST|LAST)\b")
_LONGEST_NAME = 63  # NAMEDATALEN - 1


def index_name(candidate: IndexCandidate, taken: Collection[str]) -> str:
    """PostgreSQL's own pattern, ``table_column_column_idx``, cut to 63 bytes and made unique."""
    stem = "_".join((candidate.table, *candidate.columns))
    number = 0
    while True:
        tail = f"_idx{number or ''}"
        room = _LONGEST_NAME - len(tail)
        name = stem.encode()[:room].decode(errors="ignore") + tail
        if name not in taken:
            return name
        number += 1


def index_key(candidate: IndexCandidate) -> str:
    """A stable identity of the advice: table, columns with direction, included columns."""
    columns = ",".join(_directions(candidate))
    include = f" include({','.join(candidate.include)})" if candidate.include else ""
    return f"index:{candidate.schema}.{candidate.table}({columns}){include}"


def _directions(candidate: IndexCandidate) -> list[str]:
    descending = candidate.descending or (False,) * len(candidate.columns)
    return [
        f"{column} desc" if down else column
        for column, down in zip(candidate.columns, descending, strict=True)
    ]


def create_statement(candidate: IndexCandidate, name: str, table: Table) -> str:
    """CREATE INDEX, CONCURRENTLY where PostgreSQL allows it (not on a partitioned table)."""
    descending = candidate.descending or (False,) * len(candidate.columns)
    columns = sql.SQL(", ").join(
        sql.SQL("{} DESC" if down else "{}").format(sql.Identifier(column))
        for column, down in zip(candidate.columns, descending, strict=True)
    )
    include: sql.Composable = sql.SQL("")
    if candidate.include:
        include = sql.SQL(" INCLUDE ({})").format(
            sql.SQL(", ").join(sql.Identifier(column) for column in candidate.include)
        )
    return (
        sql.SQL("CREATE INDEX {how}{name} ON {table} ({columns}){include};")
        .format(
            how=sql.SQL("" if table.relkind == "p" else "CONCURRENTLY "),
            name=sql.Identifier(name),
            table=sql.Identifier(candidate.schema, candidate.table),
            columns=columns,
            include=include,
        )
        .as_string(None)
    )


def drop_statement(candidate: IndexCandidate, name: str, table: Table) -> str:
    """The opposite of `create_statement`."""
    return (
        sql.SQL("DROP INDEX {how}{name};")
        .format(
            how=sql.SQL("" if table.relkind == "p" else "CONCURRENTLY "),
            name=sql.Identifier(candidate.schema, name),
        )
        .as_string(None)
    )


def build_lock(table: Table) -> str:
    """What building an index on the table locks, in words."""
    if table.relkind == "p":
        return (
            "SHARE lock on every partition while it builds: writes wait. To avoid that, create it "
            "ON ONLY the parent, then CONCURRENTLY on each partition, and attach them."
        )
    return (
        "SHARE UPDATE EXCLUSIVE while it builds: reads and writes go on; DDL and VACUUM of "
        "the table wait. A build that fails leaves an invalid index: drop it and try again."
    )


def index_evidence(
    candidate: IndexCandidate, name: str, table: Table, size_bytes: int
) -> dict[str, object]:
    """What a person can check of an index that is advised; `recommend` compares them too."""
    return {
        "index_name": name,
        "table": table.qualified_name,
        "key_columns": list(candidate.columns),
        "size_bytes": size_bytes,
        "table_rows": table.reltuples,
        "table_bytes": table.table_bytes,
    }


def covers(index: Index, candidate: IndexCandidate) -> bool:
    """True when an existing index already serves everything that the candidate would.

    Its key begins with the candidate's columns in the same directions (or all of them turned
    round: a btree is read both ways), and it holds the included columns somewhere.
    """
    width = len(candidate.columns)
    if not index.is_plain or _is_special(index):
        return False
    if index.key_columns[:width] != candidate.columns:
        return False
    wanted = candidate.descending or (False,) * width
    has = (index.descending or (False,) * len(index.key_columns))[:width]
    held = {*index.key_columns, *index.include_columns}
    same_order = has == wanted or has == tuple(not down for down in wanted)
    return same_order and set(candidate.include) <= held


def _is_special(index: Index) -> bool:
    """True where a key column has its own operator class, collation or place for nulls.

    Such an index may not serve an ordinary comparison or order; the planner knows, so that a
    candidate beside it has no gain where it does.
    """
    keys = index.definition.partition(" USING btree (")[2]
    return bool(_SPECIAL.search(_QUOTED.sub("", keys)))


def extends(wider: IndexCandidate, narrower: IndexCandidate) -> bool:
    """True when the wider of two candidates begins with all of the narrower one."""
    width = narrower.width
    return (
        wider.table_oid == narrower.table_oid
        and wider.columns[:width] == narrower.columns
        and wider.descending[:width] == narrower.descending
        and set(narrower.include) <= {*wider.columns, *wider.include}
    )


def made_redundant(given: Situation, candidate: IndexCandidate) -> tuple[Index, ...]:
    """Existing indexes whose work the candidate would do as well."""
    return tuple(
        index
        for index in given.indexes_of(candidate.table_oid)
        if index.is_plain
        and not _is_special(index)
        and not (index.is_unique or index.is_primary or index.is_constraint)
        and index.key_columns == candidate.columns[: len(index.key_columns)]
        and not any(index.descending)
        and not any(candidate.descending)
        and set(index.include_columns) <= {*candidate.columns, *candidate.include}
    )
