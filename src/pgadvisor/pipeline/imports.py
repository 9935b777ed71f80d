"""History that was brought along, into the store."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from pgadvisor.collect.imports import (
    FileSource,
    ImportOptions,
    pgwatch_sources,
    powa_sources,
    repository,
)
from pgadvisor.errors import NotParsable
from pgadvisor.pipeline.privacy import Privacy, privacy_of
from pgadvisor.records.imported import (
    ImportedRow,
    ImportedStatement,
    ImportNotes,
    Piece,
    Refused,
    SourceStatement,
)
from pgadvisor.sql import fingerprint, is_own, parse, statement_kind, tables_of
from pgadvisor.store import Store
from pgadvisor.store import imported as stored_history
from pgadvisor.store.imported import Recorded

__all__ = ["HistorySource", "ImportReport", "Origin", "history_sources", "import_history"]

SERIES = "not SQL: the name of an imported series"
OWN = "statement of pgadvisor itself"
_MOST_KNOWN = 50_000
#: of what looks like SQL the first word is one of these
_VERBS = frozenset(
    {"abort", "alter", "analyze", "begin", "call", "checkpoint", "close", "cluster"}
    | {"comment", "commit", "copy", "create", "deallocate", "declare", "delete", "discard"}
    | {"do", "drop", "end", "execute", "explain", "fetch", "grant", "import"}
    | {"insert", "listen", "load", "lock", "merge", "move", "notify", "prepare"}
    | {"reassign", "refresh", "reindex", "release", "reset", "revoke", "rollback", "savepoint"}
    | {"security", "select", "set", "show", "start", "table", "truncate", "unlisten"}
    | {"update", "vacuum", "values", "with"}
)
_LITERAL = re.compile(r"'[^']*'|(?<![\w.$])\d+(?:\.\d+)?(?![\w.])")
#: where a quote may not be what it seems
_TRICKY = re.compile(r"--|/\*|\\|\"|\$|[eEbBxXnN&]'")


class Origin(StrEnum):
    """Where history comes from."""

    FILE = "file"
    POWA = "powa"
    PGWATCH = "pgwatch"


class HistorySource(Protocol):
    """Where history comes from (`collect.imports`)."""

    notes: ImportNotes

    @property
    def name(self) -> str:
        """Identifies it; stands in imported_spans.source."""
        ...

    @property
    def target(self) -> str:
        """The name of the target where the user gives none."""
        ...

    def shift_to_now(self, now: datetime, earlier: Sequence[str]) -> None:
        """Move all times by whole weeks, so that the last is of the last week."""
        ...

    def pieces(self, *, now: datetime) -> Iterator[Piece]:
        """The history, oldest first."""
        ...


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import took, how it understood it, and what it left out and why."""

    target: str
    source: str
    #: rows of the source
    rows_read: int = 0
    #: rows of the history that were made of them
    rows: int = 0
    calls: int = 0
    total_exec_time: float = 0.0
    #: rows left out because the history has that time of that database already
    overlapping: int = 0
    statements: int = 0
    databases: list[str] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None
    gaps: int = 0
    refused: dict[str, Refused] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        """Rows of the source that were left out."""
        return sum(one.count for one in self.refused.values())


