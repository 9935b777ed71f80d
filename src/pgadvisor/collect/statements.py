"""pg_stat_statements as a `StatementSnapshot`: counters often, texts seldom.

Counters are read without texts: `pg_stat_statements(true)` loads the whole text file into memory.
Of entries that rest, the server sends nothing: see `known`.
"""

from collections.abc import Iterable, Set
from dataclasses import replace
from typing import Any, NamedTuple

from pgadvisor.collect.extensions import require_statements
from pgadvisor.collect.known import (
    EVERYTHING,
    Entries,
    KnownStatements,
    Moment,
    complete,
    usable,
)
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
_HEAD = 9
_ATTEMPTS = 3


class Hidden(NamedTuple):
    """Entries without a queryid, which our role may not see."""

    entries: int = 0
    exec_time: float = 0.0


class Reading(NamedTuple):
    """The entries of one read, and what goes with them; evictions during it may concern any."""

    before: Moment
    after: Moment
    entries: Entries
    hidden: Hidden


def fetch_statements(target: Target) -> StatementSnapshot:
    """All entries of the server at one moment, of all its databases, without texts.

    Everything counted happened before ``captured_at``, on the server's clock. Read again where
    somebody reset the statistics during the read. Raises `ExtensionMissing` where there is no
    pg_stat_statements 1.8 or newer.
    """
    extension = require_statements(target)
    before = _fetch_moment(target, extension)
    for _ in range(_ATTEMPTS):
        entries, hidden = _fetch_entries(target, extension, before)
        after = _fetch_moment(target, extension)
        if before[1:3] == after[1:3]:
            target.known_statements = KnownStatements(
                moment=before, extension_version=extension.version, entries=entries
            )
            return _snapshot(target, extension, Reading(before, after, entries, hidden))
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


def _fetch_entries(target: Target, extension: Extension, moment: Moment) -> tuple[Entries, Hidden]:
    """All entries: where most of them rest, from what changed and what is known."""
    last = target.known_statements
    known = usable(last, moment, extension.version)
    if known is not None:
        columns, rows = target.table("statements", known.parameters(), extension=extension)
        sent, hidden = _entries(columns[_HEAD:], rows, last)
        whole = complete(known, sent, len(rows))
        if whole is not None:
            return whole, hidden
    columns, rows = target.table("statements", EVERYTHING, extension=extension)
    return _entries(columns[_HEAD:], rows, last)


def _entries(
    counter_names: tuple[str, ...], rows: list[tuple[Any, ...]], last: KnownStatements | None
) -> tuple[Entries, Hidden]:
    """The rows as entries; ``last`` tells which of them changed."""
    states_then = last.entries.states if last else {}
    statements: dict[StatementKey, StatementCounters] = {}
    states: dict[StatementKey, int] = {}
    hidden_exec_times: list[float] = []
    for row in rows:
        dbid, userid, queryid, toplevel, min_exec_time, max_exec_time, stats_since, state, _ = row[
            :_HEAD
        ]
        counted = zip(counter_names, row[_HEAD:], strict=True)
        counters = Counters(**{name: value for name, value in counted if value is not None})
        if queryid is None:
            hidden_exec_times.append(counters.total_exec_time)
            continue
        key = StatementKey(dbid, userid, queryid, toplevel)
        states[key] = state
        statements[key] = StatementCounters(
            key=key,
            counters=counters,
            min_exec_time=min_exec_time,
            max_exec_time=max_exec_time,
            stats_since=stats_since,
        )
    total = max((row[_HEAD - 1] for row in rows), default=0)
    changed = sum(states_then.get(key, state) != state for key, state in states.items())
    hidden = Hidden(len(hidden_exec_times), sum(hidden_exec_times, 0.0))
    return Entries(statements, states, total, changed), hidden


def _snapshot(target: Target, extension: Extension, read: Reading) -> StatementSnapshot:
    return StatementSnapshot(
        captured_at=read.after.captured_at,
        system_identifier=target.fetch_system_identifier(),
        postmaster_start_at=read.after.postmaster_start_at,
        stats_reset=read.after.stats_reset,
        dealloc=read.before.dealloc,
        dealloc_after=read.after.dealloc,
        extension_version=extension.version,
        statements=read.entries.statements,
        hidden=read.hidden.entries,
        hidden_exec_time=read.hidden.exec_time,
    )
