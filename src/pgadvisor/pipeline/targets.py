"""Targets: connect, check, register."""

from datetime import datetime

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgadvisor.collect.checks import check
from pgadvisor.collect.extensions import require_statements
from pgadvisor.collect.names import fetch_databases, fetch_roles
from pgadvisor.collect.server import server_info
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target, connect
from pgadvisor.config import Settings
from pgadvisor.errors import ConfigInvalid
from pgadvisor.records.check import Check
from pgadvisor.records.server import Setting
from pgadvisor.store import Store
from pgadvisor.store import catalog as stored_catalog
from pgadvisor.store import targets as stored_targets
from pgadvisor.store.targets import StoredTarget, TargetOptions

__all__ = [
    "add_target",
    "check_target",
    "connect_target",
    "observe_server",
    "parts_of",
    "register_target",
    "require_usable",
    "without_password",
]

#: what is kept of a DSN: where, as whom and how, nothing secret
_KEPT = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "passfile", "service", "options"),
        *("target_session_attrs", "load_balance_hosts", "connect_timeout", "channel_binding"),
        *("require_auth", "sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey"),
        *("sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version"),
        *("ssl_max_protocol_version", "gssencmode", "krbsrvname", "gsslib", "keepalives"),
        *("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    }
)


def connect_target(dsn: str, settings: Settings, *, dbname: str | None = None) -> Target:
    """Connect to a target, or another database of it, within the limits of the settings."""
    return connect(
        dsn,
        dbname=dbname,
        statement_timeout=settings.statement_timeout,
        lock_timeout=settings.lock_timeout,
        max_connections=settings.max_connections,
    )


def check_target(target: Target) -> tuple[Check, ...]:
    """Whether the target is ready to be watched, each check with what mends it."""
    return check(target)


def require_usable(target: Target) -> None:
    """Raise `ExtensionMissing` where there are no counters to collect."""
    require_statements(target)


def without_password(dsn: str) -> tuple[str, bool]:
    """The DSN as it may be stored, and whether a password was taken out of it.

    >>> without_password("postgresql://me:secret@db.example.org/shop?sslmode=require")
    ('host=db.example.org user=me dbname=shop sslmode=require', True)
    """
    given = parts_of(dsn)
    kept = {name: value for name, value in given.items() if name in _KEPT}
    if "password" in str(kept.get("options", "")).lower():
        del kept["options"]  # something like -c app.password=...
    order = ("host", "hostaddr", "port", "user", "dbname", *sorted(kept))
    sorted_kept = {name: kept[name] for name in order if name in kept}
    had_password = bool(given.get("password") or given.get("sslpassword"))
    return make_conninfo("", **sorted_kept), had_password


def add_target(
    store: Store, dsn: str, *, name: str | None, options: TargetOptions, now: datetime
) -> StoredTarget:
    """Note a target for the workers to watch, without connecting; its password is not stored.

    Without a name it is called by host and port. One of that name is changed, or watched again.
    """
    conninfo, _ = without_password(dsn)
    parts = parts_of(conninfo)
    host = parts.get("host") or parts.get("hostaddr") or parts.get("service") or "local"
    name = name or f"{host}:{parts.get('port') or 5432}"
    with store.transaction() as conn:
        target_id = stored_targets.register_target(conn, name, conninfo, now=now)
        stored_targets.save_options(conn, target_id, options)
        return stored_targets.target_by_id(conn, target_id)


def register_target(
    store: Store, target: Target, dsn: str, *, now: datetime, name: str | None = None
) -> int:
    """The id of a connected target in the store, made if it is new; its password is not stored."""
    kept = {"dbname": target.database} | parts_of(without_password(dsn)[0])
    name = name or target.place.rpartition("/")[0]
    with store.transaction() as conn:
        target_id = stored_targets.register_target(conn, name, make_conninfo("", **kept), now=now)
    observe_server(target, store, target_id, now=now)
    return target_id


def observe_server(
    target: Target, store: Store, target_id: int, *, now: datetime
) -> tuple[Setting, ...]:
    """What the server is, its databases, roles and settings: new or changed ones are saved.

    Returns the settings.
    """
    server = server_info(target)
    databases, roles = fetch_databases(target), fetch_roles(target)
    settings = fetch_settings(target)
    with store.transaction() as conn:
        stored_targets.save_server(conn, target_id, server, now=now)
        stored_targets.save_names(conn, target_id, databases=databases, roles=roles, now=now)
        stored_catalog.save_settings(conn, target_id, settings, now=now)
    return settings


def parts_of(dsn: str) -> dict[str, str]:
    """What a DSN or URL says, by libpq's keywords. Raises `ConfigInvalid`."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        # not chained: libpq repeats a part of the text, which may be of the password
        raise ConfigInvalid(
            "the target's DSN is malformed",
            hint="Write postgresql://user@host:5432/database or "
            "'host=... port=5432 dbname=... user=...', with the password in ~/.pgpass.",
        ) from None
    return {name: str(value) for name, value in given.items() if value is not None}
