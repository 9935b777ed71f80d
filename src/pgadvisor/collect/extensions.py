"""The extensions we read through, and the exact command where one is missing."""

from pgadvisor.collect.target import Target
from pgadvisor.errors import ExtensionMissing
from pgadvisor.records.server import Extension

__all__ = [
    "fetch_extension",
    "fetch_extensions",
    "install_remedy",
    "preload_remedy",
    "require_statements",
]

#: pg_stat_statements of PostgreSQL 13: total_exec_time, plans, wal_bytes
OLDEST_STATEMENTS = (1, 8)
RESTART = "then restart the server (pg_ctl restart, or systemctl restart postgresql)"


def fetch_extensions(target: Target) -> dict[str, Extension]:
    """The extensions of the connected database by name."""
    return {found.name: found for found in target.records("extensions", Extension)}


def fetch_extension(target: Target, name: str) -> Extension | None:
    """One extension of the connected database, None where it is not installed."""
    return fetch_extensions(target).get(name)


def preload_remedy(preload: str | None, library: str) -> str:
    """The command that loads one more library at server start.

    >>> preload_remedy("auto_explain", "pg_stat_statements")
    "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';"
    """
    # A list setting: each name in its own quotes, or they become one library with a comma.
    present = [name.strip(' "') for name in (preload or "").split(",") if name.strip(' "')]
    names = ", ".join(f"'{name}'" for name in [*present, library])
    return f"ALTER SYSTEM SET shared_preload_libraries = {names};"


def install_remedy(name: str, *, major: int, available: bool) -> str:
    """The command that installs an extension, with its package where that is missing too.

    >>> install_remedy("hypopg", major=15, available=True)
    'CREATE EXTENSION hypopg;'
    """
    create = f"CREATE EXTENSION {name};"
    if available:
        return create
    if name == "hypopg":
        return (
            f"apt install postgresql-{major}-hypopg (or dnf install hypopg_{major}), then {create}"
        )
    return (
        f"apt install postgresql-contrib (or dnf install postgresql{major}-contrib), then {create}"
    )


def require_statements(target: Target) -> Extension:
    """pg_stat_statements of the connected database.

    Raises `ExtensionMissing` where it is not installed, not preloaded or too old. One database
    with the extension is enough for a server: it shows the statements of all of them.
    """
    loaded, version, schema = target.row("statements_extension")
    if not loaded or version is None:
        raise _statements_missing(target, loaded=loaded, installed=version is not None)
    extension = Extension(name="pg_stat_statements", version=version, schema=schema)
    # a server of 14 or newer keeps top-level and nested statements apart, and 1.8 cannot say which
    oldest = (1, 9) if target.major >= 14 else OLDEST_STATEMENTS
    if extension.version_tuple < oldest:
        raise ExtensionMissing(
            f"pg_stat_statements {version} is too old, {oldest[0]}.{oldest[1]} is needed",
            hint=f"Run in database {target.database} as the extension's owner: "
            "ALTER EXTENSION pg_stat_statements UPDATE;",
        )
    return extension


def _statements_missing(target: Target, *, loaded: bool, installed: bool) -> ExtensionMissing:
    available, preload = target.row("library", {"name": "pg_stat_statements"})
    create = install_remedy("pg_stat_statements", major=target.major, available=available)
    if loaded:
        return ExtensionMissing(
            f"pg_stat_statements is not installed in database {target.database}",
            hint=f"As a superuser run there: {create} One database is enough for the whole "
            "server: if another one has it, name that one in the DSN.",
        )
    preloading = preload_remedy(preload, "pg_stat_statements")
    return ExtensionMissing(
        "pg_stat_statements is not loaded by the server",
        hint=f"As a superuser run: {preloading} {RESTART}"
        + ("." if installed else f", and run in database {target.database}: {create}"),
    )
