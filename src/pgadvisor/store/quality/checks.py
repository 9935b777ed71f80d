"""Checks of targets that did not go well, and databases that cannot be read."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from pgadvisor.store.connection import Connection
from pgadvisor.store.quality.item import QualityItem, Scope, Severity
from pgadvisor.store.queries import load

__all__ = ["check_items"]

#: a check that says what was also measured, and is left out where it was
_MEASURED = {
    "hidden-texts": "hidden-statements",
    "statistics-right": "hidden-statements",
    "pg-stat-statements-max": "evictions",
    "pg-stat-statements": "extension-outdated",
    "log-readable": "log-problem",
}
#: what `doctor` says of every standby; nothing is missing because of it
_NORMAL = {"replica"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    target: str
    database_name: str | None
    name: str
    status: str
    message: str
    remedy: str
    checked_at: datetime


def check_items(
    conn: Connection, scope: Scope, *, found: Set[tuple[str, str]]
) -> Iterator[QualityItem]:
    """What `doctor` found, where `found` (target, name) does not say it already."""
    with conn.cursor(row_factory=class_row(_Check)) as cursor:
        checks = cursor.execute(
            load("quality_checks"), {"target": scope.target, "database": scope.database}
        ).fetchall()
    for check in checks:
        if (check.target, _MEASURED.get(check.name, "")) in found or check.name in _NORMAL:
            continue
        is_database = check.name == "database-unreadable"
        yield QualityItem(
            name="database-unreadable" if is_database else "check",
            severity=Severity.ERROR if check.status == "error" else Severity.WARNING,
            target=check.target,
            database_name=check.database_name,
            message=check.message if is_database else f"{check.name}: {check.message}",
            last_at=check.checked_at,
            remedy=check.remedy,
            is_sql=_is_sql(check.remedy),
        )


def _is_sql(remedy: str) -> bool:
    """SQL, not a command of the shell: our remedies begin with an upper-case keyword then.

    >>> _is_sql("GRANT pg_monitor TO me;"), _is_sql("apt-get install x")
    (True, False)
    """
    first = remedy.split(" ", 1)[0].split("(", 1)[0]
    return first.isalpha() and first.isupper()
