"""Connections to the store, and the embedded PostgreSQL where no store is named."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from pgadvisor.config import Settings
from pgadvisor.errors import ConfigInvalid, StoreUnavailable
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.store import migrate
from pgadvisor.store.baselines import Baselines
from pgadvisor.store.embedded import embedded_store

__all__ = ["APPLICATION_NAME", "Connection", "Store", "open_store"]

Connection = psycopg.Connection[TupleRow]

_POOL_SECONDS = 5.0
#: unlike that of our sessions on targets: the store is often on a watched server
APPLICATION_NAME = "pgadvisor store"
#: a network that was cut without a word ends a connection within half a minute
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
_OLDEST_VERSION = 150000


class Store:
    """A pool of connections to pgadvisor's own database."""

    def __init__(
        self,
        pool: ConnectionPool[Connection],
        description: str,
        parameters: ParameterMode = ParameterMode.HASH,
        url: str = "",
    ) -> None:
        self._pool = pool
        #: its connection string, with the password: for the job queue's own connections
        self.url = url
        #: where it is, without a password
        self.description = description
        #: baselines of targets, see store/snapshots.py
        self.baselines = Baselines()
        self.lock = threading.Lock()
        #: what is kept of values here, and what they are hashed with: see pipeline/privacy.py
        self.parameters = parameters
        self.salt: bytes | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end, rolled back on any error.

        Raises `StoreUnavailable` when the store cannot be reached or goes away.
        """
        try:
            with self._pool.connection() as conn:
                yield conn
        except (psycopg.OperationalError, PoolTimeout) as exc:
            raise unavailable(exc, self.description) from exc

    def check(self) -> None:
        """Raise `StoreUnavailable` or `SchemaOutdated` unless the store can be used now."""
        with self.transaction() as conn:
            migrate.check(conn)


def unavailable(exc: Exception, description: str) -> StoreUnavailable:
    """The error for a store that does not answer, or cannot write."""
    if isinstance(exc, psycopg.errors.DiskFull):
        return StoreUnavailable(
            f"the disk of the store {description} is full: {exc.diag.message_primary}",
            hint="Free space on it; PGADVISOR_RAW_RETENTION and PGADVISOR_HOURLY_RETENTION say how "
            "much history is kept. Collected counters stay on the target and are read again.",
        )
    return StoreUnavailable(
        f"the store {description} is not available: {str(exc).strip() or type(exc).__name__}",
        hint="Check DATABASE_URL and that the server runs. Collected counters stay on the target "
        "and are read again when the store is back.",
    )


@contextmanager
def open_store(
    settings: Settings,
    *,
    now: datetime,
    upgrade: bool | None = None,
    pool_seconds: float = _POOL_SECONDS,
) -> Iterator[Store]:
    """Open the store that the settings name, or start and join the embedded one.

    The embedded store is always brought to this version's schema; one named by DATABASE_URL
    only with `upgrade`, so that nobody's database is changed without being asked. A transaction
    waits up to `pool_seconds` for a connection: longer where many threads take turns. Raises
    `StoreUnavailable`, or `SchemaOutdated` with the command that mends it.
    """
    with ExitStack() as stack:
        url = settings.database_url
        if url is None:
            url = stack.enter_context(embedded_store(settings.data_dir))
            description = f"embedded in {settings.data_dir}"
            upgrade = upgrade is not False
        else:
            description = describe(url)
        probe(url, description)
        pool = stack.enter_context(_pool(url, pool_seconds))
        store = Store(pool, description, settings.parameters, url)
        with store.transaction() as conn:
            if upgrade:
                migrate.apply(conn, now=now)
            else:
                migrate.check(conn)
        yield store


def describe(url: str) -> str:
    """Host, port and database of a connection string, never the password.

    >>> describe("postgresql://me:secret@db.example.org/advisor")
    'db.example.org:5432/advisor'
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        # not chained: libpq repeats a part of the text, which may be of the password
        raise ConfigInvalid(
            "DATABASE_URL is not a connection string",
            hint="Write postgresql://user@host:5432/database, with the password in ~/.pgpass.",
        ) from None
    host = parts.get("host") or "local socket"
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"


def probe(url: str, description: str) -> None:
    """Connect once, for an error that says why: a pool only says that it waited."""
    try:
        with psycopg.connect(url, connect_timeout=10, application_name=APPLICATION_NAME) as conn:
            version = conn.info.server_version
    except psycopg.OperationalError as exc:
        raise unavailable(exc, description) from exc
    if version < _OLDEST_VERSION:
        raise StoreUnavailable(
            f"the store runs PostgreSQL {version // 10000}, and 15 is the oldest that can be one",
            hint="Point DATABASE_URL at PostgreSQL 15 or newer, or leave it empty for the "
            "embedded store.",
        )


def _pool(url: str, pool_seconds: float) -> ConnectionPool[Connection]:
    return ConnectionPool(
        url,
        min_size=1,
        max_size=8,
        timeout=pool_seconds,
        # its pauses between attempts double: after a long outage it would sleep on for minutes
        reconnect_timeout=_POOL_SECONDS / 2,
        open=True,
        check=ConnectionPool.check_connection,
        configure=_configure,
        kwargs={"application_name": APPLICATION_NAME, **_KEEPALIVES},
    )


def _configure(conn: Connection) -> None:
    # not as startup options: those would replace the options of the URL, and poolers refuse them
    # a process that is frozen or cut off in a transaction does not hold a target's row for ever
    conn.execute(
        """select set_config('timezone', 'UTC', false), set_config('jit', 'off', false),
               set_config('idle_in_transaction_session_timeout', '30s', false)"""
    )
    # a role named pgadvisor has the schema of our views before that of the tables ("$user")
    conn.execute(
        """select set_config(
               'search_path', string_agg(quote_ident(s.name), ', ' order by place), false)
           from unnest(current_schemas(false)) with ordinality as s (name, place)
           where s.name <> 'pgadvisor'"""
    )
    conn.commit()
