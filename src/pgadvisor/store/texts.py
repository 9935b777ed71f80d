"""Query texts: saved once per queryid, with fingerprint, kind and the tables they name."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pgadvisor.errors import NotParsable
from pgadvisor.records.statement import QueryId, StatementKey, StatementText
from pgadvisor.sql import fingerprint, is_own, parse, statement_kind, tables_of
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = ["known_texts", "own_queryids", "save_texts"]

#: texts of an earlier release that get their tables in one call
_MOST_COMPLETED = 500

HIDDEN = "hidden: the role of pgadvisor may not see it (GRANT pg_read_all_stats)"


@dataclass(frozen=True, slots=True)
class _Read:
    query: str | None
    fingerprint: str | None
    kind: str | None
    is_own: bool
    unreadable: str | None
    tables: tuple[str, ...] | None = None


def known_texts(
    conn: Connection,
    target_id: int,
    among: Iterable[StatementKey],
    *,
    retry_hidden: bool = False,
) -> set[tuple[int, QueryId]]:
    """(dbid, queryid) of the texts of these entries that need not be asked for again.

    With `retry_hidden` those that could not be seen are not among them: a right may have been
    granted since.
    """
    wanted = {(key.dbid, key.queryid) for key in among}
    if not wanted:
        return set()
    rows = conn.execute(
        """select dbid, queryid from queries
           where target_id = %(target_id)s and (query is not null or not %(retry_hidden)s)
             and (dbid, queryid) in (
                 select * from unnest(%(dbids)s::bigint[], %(queryids)s::bigint[]))""",
        {
            "target_id": target_id,
            "retry_hidden": retry_hidden,
            "dbids": [dbid for dbid, _ in wanted],
            "queryids": [queryid for _, queryid in wanted],
        },
    )
    return {(dbid, QueryId(queryid)) for dbid, queryid in rows}


def own_queryids(conn: Connection, target_id: int) -> set[QueryId]:
    """The queryids of our own statements."""
    rows = conn.execute(
        "select distinct queryid from queries where target_id = %s and is_own", [target_id]
    )
    return {QueryId(queryid) for (queryid,) in rows}


def save_texts(
    conn: Connection,
    target_id: int,
    texts: Iterable[StatementText],
    asked: Iterable[StatementKey],
    *,
    now: datetime,
) -> None:
    """Save the texts read; what was asked for and not seen is noted as hidden."""
    read = {(text.dbid, text.queryid): _read(text.query) for text in texts}
    hidden = _Read(None, None, None, False, HIDDEN)
    for key in asked:
        read.setdefault((key.dbid, key.queryid), hidden)
    if not read:
        return
    conn.execute(
        load("save_texts"),
        {
            "target_id": target_id,
            "now": now,
            "dbids": [dbid for dbid, _ in read],
            "queryids": [queryid for _, queryid in read],
            "queries": [one.query for one in read.values()],
            "fingerprints": [one.fingerprint for one in read.values()],
            "kinds": [one.kind for one in read.values()],
            "owns": [one.is_own for one in read.values()],
            "unreadables": [one.unreadable for one in read.values()],
            # as JSON: arrays of PostgreSQL have one length in each dimension
            "tables": [
                None if one.tables is None else json.dumps(one.tables) for one in read.values()
            ],
        },
    )
    _complete_tables(conn, target_id)


def _complete_tables(conn: Connection, target_id: int) -> None:
    """Fill in the tables of texts that an earlier release saved, some with each call."""
    rows = conn.execute(
        """select dbid, queryid, query from queries
           where target_id = %s and tables is null and query is not null and unreadable is null
           limit %s""",
        [target_id, _MOST_COMPLETED],
    ).fetchall()
    with conn.cursor() as cursor:
        cursor.executemany(
            """update queries set tables = %s
               where target_id = %s and dbid = %s and queryid = %s""",
            [
                (list(_read(query).tables or ()), target_id, dbid, queryid)
                for dbid, queryid, query in rows
            ],
        )


def _read(query: str) -> _Read:
    query = query.replace("\0", "")
    try:
        parsed = parse(query)
        kind = str(statement_kind(parsed))
        return _Read(query, fingerprint(query), kind, is_own(query), None, tables=tables_of(parsed))
    except NotParsable as exc:
        # a reason for the reader, not an error: the counters of the statement are still good
        return _Read(query, None, None, is_own(query), f"not parsable: {exc.message}")