@contextmanager
def history_sources(
    place: str,
    origin: Origin,
    options: ImportOptions,
    *,
    server: str | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Iterator[Sequence[HistorySource]]:
    """The sources at a path or in the database that a DSN names, open inside the block.

    Raises `ImportUnreadable`, `ConfigInvalid`, `NotFound` or `TargetUnreachable`.
    """
    if origin is Origin.FILE:
        yield [FileSource(Path(place), options, progress=progress)]
        return
    with repository(place) as opened:
        if origin is Origin.POWA:
            yield powa_sources(opened, server=server, progress=progress)
        else:
            yield pgwatch_sources(
                opened, server=server, database=options.database, progress=progress
            )


def import_history(
    source: HistorySource,
    store: Store,
    target: str,
    *,
    now: datetime,
    raw_retention: timedelta,
    hourly_retention: timedelta,
    shift_to_now: bool = False,
    dry_run: bool = False,
    done: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Save the history of a source under the target of that name, made if it is new.

    Each piece is one transaction: what was saved before the import was cut off is recognized,
    and the next run goes on behind it. With `dry_run` nothing is saved and the report is the same.
    """
    if shift_to_now:
        with store.transaction() as conn:
            source.shift_to_now(now, stored_history.imported_sources(conn, target))
    report = ImportReport(target=target, source=source.name)
    prepare = _Statements(privacy_of(store))
    target_id = None
    if not dry_run:
        with store.transaction() as conn:
            target_id = stored_history.import_target(conn, target, now=now)
    for piece in _read_ahead(source.pieces(now=now)):
        rows = _prepared(piece, prepare, source.notes)
        with store.transaction() as conn:
            if target_id is None:
                recorded = stored_history.left_out(conn, target, rows, source=source.name, now=now)
            else:
                recorded = stored_history.record_history(
                    conn,
                    target_id,
                    rows,
                    source=source.name,
                    now=now,
                    raw_retention=raw_retention,
                    covered=piece.covered,
                    gaps=piece.gaps,
                )
        _add(report, piece, recorded, source.notes)
        report.statements = len(prepare.identities)
        done(report)
    if report.since is not None and report.since < now - hourly_retention:
        source.notes.warn(
            f"history before {now - hourly_retention:%Y-%m-%d} is older than what is kept "
            "(hourly_retention): a worker will drop it. PGADVISOR_HOURLY_RETENTION=4000d keeps "
            "more, --shift-to-now moves all times"
        )
    _add_notes(report, source.notes)
    return report


def _read_ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; the next one is read while the store saves this one."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import") as reader:
        following = reader.submit(next, pieces, None)
        while (piece := following.result()) is not None:
            following = reader.submit(next, pieces, None)
            yield piece


def _prepared(piece: Piece, prepare: "_Statements", notes: ImportNotes) -> list[ImportedRow]:
    rows = []
    for row in piece.rows:
        statement = prepare(row.statement)
        if statement is None:
            notes.refuse(OWN, f"at {row.since.isoformat()}")
        else:
            rows.append(ImportedRow(row.since, row.until, statement, row.counters))
    return rows


def _add(report: ImportReport, piece: Piece, recorded: Recorded, notes: ImportNotes) -> None:
    report.rows += recorded.rows
    report.calls += recorded.calls
    report.total_exec_time += recorded.total_exec_time
    report.overlapping += recorded.overlapping
    report.gaps += len(piece.gaps)
    for database, spans in piece.covered.items():
        if database not in report.databases:
            report.databases.append(database)
        for since, until in spans:
            report.since = since if report.since is None else min(report.since, since)
            report.until = until if report.until is None else max(report.until, until)
    _add_notes(report, notes)


def _add_notes(report: ImportReport, notes: ImportNotes) -> None:
    report.rows_read = notes.rows_read
    report.refused, report.taken, report.warnings = notes.refused, notes.taken, notes.warnings


class _Statements:
    """Statements of a source as they may be stored: one for each, made once."""

    def __init__(self, privacy: Privacy) -> None:
        self._privacy = privacy
        self._known: dict[SourceStatement, ImportedStatement | None] = {}
        #: texts by what is left of them without plain constants: those have one fingerprint
        self._texts: dict[str, _Text] = {}
        #: hashes of what tells statements apart in the store
        self.identities: set[int] = set()

    def __call__(self, statement: SourceStatement) -> ImportedStatement | None:
        if statement not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[statement] = self._made(statement)
        return self._known[statement]

    def _made(self, one: SourceStatement) -> ImportedStatement | None:
        """The statement, None for one of our own: live collecting leaves them out, too."""
        if one.query is not None and is_own(one.query):
            return None
        text = _of_series(one.query or "") if one.is_series else self._text(one.query)
        self.identities.add(
            hash(
                (one.database, one.user, one.userid, one.toplevel, one.queryid or text.fingerprint)
            )
        )
        return ImportedStatement(
            database=one.database,
            query=text.query,
            fingerprint=text.fingerprint,
            kind=text.kind,
            tables=text.tables,
            unreadable=text.unreadable,
            queryid=one.queryid,
            user=one.user,
            userid=one.userid,
            dbid=one.dbid,
            toplevel=one.toplevel,
        )

    def _text(self, query: str | None) -> "_Text":
        if query is None:
            return _Text(unreadable="hidden: the source has no text of it")
        key = query if _TRICKY.search(query) else _LITERAL.sub(_placeholder, query)
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) >= _MOST_KNOWN:
                self._texts.clear()
            found = self._texts[key] = _read(query, self._privacy)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    query: str | None = None
    fingerprint: str | None = None
    kind: str | None = None
    tables: tuple[str, ...] | None = None
    unreadable: str | None = None


def _placeholder(match: re.Match[str]) -> str:
    return "''" if match[0].startswith("'") else "0"


def _read(query: str, privacy: Privacy) -> _Text:
    """A text as it is stored: masked, with what the parser says of it."""
    if _is_name(query):
        return _of_series(query)
    masked = privacy.text(query)
    try:
        parsed = parse(masked)
        return _Text(
            query=masked,
            fingerprint=fingerprint(masked),
            kind=str(statement_kind(parsed)),
            tables=tables_of(parsed),
        )
    except NotParsable as exc:
        return _Text(
            query=masked,
            fingerprint=_unparsed(masked),
            unreadable=f"not parsable: {exc.message}",
        )


def _is_name(query: str) -> bool:
    """True for what is no SQL but the name of something: q17, checkout, GET /cart."""
    words = query.split(None, 1)
    return (
        len(query) <= 200
        and bool(words)
        and words[0].lower().strip("(;") not in _VERBS
        and not any(sign in query for sign in ("'", "--", "/*", ";", "\n"))
    )


def _of_series(name: str) -> _Text:
    return _Text(query=name, fingerprint=_unparsed(name), unreadable=SERIES)


def _unparsed(text: str) -> str:
    """As logged statements without a fingerprint have it: x and 15 digits over the text."""
    return f"x{blake2b(text.encode(), digest_size=8).hexdigest()[:15]}"
