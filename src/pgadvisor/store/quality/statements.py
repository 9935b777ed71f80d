"""Statements that cannot be analyzed as they should, each kind with its share of the time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from pgadvisor.store.connection import Connection
from pgadvisor.store.history import spent
from pgadvisor.store.quality.item import QualityItem, Scope, Severity

__all__ = ["statement_items"]

#: of the time of a database from which a missing plan or text is worth a warning
_MUCH = 0.05
#: reasons of rules are many; those below this share are one line
_LITTLE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrong:
    target: str
    database_name: str | None
    item: str
    reason: str
    queries: int
    first_at: datetime | None
    share_ratio: float
    query_hashes: list[str]


_WORDS = {
    "database-unnamed": "statements of a database whose name is not known",
    "text-hidden": "texts that our role may not see",
    "text-missing": "texts that were never read",
    "text-truncated": "texts are cut off",
    "text-unparsable": "texts cannot be parsed",
    "text-not-sql": "imported series without SQL",
    "plan-missing": "statements have no plan",
    "no-advice": "queries without advice",
}
#: what mends it: the commands, whether they are SQL, what takes them back
_REMEDIES: dict[str, tuple[str, bool, str]] = {
    "text-hidden": ("GRANT pg_read_all_stats TO {role};", True,
                    "REVOKE pg_read_all_stats FROM {role};"),
    "text-truncated": (
        "ALTER SYSTEM SET track_activity_query_size = 16384; -- then restart the server", True,
        "ALTER SYSTEM RESET track_activity_query_size; -- then restart the server"),
    "plan-missing": ("pgadvisor advise postgresql://user@host/database", False, ""),
}  # fmt: skip


def statement_items(
    conn: Connection, scope: Scope, roles: Mapping[str, str]
) -> Iterator[QualityItem]:
    """Texts, plans and advice that are missing, by reason; `roles` are ours by target, quoted."""
    place = {
        "since": scope.since,
        "until": scope.until,
        "target_ids": _target_ids(conn, scope),
        "statement_ids": None,
        "database": scope.database,
    }
    with conn.cursor(row_factory=class_row(_Wrong)) as cursor:
        rows = cursor.execute(spent("quality_statements", "spent_in_hours"), place).fetchall()
    yield from (
        _item(row, roles.get(row.target, "pgadvisor")) for row in rows if _is_worth_a_line(row)
    )


def _target_ids(conn: Connection, scope: Scope) -> list[int] | None:
    if scope.target is None:
        return None
    return [
        row[0] for row in conn.execute("select id from targets where name = %s", [scope.target])
    ]


def _is_worth_a_line(row: _Wrong) -> bool:
    return row.item != "no-advice" or row.share_ratio >= _LITTLE


def _item(row: _Wrong, role: str) -> QualityItem:
    remedy, is_sql, undo = _REMEDIES.get(row.item, ("", True, ""))
    reason = f": {row.reason}" if row.reason else ""
    if row.item == "plan-missing" and not row.reason:
        reason = ": neither logged nor asked for yet"
    return QualityItem(
        name=row.item,
        severity=_severity(row),
        target=row.target,
        database_name=row.database_name,
        message=f"{_WORDS[row.item]}{reason}",
        count=row.queries,
        since=row.first_at,
        share_ratio=row.share_ratio,
        share_of="the time of its database" if row.database_name else "the time of no database",
        # a reason of the planner's is not mended by asking again
        remedy="" if row.item == "plan-missing" and row.reason else remedy.replace("{role}", role),
        is_sql=is_sql,
        undo=undo.replace("{role}", role),
        query_hashes=tuple(dict.fromkeys(row.query_hashes)),
    )


def _severity(row: _Wrong) -> Severity:
    if row.item in ("no-advice", "text-not-sql") or row.share_ratio < _MUCH:
        return Severity.INFO
    return Severity.WARNING
