"""pgwatch's Postgres sink: rows of JSON, the busiest statements of each source, cumulative.

Source: internal/sinks/sql/admin_schema.sql (admin.metrics_template: time, dbname, data, tag_data)
and the metric stat_statements in internal/metrics/metrics.yaml of pgwatch 3 to 6. The metric
adds up the users of a queryid and keeps those with more than 5 calls and
5 ms that are among the first hundred by one of its orders: a statement comes and goes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from pgadvisor.collect.imports.columns import Layout, layout_of
from pgadvisor.collect.imports.counters import Counted, counters_of
from pgadvisor.collect.imports.cumulative import cumulative_pieces
from pgadvisor.collect.imports.options import Counting
from pgadvisor.collect.imports.plan import Plan
from pgadvisor.collect.imports.repository import Repository, no_shift
from pgadvisor.collect.imports.statements import Statements
from pgadvisor.errors import ImportUnreadable, NotFound
from pgadvisor.records.imported import ImportNotes, Piece, Reading, SourceStatement

__all__ = ["PgwatchSource", "pgwatch_sources"]

_PLAN = Plan(counting=Counting.CUMULATIVE, steps={}, missing={}, is_complete=False, has_users=False)
#: what the variant of the metric without texts has in their place
_NO_TEXT = "-"


class PgwatchSource:
    """What a pgwatch sink has of some sources, each a database of a server."""

    #: name of the target where the user gives none
    target = "pgwatch"

    def __init__(
        self,
        repository: Repository,
        schema: str,
        sources: Mapping[str, tuple[datetime, datetime]],
        *,
        is_one: bool,
        database: str | None,
        progress: Callable[[float], None],
    ) -> None:
        self.name = f"pgwatch {repository.place}"
        self.notes = ImportNotes()
        self.notes.taken.append(
            f"pgwatch's metric stat_statements of {', '.join(sources)}: cumulative counters of "
            "the busiest statements, users added up"
        )
        self._repository = repository
        self._schema = sql.Identifier(schema)
        self._sources = list(sources)
        self._since = min(first for first, _ in sources.values())
        self._until = max(last for _, last in sources.values())
        #: one source alone is called by the name of its database, several by their own names
        self._is_one = is_one
        self._database = database
        self._progress = progress
        self._statements = Statements(default_database=database or "", series="")
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def shift_to_now(self, now: datetime, earlier: Sequence[str]) -> None:
        """Refused: this history is of now."""
        raise no_shift()

    def pieces(self, *, now: datetime) -> Iterator[Piece]:
        """The history in pieces, oldest first."""
        return cumulative_pieces(self._batches(), _PLAN, self.notes, now=now)

    def _batches(self) -> Iterator[list[Reading]]:
        windows = self._repository.windows(
            "pgwatch_readings",
            {"sources": self._sources},
            self._since,
            self._until,
            schema=self._schema,
        )
        done = 0
        for share, rows in windows:
            self._progress(share)
            yield self._readings(rows, done)
            done += len(rows)

    def _readings(self, rows: Sequence[tuple[Any, ...]], done: int) -> list[Reading]:
        self.notes.rows_read += len(rows)
        readings = []
        for number, (at, source, data, tags) in enumerate(rows, done + 1):
            statement = self._statement(source, data, tags or {})
            bad: dict[int, str] = {}
            counted = self._counters(data, bad)
            if isinstance(statement, str):
                bad[0] = statement
            if bad or counted is None or isinstance(statement, str):
                self.notes.refuse(bad.get(0, "no counters"), f"{source} at {at.isoformat()}")
                continue
            readings.append(Reading(number, at, None, statement, *counted))
        return readings

    def _statement(
        self, source: str, data: Mapping[str, Any], tags: Mapping[str, Any]
    ) -> SourceStatement | str:
        database = self._database or source
        if self._is_one and self._database is None:
            database = data.get("real_dbname") or source
        query = tags.get("query", data.get("query"))
        return self._statements.read(
            (
                *(database, None, None if query == _NO_TEXT else query),
                *(tags.get("queryid", data.get("queryid")), None, None, None, None),
            )
        )

    def _counters(self, data: Mapping[str, Any], bad: dict[int, str]) -> Counted | None:
        names = tuple(data)
        layout = self._layouts.get(names)
        if layout is None:
            layout = self._layouts[names] = layout_of(names)
        columns = {name: layout.columns[name] for name in layout.counters}
        if "calls" not in columns:
            return None
        values = {name: (data[column.name],) for name, column in columns.items()}
        return counters_of(values, columns, bad, self.notes)[0]


def pgwatch_sources(
    repository: Repository,
    *,
    server: str | None,
    database: str | None,
    progress: Callable[[float], None],
) -> list[PgwatchSource]:
    """The sources of a pgwatch sink, all or the one of that name (its `dbname`).

    Raises `ImportUnreadable` where there is no sink, and `NotFound` where it has no statements.
    """
    found = repository.rows("pgwatch_tables")
    if not found:
        raise ImportUnreadable(
            f"{repository.place} has no table stat_statements as pgwatch writes it",
            hint="Name the database of pgwatch's --sink, and see that one of its presets with "
            "the metric stat_statements is used.",
        )
    schema = found[0][0]
    rows = repository.rows("pgwatch_sources", schema=sql.Identifier(schema))
    spans = {name: (first, last) for name, first, last in rows}
    chosen = {name: span for name, span in spans.items() if server in (None, name)}
    if not chosen:
        names = ", ".join(spans) or "none"
        raise NotFound(
            f"pgwatch has no statements of {server!r}" if server else "pgwatch has no statements",
            hint=f"Sources with statements: {names}.",
        )
    return [
        PgwatchSource(
            repository,
            schema,
            chosen,
            is_one=len(chosen) == 1,
            database=database if len(chosen) == 1 else None,
            progress=progress,
        )
    ]
