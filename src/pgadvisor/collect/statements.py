"""pg_stat_statements as a `StatementSnapshot`: counters often, texts seldom.

Counters are read without texts: `pg_stat_statements(true)` loads the whole text file into memory.
"""

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from pgadvisor.collect.extensions import require_statements
from pgadvisor.collect.target import Target
from pgadvisor.errors import TargetUnreachable
from pgadvisor.records.server import Extension
from pgadvisor.records.statement import (
    Counters,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
    StatementText,
)

__all__ = ["HIDDEN_TEXT", "fetch_statements", "fetch_texts", "without"]

#: what pg_stat_statements shows instead of a text that our role may not see
HIDDEN_TEXT = "<insufficient privilege>"
#: columns of sql/statements.sql in front of the counters
_HEAD = 7
_ATTEMPTS = 3


class Moment(NamedTuple):
    """The server's clock and the state of the statistics as a whole."""

    captured_at: datetime
    postmaster_start_at: datetime
    stats_reset: datetime | None
    dealloc: int | None


class Reading(NamedTuple):
    """What goes with the entries of one read; evictions during it may concern any of them."""

    before: Moment
    after: Moment
    extension_version: str
    system_identifier: str


def fetch_statements(target: Target) -> StatementSnapshot:
    """All entries of the server at one moment, of all its databases, without texts.

    Everything counted happened before ``captured_at``, on the server's clock. Read again where
    somebody reset the statistics during the read. Raises `ExtensionMissing` where there is no
    pg_stat_statements 1.8 or newer.
    """
    extension = require_statements(target)
    before = _fetch_moment(target, extension)
    for _ in range(_ATTEMPTS):
        columns, rows = target.table("statements", extension=extension)
        after = _fetch_moment(target, extension)
        if before[1:3] == after[1:3]:
            read = Reading(before, after, extension.version, target.fetch_system_identifier())
            return _snapshot(read, columns[_HEAD:], rows)
        before = after
    raise TargetUnreachable(
        f"pg_stat_statements was reset during each of {_ATTEMPTS} reads",
        hint="Find what calls pg_stat_statements_reset() so often; PgHero's query statistics do.",
    )


def fetch_texts(target: Target, keys: Iterable[StatementKey]) -> list[StatementText]:
    """The texts of these entries that our role may see; one a database and queryid.

    Costs the server a read of its whole text file, so ask only for queryids not known yet.
    """
    wanted = {(key.dbid, key.queryid) for key in keys}
    if not wanted:
        return []
    queryids = sorted({queryid for _, queryid in wanted})
    rows = target.rows("texts", {"queryids": queryids}, extension=require_statements(target))
    texts = (
        StatementText(dbid=dbid, queryid=QueryId(queryid), query=query.decode(errors="replace"))
        for dbid, queryid, query in rows
        if (dbid, queryid) in wanted
    )
    return [text for text in texts if text.query != HIDDEN_TEXT]


def without(snapshot: StatementSnapshot, queryids: Set[QueryId], userid: int) -> StatementSnapshot:
    """The snapshot less a role's entries of these queryids: those of our own statements.

    Only that role's: a statement of the application may have the same queryid, which neither
    comments nor column names count for.
    """
    if not queryids:
        return snapshot
    kept = {
        key: entry
        for key, entry in snapshot.statements.items()
        if key.userid != userid or key.queryid not in queryids
    }
    return replace(snapshot, statements=kept)


def _fetch_moment(target: Target, extension: Extension) -> Moment:
    return Moment(*target.row("moment", extension=extension))


def _snapshot(
    read: Reading,
    counter_names: tuple[str, ...],
    rows: list[tuple[Any, ...]],
) -> StatementSnapshot:
    statements: dict[StatementKey, StatementCounters] = {}
    hidden, hidden_exec_time = 0, 0.0
    for row in rows:
        dbid, userid, queryid, toplevel, min_exec_time, max_exec_time, stats_since = row[:_HEAD]
        counters = Counters(**dict(zip(counter_names, row[_HEAD:], strict=True)))
        if queryid is None:
            hidden += 1
            hidden_exec_time += counters.total_exec_time
            continue
        key = StatementKey(dbid, userid, queryid, toplevel)
        statements[key] = StatementCounters(
            key=key,
            counters=counters,
            min_exec_time=min_exec_time,
            max_exec_time=max_exec_time,
            stats_since=stats_since,
        )
    return StatementSnapshot(
        captured_at=read.after.captured_at,
        system_identifier=read.system_identifier,
        postmaster_start_at=read.after.postmaster_start_at,
        stats_reset=read.after.stats_reset,
        dealloc=read.before.dealloc,
        dealloc_after=read.after.dealloc,
        extension_version=read.extension_version,
        statements=statements,
        hidden=hidden,
        hidden_exec_time=hidden_exec_time,
    )
