"""What the checks look at, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from pgadvisor.collect.extensions import install_remedy, require_statements
from pgadvisor.collect.server import server_info
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import ExtensionMissing
from pgadvisor.records.check import Check, CheckStatus
from pgadvisor.records.server import ServerInfo, Setting

__all__ = ["RELOAD", "Facts", "Rights", "Usage", "error", "fetch_facts", "ok", "warning"]

RELOAD = "SELECT pg_reload_conf();"
#: what reading the log through SQL calls; pg_monitor brings some of them, by version
LOG_FUNCTIONS = (
    "pg_catalog.pg_ls_logdir()",
    "pg_catalog.pg_current_logfile()",
    "pg_catalog.pg_current_logfile(text)",
    "pg_catalog.pg_read_file(text, bigint, bigint)",
    "pg_catalog.pg_read_binary_file(text, bigint, bigint)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What our role may do beyond reading statistics."""

    unreadable_tables: int
    tables: int
    unreadable_schemas: tuple[str, ...]
    #: of LOG_FUNCTIONS
    denied_functions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How full pg_stat_statements is."""

    entries: int
    hidden: int
    dealloc: int | None
    hours: float | None
    available_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A target as the checks see it."""

    server: ServerInfo
    settings: Mapping[str, Setting]
    rights: Rights
    #: None where pg_stat_statements cannot be read, for the reason in statements_missing
    usage: Usage | None
    statements_missing: ExtensionMissing | None
    hypopg_remedy: str
    #: tables with missing or old statistics, largest first
    stale: tuple[tuple[str, str], ...]

    def setting(self, name: str) -> str | None:
        """The value a session of our role gets, None where it is unknown or hidden."""
        found = self.settings.get(name)
        return None if found is None else found.setting


def fetch_facts(target: Target) -> Facts:
    """Everything the checks look at."""
    unreadable, tables, schemas, denied = target.row(
        "check_rights", {"log_functions": list(LOG_FUNCTIONS)}
    )
    available, _ = target.row("library", {"name": "hypopg"})
    usage, missing = _usage(target)
    return Facts(
        server=server_info(target),
        settings={setting.name: setting for setting in fetch_settings(target)},
        rights=Rights(
            unreadable_tables=unreadable,
            tables=tables,
            unreadable_schemas=tuple(schemas),
            denied_functions=tuple(denied),
        ),
        usage=usage,
        statements_missing=missing,
        hypopg_remedy=install_remedy("hypopg", major=target.major, available=available),
        stale=tuple((schema, name) for schema, name in target.rows("check_stale")),
    )


def _usage(target: Target) -> tuple[Usage | None, ExtensionMissing | None]:
    try:
        extension = require_statements(target)
        return target.records("check_statements", Usage, extension=extension)[0], None
    except ExtensionMissing as exc:
        return None, exc


def ok(name: str, message: str) -> Check:
    """A check that found nothing to mend."""
    return Check(name=name, status=CheckStatus.OK, message=message)


def warning(name: str, message: str, remedy: str) -> Check:
    """A check that found something we can work without."""
    return Check(name=name, status=CheckStatus.WARNING, message=message, remedy=remedy)


def error(name: str, message: str, remedy: str) -> Check:
    """A check that found what we cannot work without."""
    return Check(name=name, status=CheckStatus.ERROR, message=message, remedy=remedy)
