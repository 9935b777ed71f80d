"""A database of another monitoring system: read in windows, in order of time, memory flat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString

from psycopg import sql

from pgadvisor.collect.failures import statement_errors
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import ConfigInvalid

__all__ = ["Repository", "no_shift", "repository"]

#: the server sorts so much at a time
_WINDOW = timedelta(days=1)
_ROWS = 5_000
#: history is read by the ten-thousand rows, and in a window of their night
_STATEMENT_TIMEOUT = timedelta(minutes=10)


class Repository:
    """A read-only connection to the database that another system keeps its history in."""

    def __init__(self, target: Target) -> None:
        self._target = target
        #: host and port, and the database there
        self.place = target.place
        self.server = target.place.rpartition("/")[0]

    def rows(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        **parts: sql.Composable,
    ) -> list[tuple[Any, ...]]:
        """All rows of the statement sql/<name>.sql."""
        with statement_errors(self._target.role):
            return self._target.conn.execute(_filled(name, parts), parameters).fetchall()

    def windows(
        self,
        name: str,
        parameters: Mapping[str, Any],
        since: datetime,
        until: datetime,
        **parts: sql.Composable,
    ) -> Iterator[tuple[float, list[tuple[Any, ...]]]]:
        """The rows of a statement over (since, until], with the share of the span that is read."""
        start = since - timedelta(microseconds=1)
        while start < until:
            end = min(start + _WINDOW, until)
            place = {**parameters, "since": start, "until": end}
            share = (start - since) / max(until - since, timedelta(microseconds=1))
            for rows in self._fetched(_filled(name, parts), place):
                yield max(share, 0.0), rows
            start = end

    def _fetched(
        self, query: sql.Composed, parameters: Mapping[str, Any]
    ) -> Iterator[list[tuple[Any, ...]]]:
        conn = self._target.conn
        with (
            statement_errors(self._target.role),
            conn.transaction(),
            conn.cursor(name="pgadvisor_import") as cursor,
        ):
            cursor.execute(query, parameters)
            while rows := cursor.fetchmany(_ROWS):
                yield rows


@contextmanager
def repository(dsn: str) -> Iterator[Repository]:
    """Connect to another system's database. Raises as `collect.target.connect` does."""
    with connect(dsn, statement_timeout=_STATEMENT_TIMEOUT) as target:
        yield Repository(target)


def no_shift() -> ConfigInvalid:
    """The error for history that is not moved in time."""
    return ConfigInvalid(
        "only times of files can be moved", hint="Leave --shift-to-now out: this history is live."
    )


@cache
def _text(name: str) -> LiteralString:
    # a file of this package, as fixed as a literal
    folder = files("pgadvisor.collect.imports") / "sql"
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def _filled(name: str, parts: Mapping[str, sql.Composable]) -> sql.Composed:
    return sql.SQL(_text(name)).format(**parts)
