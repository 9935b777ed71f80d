"""PoWA's repository: arrays of readings of pg_stat_statements, cumulative, 4.0 to 5.2.

Source: powa--4.0.0.sql to powa--5.2.0.sql of powa-archivist: tables powa_statements_history
(`records`, one array a key and range of time) and powa_statements_history_current (not yet
coalesced), the type powa_statements_history_record, function powa_statements_snapshot.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from pgadvisor.collect.imports.columns import layout_of
from pgadvisor.collect.imports.counters import counters_of
from pgadvisor.collect.imports.cumulative import cumulative_pieces
from pgadvisor.collect.imports.options import Counting
from pgadvisor.collect.imports.plan import Plan
from pgadvisor.collect.imports.repository import Repository, no_shift
from pgadvisor.errors import ImportUnreadable, NotFound
from pgadvisor.records.imported import ImportNotes, Piece, Reading, SourceStatement

__all__ = ["PowaSource", "powa_sources"]

#: PoWA stores every entry with every snapshot, each user's and, since 4.2, nested ones apart
_PLAN = Plan(counting=Counting.CUMULATIVE, steps={}, missing={}, is_complete=True, has_users=True)
_HEAD = 5


class PowaSource:
    """What PoWA has of one server."""

    def __init__(
        self,
        repository: Repository,
        schema: str,
        fields: Sequence[str],
        *,
        has_toplevel: bool,
        server: tuple[Any, ...],
        progress: Callable[[float], None],
    ) -> None:
        self._srvid, hostname, port, alias, self._since, self._until = server
        #: as `pgadvisor observe` names the same server
        self.target = f"{hostname}:{port}" if self._srvid else repository.server
        self.name = f"powa {repository.place} srvid {self._srvid}"
        self.notes = ImportNotes()
        self.notes.taken.append(
            f"PoWA's server {self._srvid} ({alias or self.target}), cumulative counters from "
            f"{self._since:%Y-%m-%d %H:%M} to {self._until:%Y-%m-%d %H:%M} UTC"
        )
        self._repository = repository
        self._schema = sql.Identifier(schema)
        layout = layout_of(fields)
        self._columns = {
            name: column for name, column in layout.columns.items() if name in layout.counters
        }
        if ignored := [name for name in layout.ignored if name != "ts"]:
            self.notes.warn(f"columns not taken: {', '.join(ignored)}")
        self._toplevel = sql.Identifier("h", "toplevel") if has_toplevel else sql.SQL("true")
        self._progress = progress
        self._databases: dict[int, str] = {}
        self._texts: dict[tuple[int, int], str] = {}
        self._statements: dict[tuple[Any, ...], SourceStatement] = {}

    def shift_to_now(self, now: datetime, earlier: Sequence[str]) -> None:
        """Refused: this history is of now."""
        raise no_shift()

    def pieces(self, *, now: datetime) -> Iterator[Piece]:
        """The history in pieces, oldest first."""
        self._databases = dict(
            self._repository.rows("powa_databases", {"srvid": self._srvid}, schema=self._schema)
        )
        return cumulative_pieces(self._batches(), _PLAN, self.notes, now=now)

    def _batches(self) -> Iterator[list[Reading]]:
        windows = self._repository.windows(
            "powa_readings",
            {"srvid": self._srvid},
            self._since,
            self._until,
            schema=self._schema,
            toplevel=self._toplevel,
            counters=sql.SQL(", ").join(
                sql.SQL("(record).{}").format(sql.Identifier(column.name))
                for column in self._columns.values()
            ),
        )
        done = 0
        for share, rows in windows:
            self._progress(share)
            yield self._readings(rows, done)
            done += len(rows)

    def _readings(self, rows: Sequence[tuple[Any, ...]], done: int) -> list[Reading]:
        self.notes.rows_read += len(rows)
        head, values = zip(*((row[:_HEAD], row[_HEAD:]) for row in rows), strict=True)
        columns = dict(zip(self._columns, zip(*values, strict=True), strict=True))
        bad: dict[int, str] = {}
        counted = counters_of(columns, self._columns, bad, self.notes)
        for index, reason in sorted(bad.items()):
            self.notes.refuse(reason, f"at {head[index][0].isoformat()}, queryid {head[index][1]}")
        statements = self._statements_of([one[1:] for one in head])
        return [
            Reading(number, one[0], None, statement, *counters)
            for number, (one, statement, counters) in enumerate(
                zip(head, statements, counted, strict=True), done + 1
            )
            if counters is not None
        ]

    def _statements_of(self, keys: Sequence[tuple[Any, ...]]) -> list[SourceStatement]:
        new = {key for key in keys if key not in self._statements}
        if new:
            texts = self._repository_texts({key[0] for key in new})
            for key in new:
                queryid, dbid, userid, toplevel = key
                self._statements[key] = SourceStatement(
                    self._databases.get(dbid, str(dbid)),
                    query=texts.get((queryid, dbid)),
                    queryid=queryid,
                    userid=userid,
                    dbid=dbid,
                    toplevel=toplevel,
                )
        return [self._statements[key] for key in keys]

    def _repository_texts(self, queryids: set[int]) -> dict[tuple[int, int], str]:
        return {
            (queryid, dbid): query
            for queryid, dbid, query in self._repository.rows(
                "powa_texts",
                {"srvid": self._srvid, "queryids": list(queryids)},
                schema=self._schema,
            )
        }


def powa_sources(
    repository: Repository, *, server: str | None, progress: Callable[[float], None]
) -> list[PowaSource]:
    """One source for each server of a PoWA repository, or for the one that is asked for.

    `server` is its alias, host name, host:port or srvid. Raises `ImportUnreadable` where there is
    no PoWA, and `NotFound` where it has no history of the server.
    """
    found = repository.rows("powa_tables")
    if not found:
        raise ImportUnreadable(
            f"{repository.place} has no table powa_statements_history",
            hint="Name the database that PoWA keeps its history in, usually dbname=powa.",
        )
    schema, fields, has_toplevel = found[0]
    servers = repository.rows("powa_servers", schema=sql.Identifier(schema))
    chosen = [one for one in servers if server is None or server in _names(one, repository)]
    if not chosen:
        names = ", ".join(sorted({_names(one, repository)[0] for one in servers})) or "none"
        raise NotFound(
            f"PoWA has no history of server {server!r}" if server else "PoWA has no history yet",
            hint=f"Servers with history: {names}.",
        )
    return [
        PowaSource(
            repository,
            schema,
            fields,
            has_toplevel=has_toplevel,
            server=one,
            progress=progress,
        )
        for one in chosen
    ]


def _names(server: tuple[Any, ...], repository: Repository) -> list[str]:
    srvid, hostname, port, alias, *_ = server
    names = [alias, f"{hostname}:{port}" if srvid else repository.server, hostname, str(srvid)]
    return [name for name in names if name]
