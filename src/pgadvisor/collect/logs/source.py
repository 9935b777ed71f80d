"""Where the log of a server is on this machine, and in which format it is read best."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.collect.logs.prefix import compile_prefix
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogFormat, LogSource

__all__ = ["log_source", "remote_source"]

_RELOAD = "SELECT pg_reload_conf();"
_DEBIAN_NAME = re.compile(r"\d{2}/[A-Za-z0-9_.-]{1,64}")


def log_source(
    settings: Mapping[str, str],
    data_directory: str | None,
    current_logfiles: Mapping[str, str | None],
    *,
    debian_log_dir: Path = Path("/var/log/postgresql"),
) -> LogSource:
    """The log to read plans from: jsonlog before csvlog before stderr.

    `settings` are names and values of pg_settings, `data_directory` the setting of that name
    (None when our role may not see it), `current_logfiles` what pg_current_logfile(format)
    returns by format. Without logging_collector only Debian's own log file can be found.

    Raises `LogUnreadable`, with the command that mends it, when the log goes to no file, is not
    on this machine or is closed to us.
    """
    if settings.get("logging_collector", "on") == "off":
        return _uncollected(settings, debian_log_dir)
    formats = _formats(settings)
    directory = _directory(settings, data_directory, current_logfiles)
    _check(directory, [name for format_ in formats if (name := current_logfiles.get(format_))])
    return _source(settings, str(directory), formats[0], settings.get("log_filename"))


def remote_source(settings: Mapping[str, str], data_directory: str | None) -> LogSource:
    """The same log, to be read by the server itself.

    Raises `LogUnreadable` when it goes to no file of the server's own.
    """
    if settings.get("logging_collector", "on") == "off":
        raise _no_collector(settings)
    format_ = _formats(settings)[0]
    directory = settings.get("log_directory", "log")
    # the same path as on the server's machine: the position holds for both ways
    path = str(Path(data_directory or "") / directory)
    source = _source(settings, path, format_, settings.get("log_filename"))
    return replace(source, over_sql=directory)


def _formats(settings: Mapping[str, str]) -> list[LogFormat]:
    """What is written to files, best first."""
    destination = settings.get("log_destination", "stderr")
    wanted = {part.strip().lower() for part in destination.split(",")}
    formats = [format_ for format_ in LogFormat if format_ in wanted]
    if not formats:
        raise LogUnreadable(
            f"the server logs to no file: log_destination is {destination!r}",
            hint=f"Run on the server: ALTER SYSTEM SET log_destination = '{_best(settings)}'; "
            f"{_RELOAD}",
        )
    return formats


def _best(settings: Mapping[str, str]) -> str:
    """The best format that the server has; jsonlog came with PostgreSQL 15."""
    is_old = int(settings.get("server_version_num", "150000")) < 150000
    return LogFormat.CSVLOG if is_old else LogFormat.JSONLOG


def _source(
    settings: Mapping[str, str], path: str, format_: LogFormat, filename: str | None
) -> LogSource:
    return LogSource(
        path=path,
        format=format_,
        filename=filename,
        line_prefix=settings.get("log_line_prefix", "%m [%p] "),
        timezone=settings.get("log_timezone", "UTC"),
        notes=tuple(_notes(settings, format_)),
    )


def _notes(settings: Mapping[str, str], format_: LogFormat) -> list[str]:
    """What the log will not tell, each a sentence."""
    notes = []
    plan_format = settings.get("auto_explain.log_format", "json")
    if plan_format in ("xml", "yaml"):
        notes.append(f"auto_explain.log_format is {plan_format}, so plans are counted, not read.")
    if format_ is LogFormat.STDERR:
        escapes = compile_prefix(settings.get("log_line_prefix", "%m [%p] ")).escapes
        if not escapes & {"m", "t", "n"}:
            notes.append("log_line_prefix has no time (%m), so entries are counted, not read.")
        if "d" not in escapes:
            notes.append("log_line_prefix has no database (%d), so entries are counted, not read.")
        if "Q" not in escapes:
            notes.append(
                "log_line_prefix has no queryid (%Q), so plans without a Query Identifier of "
                "their own are joined to statements by their text."
            )
    return notes


def _uncollected(settings: Mapping[str, str], debian_log_dir: Path) -> LogSource:
    """Debian's pg_ctlcluster sends stderr to a file named after the cluster."""
    name = settings.get("cluster_name", "")
    if _DEBIAN_NAME.fullmatch(name):
        path = debian_log_dir / f"postgresql-{name.replace('/', '-')}.log"
        try:
            # opened, since only that tells whether it may be read
            with path.open("rb"):
                return _source(settings, str(path), LogFormat.STDERR, None)
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise unreadable(path, exc) from exc
    raise _no_collector(settings)


def _no_collector(settings: Mapping[str, str]) -> LogUnreadable:
    return LogUnreadable(
        "the server does not write its log to files itself: logging_collector is off",
        hint="Run on the server: ALTER SYSTEM SET logging_collector = on; "
        f"ALTER SYSTEM SET log_destination = '{_best(settings)}'; and restart it. "
        "Else send the log: `pgadvisor ingest-log FILE` or POST /api/v1/ingest/logs.",
    )


def _directory(
    settings: Mapping[str, str],
    data_directory: str | None,
    current_logfiles: Mapping[str, str | None],
) -> Path:
    log_directory = Path(settings.get("log_directory", "log"))
    if log_directory.is_absolute():
        return log_directory
    if data_directory is None:
        raise LogUnreadable(
            f"log_directory {str(log_directory)!r} is below the data directory, "
            "which our role may not see",
            hint="Run on the server: GRANT pg_monitor TO <our role>;",
        )
    return Path(data_directory) / log_directory


def _check(directory: Path, current: list[str]) -> None:
    """The directory is the server's own one and open to us."""
    try:
        names = set(os.listdir(directory))
    except OSError as exc:
        raise unreadable(directory, exc) from exc
    for name in (Path(path).name for path in current):
        path = directory / name
        if name not in names:
            missing = FileNotFoundError(2, "no such file", str(path))
            raise unreadable(path, missing) from missing
        try:
            with path.open("rb"):
                pass
        except OSError as exc:
            raise unreadable(path, exc) from exc
