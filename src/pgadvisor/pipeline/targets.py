"""Targets: connect, check, register."""

from datetime import datetime

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgadvisor.collect.checks import check
from pgadvisor.collect.extensions import require_statements
from pgadvisor.collect.names import fetch_databases, fetch_roles
from pgadvisor.collect.server import server_info
from pgadvisor.collect.target import Target, connect
from pgadvisor.config import Settings
from pgadvisor.records.check import Check
from pgadvisor.store import Store
from pgadvisor.store import targets as stored_targets

__all__ = ["check_target", "connect_target", "register_target", "require_usable"]


def connect_target(dsn: str, settings: Settings) -> Target:
    """Connect to a target within the limits of the settings."""
    return connect(
        dsn, statement_timeout=settings.statement_timeout, lock_timeout=settings.lock_timeout
    )


def check_target(target: Target) -> tuple[Check, ...]:
    """Whether the target is ready to be watched, each check with what mends it."""
    return check(target)


def require_usable(target: Target) -> None:
    """Raise `ExtensionMissing` where there are no counters to collect."""
    require_statements(target)


def register_target(store: Store, target: Target, dsn: str, *, now: datetime) -> int:
    """The id of the target in the store, made if it is new; its password is not stored."""
    kept = {
        name: value
        for name, value in conninfo_to_dict(dsn).items()
        if name in ("host", "hostaddr", "port", "user", "dbname", "sslmode", "service")
    }
    kept.setdefault("dbname", target.database)
    name = target.place.rpartition("/")[0]
    server = server_info(target)
    with store.transaction() as conn:
        target_id = stored_targets.register_target(conn, name, make_conninfo("", **kept), now=now)
        stored_targets.save_server(conn, target_id, server, now=now)
        stored_targets.save_names(
            conn,
            target_id,
            databases=fetch_databases(target),
            roles=fetch_roles(target),
            now=now,
        )
    return target_id
