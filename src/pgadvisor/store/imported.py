"""History that was brought along, into the same tables as collected history, and once.

What an import covers is noted in imported_spans. Rows over time that is covered already, by live
snapshots or by another import, are left out: a row is either in the history or counted as left
out. Everything of one call is in the caller's transaction.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, LiteralString

from psycopg import sql

from pgadvisor.records.imported import ImportedRow, ImportedStatement, Span
from pgadvisor.records.statement import Gap, QueryId, StatementKey
from pgadvisor.store.columns import Column, microseconds, used_columns
from pgadvisor.store.connection import Connection
from pgadvisor.store.counters import copy_columns, names_of
from pgadvisor.store.coverage import Coverage, load_coverage, save_spans
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.places import Places
from pgadvisor.store.queries import load
from pgadvisor.store.snapshots import save_gap
from pgadvisor.store.targets import lock_target

__all__ = [
    "Recorded",
    "import_target",
    "imported_sources",
    "left_out",
    "made_queryid",
    "record_history",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one call of `record_history` saved."""

    rows: int = 0
    calls: int = 0
    total_exec_time: float = 0.0
    #: rows left out because the history has that time of that database already
    overlapping: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(
            rows=self.rows + other.rows,
            calls=self.calls + other.calls,
            total_exec_time=self.total_exec_time + other.total_exec_time,
            overlapping=self.overlapping + other.overlapping,
        )


def import_target(conn: Connection, name: str, *, now: datetime) -> int:
    """The id of the target of that name, a server's too; made as one of kind import if new."""
    conn.execute(
        """insert into targets (name, conninfo, kind, first_seen_at) values (%s, '', 'import', %s)
           on conflict (name) do nothing""",
        [name, now],
    )
    row = conn.execute("select id from targets where name = %s", [name]).fetchone()
    assert row is not None  # it was just made if it was not there
    return int(row[0])


def made_queryid(text: str) -> QueryId:
    """A queryid for a statement that no server gave one: from its fingerprint, else its text.

    >>> made_queryid("0a42922fab0bd73f")
    739314022272980799
    """
    try:
        number = int(text, 16) if len(text) == 16 else 0
    except ValueError:
        number = 0
    number = number or int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") or 1
    return QueryId(number - 2**64 if number >= 2**63 else number)


def record_history(
    conn: Connection,
    target_id: int,
    rows: Sequence[ImportedRow],
    *,
    source: str,
    now: datetime,
    raw_retention: timedelta,
    covered: Mapping[str, Sequence[Span]] | None = None,
    gaps: Iterable[Gap] = (),
    is_once: bool = False,
) -> Recorded:
    """Save what statements did over spans of time that were not collected live.

    `covered` is what the source has observed, by database: without it the spans of the rows. A
    row is left out where a snapshot or another import covers a part of its span, or where an
    earlier call of the same `source` covers its end: so an import that was cut off goes on.
    With `is_once` the caller sees to the latter: nothing comes twice from this source, and a
    minute that two calls share adds up. Rows within `raw_retention` become deltas too.
    """
    lock_target(conn, target_id)
    spans = covered if covered is not None else _spans(rows)
    places = Places(conn, target_id, (row.statement for row in rows), spans, now=now)
    coverage = _coverage(conn, target_id, rows, spans, places)
    kept = [row for row in rows if not _is_covered(coverage, row, source, is_once=is_once)]
    busy = [row for row in kept if any(row.counters)]  # a row only where something happened
    if busy:
        _save_rows(conn, target_id, busy, places, raw_since=now - raw_retention, is_once=is_once)
    counts = Counter(row.statement.database for row in kept)
    for database, observed in _taken(spans, rows, kept).items():
        save_spans(
            conn,
            target_id,
            places.dbid(database),
            coverage[database].without(observed),
            source=source,
            rows=counts[database],
            now=now,
        )
    for gap in gaps:
        if not _is_known(coverage, gap, source):
            save_gap(conn, target_id, gap)
    return _recorded(kept, len(rows) - len(kept))


def imported_sources(conn: Connection, target_name: str) -> list[str]:
    """The names of the sources that the target has history of."""
    rows = conn.execute(
        """select distinct i.source from imported_spans i join targets t on t.id = i.target_id
           where t.name = %s order by 1""",
        [target_name],
    )
    return [str(source) for (source,) in rows]


