"""Numbered, forward-only migrations in plain SQL: apply, check, status.

Our own forty lines instead of a library: PostgreSQL's advisory lock lets two processes start
at once and vanishes with a killed one, which a lock kept in a table does not.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from pgadvisor.errors import SchemaOutdated
from pgadvisor.store import jobs_schema
from pgadvisor.store.timescale import make_hypertables

__all__ = ["Migration", "apply", "check", "migrations", "status"]

_LOCK = 7_316_402_051  # pg_advisory_xact_lock key, any number that nobody else uses
_TABLE: LiteralString = """
create table if not exists schema_migrations (
    version integer not null constraint schema_migrations_pkey primary key,
    name text not null,
    digest text not null,
    applied_at timestamptz not null
);
comment on table schema_migrations is 'One row is one migration that was applied.'"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    text: LiteralString

    @property
    def digest(self) -> str:
        """SHA-256 of the text: an applied file is never edited."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """The files of this release, in order."""
    found = []
    for path in (files("pgadvisor.store") / "migrations").iterdir():
        match = re.fullmatch(r"(\d{3})_(\w+)\.sql", path.name)
        if match:
            # a file of this package, nothing a user wrote
            text: LiteralString = path.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], text))
    return tuple(sorted(found, key=lambda migration: migration.version))


def apply(conn: psycopg.Connection[TupleRow], *, now: datetime) -> tuple[Migration, ...]:
    """Apply what is missing, all or nothing, in the connection's transaction.

    Returns what was applied. Raises `SchemaOutdated` when the schema is newer than this release
    or an applied file was changed.
    """
    conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    conn.execute(_TABLE)
    missing = _missing(status(conn))
    for migration in missing:
        conn.execute(migration.text)
        conn.execute(
            "insert into schema_migrations values (%s, %s, %s, %s)",
            [migration.version, migration.name, migration.digest, now],
        )
    jobs_schema.apply(conn)
    make_hypertables(conn, [one.text for one in migrations() if "views" in one.name])
    return missing


def check(conn: psycopg.Connection[TupleRow]) -> None:
    """Raise `SchemaOutdated` unless the schema is exactly this release's."""
    missing = _missing(status(conn))
    if missing:
        raise SchemaOutdated(
            f"the store lacks migration {missing[0].version:03d} and is too old for this pgadvisor",
            hint="Run `pgadvisor migrate`.",
        )


def status(conn: psycopg.Connection[TupleRow]) -> dict[int, str]:
    """Digest of each applied migration by version; empty for a new database."""
    exists = conn.execute("select to_regclass('schema_migrations')").fetchone()
    if exists is None or exists[0] is None:
        return {}
    rows: Sequence[TupleRow] = conn.execute(
        "select version, digest from schema_migrations order by version"
    ).fetchall()
    return {version: digest for version, digest in rows}


def _missing(applied: dict[int, str]) -> tuple[Migration, ...]:
    known = {migration.version: migration for migration in migrations()}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise SchemaOutdated(
            f"the store has migration {newer[-1]:03d} and is too new for this pgadvisor",
            hint="Install the newer pgadvisor that made it, or use another store.",
        )
    for version, digest in applied.items():
        if known[version].digest != digest:
            raise SchemaOutdated(
                f"migration {version:03d} differs from the one that was applied to the store",
                hint="Install an unchanged release of pgadvisor; an applied migration is never "
                "edited.",
            )
    return tuple(known[version] for version in sorted(set(known) - set(applied)))
