"""Asks a target where its log is, and finds a way to it: on this machine, else over SQL."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import psycopg

from pgadvisor.collect.failures import quoted
from pgadvisor.collect.logs.folder import LocalFolder, LogFolder
from pgadvisor.collect.logs.remote import RemoteFolder
from pgadvisor.collect.logs.source import log_source, remote_source
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import LogUnreadable, PrivilegeMissing
from pgadvisor.records.log import LogSource

__all__ = ["find_log", "log_folder"]

_Listing = Sequence[tuple[str, int, datetime]]

#: files compared to tell that a directory of this machine is the server's
_MOST_COMPARED = 8
_SIGNATURE = "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)"


def find_log(target: Target, settings: Mapping[str, str] | None = None) -> LogSource:
    """The target's log: a file of this machine, else through the server where our role may.

    `settings` are names and values of pg_settings, fetched if left out. A role that may not ask
    for the current files finds them by directory and name all the same. Raises `LogUnreadable`
    with what mends it: both ways are closed, or there is no log file at all.
    """
    if settings is None:
        settings = {setting.name: setting.setting for setting in fetch_settings(target)}
    if "data_directory" not in settings:
        raise LogUnreadable(
            "our role may not see where the server keeps its log",
            hint=f"GRANT pg_monitor TO {quoted(target.role)};",
        )
    may_ask, may_list, may_read = target.row("log_rights")
    current = dict(target.rows("current_logfiles")) if may_ask else {}
    try:
        source = log_source(settings, settings["data_directory"], current)
        if may_list:
            _check_servers(target, Path(source.path))
        return source
    except LogUnreadable as exc:
        remote = remote_source(settings, settings["data_directory"])
        if may_list and may_read:
            return remote
        raise _closed(exc, target, may_list=may_list, may_read=may_read) from exc


def log_folder(target: Target, source: LogSource) -> LogFolder:
    """The files of a log that `find_log` found."""
    if source.over_sql is None:
        return LocalFolder(source)

    def list_log() -> _Listing:
        return _listing(target)

    def read_log(path: str, offset: int, length: int) -> bytes | None:
        wanted = {"path": path, "offset": offset, "length": length}
        try:
            found: bytes | None = target.row("log_bytes", wanted)[0]
        except PrivilegeMissing as exc:
            raise _revoked(exc, target) from exc
        return found

    return RemoteFolder(source, list_log, read_log)


def _listing(target: Target) -> _Listing:
    try:
        return target.rows("log_files")
    except PrivilegeMissing as exc:
        raise _revoked(exc, target) from exc
    except psycopg.errors.UndefinedFile as exc:
        raise LogUnreadable(
            "the server's log directory does not exist on its machine",
            hint="Restart the server with logging_collector = on: its logger makes the directory.",
        ) from exc


def _revoked(exc: PrivilegeMissing, target: Target) -> LogUnreadable:
    return LogUnreadable(exc.message, hint=_grants(target, may_list=False, may_read=False))


def _closed(exc: LogUnreadable, target: Target, *, may_list: bool, may_read: bool) -> LogUnreadable:
    """Neither way is open: both remedies."""
    return LogUnreadable(
        f"{exc.message}, and our role may not read the log over SQL",
        hint=f"{exc.hint} Or as a superuser run "
        f"{_grants(target, may_list=may_list, may_read=may_read)} Where neither can be done, send "
        "the log: `pgadvisor ingest-log FILE` or POST /api/v1/ingest/logs.",
    )


def _grants(target: Target, *, may_list: bool, may_read: bool) -> str:
    # rights on functions belong to a database: pg_proc is not shared
    role = quoted(target.role)
    wanted = [] if may_list else [f"GRANT pg_monitor TO {role};"]
    if not may_read:
        wanted.append(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO {role};")
    return f"in database {quoted(target.database)}: {' '.join(wanted)}"


def _check_servers(target: Target, path: Path) -> None:
    """Raise `LogUnreadable` where a directory of the same name is another server's.

    Size and time of a file are read here before and after the server is asked for them: what it
    says must lie in between, for one file at least.
    """
    if not os.path.isdir(path):
        return
    before = _states(path)
    listed = _listing(target)
    after = _states(path)
    if not listed:
        return
    for name, size, modified_at in listed:
        if name in before and name in after:
            found = (size, round(modified_at.timestamp()))
            if all(b <= f <= a for b, f, a in zip(before[name], found, after[name], strict=True)):
                return
    raise LogUnreadable(
        f"{path} on this machine is not the log directory of the server",
        hint="Run pgadvisor on the machine of the server, or mount its log directory here "
        "at the same path.",
    )


def _states(directory: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the files that were written to last."""
    found: dict[str, tuple[int, int]] = {}
    for entry in sorted(os.scandir(directory), key=_modified_at, reverse=True)[:_MOST_COMPARED]:
        status = _status(entry.path)
        if status is not None:
            found[entry.name] = (status.st_size, int(status.st_mtime))
    return found


def _modified_at(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _status(path: str) -> os.stat_result | None:
    """As the server sees it now: opening makes a network file system look again."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno())
    except OSError:
        return None  # closed to us or gone: the others will do