def left_out(
    conn: Connection,
    target_name: str,
    rows: Sequence[ImportedRow],
    *,
    source: str,
    now: datetime,
) -> Recorded:
    """What `record_history` would save and leave out of these rows; nothing is changed."""
    found = conn.execute("select id from targets where name = %s", [target_name]).fetchone()
    if found is None:
        return _recorded(rows, 0)
    target_id = int(found[0])
    with conn.transaction(force_rollback=True):
        places = Places(conn, target_id, (row.statement for row in rows), _spans(rows), now=now)
        coverage = _coverage(conn, target_id, rows, {}, places)
    kept = [row for row in rows if not _is_covered(coverage, row, source, is_once=False)]
    return _recorded(kept, len(rows) - len(kept))


def _spans(rows: Sequence[ImportedRow]) -> dict[str, list[Span]]:
    """The union of the rows' spans, by database."""
    found: dict[str, set[Span]] = defaultdict(set)
    for row in rows:
        found[row.statement.database].add(Span(row.since, row.until))
    return {database: list(spans) for database, spans in found.items()}


def _taken(
    spans: Mapping[str, Sequence[Span]],
    rows: Sequence[ImportedRow],
    kept: Sequence[ImportedRow],
) -> dict[str, Sequence[Span]]:
    """Observed time without that of rows left out: half an hour of theirs may still be free."""
    if len(rows) == len(kept):
        return dict(spans)
    all_of, kept_of = _spans(rows), _spans(kept)
    lost = {
        database: Coverage({"": kept_of.get(database, ())}).without(of)
        for database, of in all_of.items()
    }
    return {
        database: Coverage({"": lost.get(database, ())}).without(observed)
        for database, observed in spans.items()
    }


def _coverage(
    conn: Connection,
    target_id: int,
    rows: Sequence[ImportedRow],
    spans: Mapping[str, Sequence[Span]],
    places: Places,
) -> dict[str, Coverage]:
    ends: dict[str, list[datetime]] = defaultdict(list)
    for row in rows:
        ends[row.statement.database] += (row.since, row.until)
    for database, observed in spans.items():
        ends[database] += [instant for span in observed for instant in span]
    return {
        database: load_coverage(
            conn, target_id, places.dbids(database), min(instants), max(instants)
        )
        if instants
        else Coverage({})
        for database, instants in ends.items()
    }


def _is_covered(
    coverage: Mapping[str, Coverage], row: ImportedRow, source: str, *, is_once: bool
) -> bool:
    known = coverage[row.statement.database]
    return known.has(Span(row.since, row.until), source, is_once=is_once)


def _is_known(coverage: Mapping[str, Coverage], gap: Gap, source: str) -> bool:
    """Whether a gap was saved by an earlier run of the import."""
    span = Span(gap.since, gap.until)
    return bool(coverage) and all(known.has(span, source) for known in coverage.values())


def _save_rows(
    conn: Connection,
    target_id: int,
    rows: Sequence[ImportedRow],
    places: Places,
    *,
    raw_since: datetime,
    is_once: bool,
) -> None:
    keys = {one: _key(one, places) for one in dict.fromkeys(row.statement for row in rows)}
    first_seen: dict[ImportedStatement, datetime] = {}
    for row in rows:
        seen = first_seen.get(row.statement)
        if seen is None or row.since < seen:
            first_seen[row.statement] = row.since
    _save_texts(conn, target_id, keys, first_seen)
    ids = _statement_ids(conn, target_id, set(keys.values()))
    columns = _copy_rows(conn, target_id, rows, keys, ids)
    place = {"target_id": target_id, "raw_since": raw_since, "may_add": is_once}
    hours = {
        hour
        for since, until in {(row.since, row.until) for row in rows}
        for hour in _partition_instants(since, until)
    }
    ensure_partitions(conn, "statement_hours", hours)
    conn.execute(_hours_statement(columns), place)
    recent = {row.until for row in rows if row.until > raw_since}
    if recent:
        ensure_partitions(conn, "statement_deltas", recent)
        parts = {"counters": names_of(columns), "sums": _sums(columns)}
        conn.execute(sql.SQL(load("save_imported_deltas")).format(**parts), place)
    conn.execute(load("save_imported_intervals"), place)


def _key(statement: ImportedStatement, places: Places) -> StatementKey:
    queryid = statement.queryid
    if queryid is None:
        queryid = made_queryid(statement.fingerprint or statement.query or "")
    dbid = places.dbid(statement.database, statement.dbid)
    return StatementKey(dbid, places.userid(statement), QueryId(queryid), statement.toplevel)


def _partition_instants(since: datetime, until: datetime) -> list[datetime]:
    """Instants that touch each month of a span."""
    last = until.astimezone(UTC) - timedelta(microseconds=1)
    found, instant = [last], since.astimezone(UTC)
    while instant < last:
        found.append(instant)
        instant += timedelta(days=28)
    return found


