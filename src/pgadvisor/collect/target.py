"""The connection to a watched server: read-only, time-limited, one at a time.

Limits are set after connecting, never as startup options: pgbouncer refuses those. Where a proxy
that may share server sessions stands in between, every read is a transaction of its own with
local settings, so that nothing of ours leaks into the sessions of others.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, LiteralString, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import BaseRowFactory, class_row, tuple_row

from pgadvisor.collect import queries
from pgadvisor.collect.deadline import Conn, PatientConnection
from pgadvisor.collect.failures import connection_failure, statement_errors
from pgadvisor.collect.known import KnownStatements
from pgadvisor.errors import ConfigInvalid, PrivilegeMissing, TargetUnreachable
from pgadvisor.records.server import Extension

__all__ = ["APPLICATION_NAME", "Target", "connect"]

APPLICATION_NAME = "pgadvisor"
CONNECT_TIMEOUT_SECONDS = 10
#: a peer that died without a word is noticed after about a minute
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
#: beyond statement_timeout, for what a statement waits for on its way
_GRACE = timedelta(seconds=10)

Row = TypeVar("Row")


def connect(
    dsn: str,
    *,
    statement_timeout: timedelta = timedelta(seconds=30),
    lock_timeout: timedelta = timedelta(seconds=1),
    dbname: str | None = None,
    max_connections: int | None = None,
) -> "Target":
    """A read-only connection to the server that a libpq DSN or URL names.

    `dbname` is for another database than the DSN's. With more than `max_connections` of ours on
    the server, of all processes, this one is given up. Raises `ConfigInvalid` for a malformed DSN
    and `TargetUnreachable` where nothing answers or nobody is let in, with a hint for each usual
    reason.
    """
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        # Not chained: libpq repeats a part of the DSN, which may be of the password.
        raise ConfigInvalid(
            "the target's DSN is malformed",
            hint="Write postgresql://user@host:5432/database or "
            "'host=... port=5432 dbname=... user=...', with the password in ~/.pgpass.",
        ) from None
    if dbname is not None:
        given["dbname"] = dbname
    parameters: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, **_KEEPALIVES}
    parameters |= {name: value for name, value in given.items() if value is not None}
    parameters |= {"application_name": APPLICATION_NAME, "client_encoding": "utf8"}
    try:
        conn = PatientConnection.connect(
            make_conninfo("", **parameters), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as exc:
        raise connection_failure(str(exc), _place(given)) from exc
    conn.patience = (statement_timeout + _GRACE).total_seconds()
    try:
        target = Target(conn, statement_timeout=statement_timeout, lock_timeout=lock_timeout)
        if max_connections is not None:
            target.require_room(max_connections)
        return target
    except BaseException:
        conn.close()
        raise


def _place(parameters: Mapping[str, Any]) -> str:
    """Host, port and database for people; the password stays out."""
    host = parameters.get("host") or parameters.get("hostaddr") or "local"
    port = parameters.get("port") or 5432
    return f"{host}:{port}/{parameters.get('dbname') or parameters.get('user') or ''}"


class Target:
    """A connection to a watched server that can only read; a context manager that closes it.

    ``behind_proxy`` None finds out: a proxy gives us a cancel key of its own, so the process id
    libpq was told is not the one of the backend that answers.
    """

    def __init__(
        self,
        conn: Conn,
        *,
        statement_timeout: timedelta = timedelta(seconds=30),
        lock_timeout: timedelta = timedelta(seconds=1),
        behind_proxy: bool | None = None,
    ) -> None:
        self._conn = conn
        self._limits = {
            "statement_timeout": _milliseconds(statement_timeout),
            "lock_timeout": _milliseconds(lock_timeout),
        }
        self._system_identifier: str | None = None
        self._userid: int | None = None
        #: what `fetch_statements` read last
        self.known_statements: KnownStatements | None = None
        conn.read_only = True
        info = conn.info
        self.role = info.user
        self.database = info.dbname
        self.place = f"{info.host}:{info.port}/{info.dbname}"
        #: major version of the server
        self.major = info.server_version // 10000
        self.behind_proxy = self._is_behind_proxy() if behind_proxy is None else behind_proxy
        if not self.behind_proxy:
            self._begin_session()

    def __repr__(self) -> str:
        return f"Target({self.role}@{self.place})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        self._conn.close()

    @property
    def closed(self) -> bool:
        """True when the connection was closed or lost."""
        return self._conn.closed

    def rows(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        extension: Extension | None = None,
    ) -> list[tuple[Any, ...]]:
        """All rows of the statement ``sql/<name>.sql``, as tuples.

        ``extension`` is the one that the statement reads: its version picks the variant, its
        schema fills ``{schema}``.
        """
        return self._fetch(name, parameters, extension, tuple_row)[1]

    def row(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        extension: Extension | None = None,
    ) -> tuple[Any, ...]:
        """The first row of a statement that always has one."""
        return self.rows(name, parameters, extension=extension)[0]

    def records(
        self,
        name: str,
        record: type[Row],
        parameters: Mapping[str, Any] | None = None,
        *,
        extension: Extension | None = None,
    ) -> list[Row]:
        """All rows of a statement whose column names are the fields of ``record``."""
        return self._fetch(name, parameters, extension, class_row(record))[1]

    def table(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        extension: Extension | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Column names and rows: for large results that become records in one go."""
        return self._fetch(name, parameters, extension, tuple_row)

    @property
    def conn(self) -> Conn:
        """The raw connection, for the few that need several statements in one transaction.

        Errors of psycopg come through unchanged: `explain` tells them apart.
        """
        return self._conn

    def require_room(self, most: int) -> None:
        """Raise `TargetUnreachable` where the server has more connections of ours than that.

        Not behind a proxy: its idle server sessions carry our name for a while after us.
        """
        if self.behind_proxy:
            return
        found = int(self.row("own_connections", {"application_name": APPLICATION_NAME})[0])
        if found > most:
            raise TargetUnreachable(
                f"{found - 1} connections of pgadvisor are on {self.place} already, and at most "
                f"{most} may be",
                hint="Another pgadvisor watches this server, or PGADVISOR_MAX_CONNECTIONS is too "
                "low; select * from pg_stat_activity where application_name = 'pgadvisor' shows "
                "them.",
            )

    def fetch_userid(self) -> int:
        """The oid of our role, which is the userid of our statements."""
        if self._userid is None:
            self._userid = int(self.row("own_role")[0])
        return self._userid

    def fetch_system_identifier(self) -> str:
        """What identifies the cluster: its system identifier, its address where that is hidden."""
        if self._system_identifier is None:
            try:
                found = self.row("identity")
            except PrivilegeMissing:
                found = self.row("address")
            self._system_identifier = str(found[0])
        return self._system_identifier

    def _load(self, name: str, extension: Extension | None) -> LiteralString | sql.Composed:
        """The text of a statement, the extension's schema filled in."""
        if extension is None:
            return queries.load(name, server=self.major)
        text = queries.load(name, server=self.major, extension=extension.version_tuple)
        return sql.SQL(text).format(schema=sql.Identifier(extension.schema))

    def _fetch(
        self,
        name: str,
        parameters: Mapping[str, Any] | None,
        extension: Extension | None,
        row_factory: BaseRowFactory[Row],
    ) -> tuple[tuple[str, ...], list[Row]]:
        text = self._load(name, extension)
        with (
            statement_errors(self.role),
            self._limited(),
            self._conn.cursor(row_factory=row_factory, binary=True) as cursor,
        ):
            cursor.execute(text, parameters)
            columns = tuple(column.name for column in cursor.description or ())
            return columns, cursor.fetchall()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Our limits hold inside: the session has them, behind a proxy a transaction gets them."""
        if not self.behind_proxy:
            yield
            return
        with self._conn.transaction():
            self._set_limits(local=True)
            yield

    def _begin_session(self) -> None:
        with statement_errors(self.role):
            self._set_limits(local=False)
            self._conn.execute(self._load("quiet", None))

    def _set_limits(self, *, local: bool) -> None:
        self._conn.execute(self._load("limits", None), self._limits | {"local": local})

    def _is_behind_proxy(self) -> bool:
        with statement_errors(self.role):
            found = self._conn.execute(self._load("backend", None)).fetchone()
        return found != (self._conn.info.backend_pid,)


def _milliseconds(span: timedelta) -> str:
    """As PostgreSQL's settings take it, at least 1: there 0 means no limit at all."""
    return f"{max(1, round(span.total_seconds() * 1000))}ms"
