"""What the checks look at, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from pgadvisor.collect.extensions import install_remedy, require_statements
from pgadvisor.collect.find_log import find_log
from pgadvisor.collect.server import server_info
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import ExtensionMissing, LogUnreadable
from pgadvisor.records.check import Check, CheckStatus
from pgadvisor.records.log import LogSource
from pgadvisor.records.server import ServerInfo, Setting

__all__ = ["RELOAD", "Facts", "Rights", "Usage", "error", "fetch_facts", "ok", "warning"]

RELOAD = "SELECT pg_reload_conf();"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What our role may do beyond reading statistics."""

    unreadable_tables: int
    tables: int
    unreadable_schemas: tuple[str, ...]


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
    #: where the log is on this machine, or why it cannot be read here
    log: LogSource | LogUnreadable
    #: tables with missing or old statistics, largest first
    stale: tuple[tuple[str, str], ...]

    def setting(self, name: str) -> str | None:
        """The value a session of our role gets, None where it is unknown or hidden."""
        found = self.settings.get(name)
        return None if found is None else found.setting


def fetch_facts(target: Target) -> Facts:
    """Everything the checks look at."""
    unreadable, tables, schemas = target.row("check_rights")
    available, _ = target.row("library", {"name": "hypopg"})
    usage, missing = _usage(target)
    return Facts(
        server=server_info(target),
        settings={setting.name: setting for setting in fetch_settings(target)},
        rights=Rights(
            unreadable_tables=unreadable,
            tables=tables,
            unreadable_schemas=tuple(schemas),
        ),
        usage=usage,
        statements_missing=missing,
        hypopg_remedy=install_remedy("hypopg", major=target.major, available=available),
        log=_log(target),
        stale=tuple((schema, name) for schema, name in target.rows("check_stale")),
    )


def _log(target: Target) -> LogSource | LogUnreadable:
    try:
        return find_log(target)
    except LogUnreadable as exc:
        return exc


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