def _copy_rows(
    conn: Connection,
    target_id: int,
    rows: Sequence[ImportedRow],
    keys: Mapping[ImportedStatement, StatementKey],
    ids: Mapping[StatementKey, int],
) -> list[Column]:
    conn.execute(load("incoming_history"))
    columns = used_columns(row.counters for row in rows)
    own = [keys[row.statement] for row in rows]
    spans = {instant for row in rows for instant in (row.since, row.until)}
    instants = {instant: microseconds(instant) for instant in spans}
    copy_columns(
        conn,
        "incoming_history",
        [
            Column("statement_id", "q", [ids[key] for key in own]),
            Column("dbid", "q", [key.dbid for key in own]),
            Column("toplevel", "?", [key.toplevel for key in own]),
            Column("since", "q", [instants[row.since] for row in rows]),
            Column("until", "q", [instants[row.until] for row in rows]),
            *columns,
        ],
    )
    return columns


def _hours_statement(columns: Sequence[Column]) -> sql.Composed:
    updates = sql.SQL(", ").join(
        sql.SQL("{n} = coalesce(h.{n} + excluded.{n}, h.{n}, excluded.{n})").format(
            n=sql.Identifier(column.name)
        )
        for column in columns
    )
    sums = sql.SQL(", ").join(_part(column) for column in columns)
    return sql.SQL(load("save_imported_hours")).format(
        counters=names_of(columns), sums=sums, updates=updates
    )


def _part(column: Column) -> sql.Composed:
    """What falls into one hour; whole numbers stay whole and add up exactly."""
    text: LiteralString = """nullif(sum(
        case when s.share = 1 then {n} else {n} * s.share end - {n} * s.share_before), 0)"""
    if column.kind == "q":
        text = """nullif(sum(case when s.share = 1 then {n} else round({n} * s.share)::bigint end
            - round({n} * s.share_before)::bigint), 0)::bigint"""
    return sql.SQL(text).format(n=sql.Identifier("d", column.name))


def _sums(columns: Sequence[Column]) -> sql.Composed:
    kinds: dict[str, LiteralString] = {
        "q": "nullif(sum({}), 0)::bigint",
        "d": "nullif(sum({}), 0)",
    }
    return sql.SQL(", ").join(
        sql.SQL(kinds[column.kind]).format(sql.Identifier(column.name)) for column in columns
    )


def _save_texts(
    conn: Connection,
    target_id: int,
    keys: Mapping[ImportedStatement, StatementKey],
    first_seen: Mapping[ImportedStatement, datetime],
) -> None:
    texts: dict[tuple[int, int], tuple[ImportedStatement, datetime]] = {}
    for one, key in keys.items():
        known = texts.get((key.dbid, key.queryid))
        if known is None or known[0].query is None:
            since = min(first_seen[one], known[1]) if known else first_seen[one]
            texts[key.dbid, key.queryid] = (one, since)
    parts: list[Any] = list(texts.values())
    conn.execute(
        load("save_imported_texts"),
        {
            "target_id": target_id,
            "dbids": [dbid for dbid, _ in texts],
            "queryids": [queryid for _, queryid in texts],
            "queries": [one.query for one, _ in parts],
            "fingerprints": [one.fingerprint for one, _ in parts],
            "kinds": [one.kind for one, _ in parts],
            "unreadables": [one.unreadable for one, _ in parts],
            "identities": ["fingerprint" if one.queryid is None else "queryid" for one, _ in parts],
            "tables": [None if one.tables is None else json.dumps(one.tables) for one, _ in parts],
            "first_seen_ats": [since for _, since in parts],
        },
    )


def _statement_ids(
    conn: Connection, target_id: int, keys: Iterable[StatementKey]
) -> dict[StatementKey, int]:
    wanted = list(keys)
    rows = conn.execute(
        load("statement_ids"),
        {
            "target_id": target_id,
            "dbids": [key.dbid for key in wanted],
            "userids": [key.userid for key in wanted],
            "queryids": [key.queryid for key in wanted],
            "toplevels": [key.toplevel for key in wanted],
        },
    ).fetchall()
    return {StatementKey(*row[1:]): row[0] for row in rows}


def _recorded(kept: Sequence[ImportedRow], overlapping: int) -> Recorded:
    return Recorded(
        rows=len(kept),
        calls=sum(row.counters.calls for row in kept),
        total_exec_time=sum(row.counters.total_exec_time for row in kept),
        overlapping=overlapping,
    )
