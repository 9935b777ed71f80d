"""The files of a log: which are the server's, in which order they were written."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.records.log import LogFormat, LogPosition, LogSource

__all__ = ["LogFile", "log_files", "newer_file", "same_file"]

_SUFFIX = {LogFormat.JSONLOG: ".json", LogFormat.CSVLOG: ".csv", LogFormat.STDERR: ""}
_NOT_STDERR = (".json", ".csv", ".gz", ".xz", ".zst", ".bz2")
#: clocks go back an hour or are set right; older names are old files that somebody touched
_SLACK = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file of the log directory, as it was when the directory was listed."""

    path: Path
    device: int
    inode: int
    size: int
    modified_at_ns: int
    #: the server writes files of this name now; others were renamed or are not the log
    is_current_name: bool
    #: the time in the name, where log_filename has a whole date
    named_at: datetime | None = None


def log_files(source: LogSource) -> list[LogFile]:
    """All regular files beside the log, oldest first by mtime, then by name.

    Raises `LogUnreadable` with the remedy when the directory is missing or closed to us.
    """
    path = Path(source.path)
    try:
        directory = path if os.path.isdir(path) else path.parent
        found = list(_listed(source, path, directory))
    except PermissionError as exc:
        # the directory of a single file need not be open to us, the file must
        found = [] if os.path.isdir(path) else _alone(path)
        if not found:
            raise unreadable(path, exc) from exc
    except OSError as exc:
        raise unreadable(path, exc) from exc
    return sorted(found, key=lambda file: (file.modified_at_ns, file.path.name))


def _alone(path: Path) -> list[LogFile]:
    try:
        return [_file(path, path.stat(), is_current_name=True)]
    except OSError:
        return []


def _listed(source: LogSource, path: Path, directory: Path) -> Iterator[LogFile]:
    template = path.name if path != directory else _template(source)
    is_template = path == directory
    with os.scandir(directory) as entries:
        for entry in entries:
            is_current = _fits(entry.name, template, source.format, is_template=is_template)
            try:
                if not entry.is_file(follow_symlinks=is_current and not is_template):
                    continue
                status = entry.stat()
            except FileNotFoundError:
                continue
            named_at = _named_at(entry.name, template) if is_current and is_template else None
            yield _file(Path(entry.path), status, is_current_name=is_current, named_at=named_at)


def _file(
    path: Path, status: os.stat_result, *, is_current_name: bool, named_at: datetime | None = None
) -> LogFile:
    return LogFile(
        path=path,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified_at_ns=status.st_mtime_ns,
        is_current_name=is_current_name,
        named_at=named_at,
    )


def _template(source: LogSource) -> str | None:
    """log_filename for the format, as logfile_getname in syslogger.c makes it."""
    if source.filename is None:
        return None
    suffix = _SUFFIX[source.format]
    return source.filename.removesuffix(".log") + suffix if suffix else source.filename


def _fits(name: str, template: str | None, format_: LogFormat, *, is_template: bool) -> bool:
    if not is_template:
        return name == template
    if format_ is LogFormat.STDERR and name.endswith(_NOT_STDERR):
        return False
    if template is None:
        return name.endswith(_SUFFIX[format_])
    literal = re.sub(r"([*?[])", r"[\1]", template)
    return fnmatchcase(name, re.sub(r"%.", "*", literal))


def _named_at(name: str, template: str | None) -> datetime | None:
    if template is None or not all(escape in template for escape in ("%Y", "%m", "%d")):
        return None
    try:
        return datetime.strptime(name, template)
    except ValueError:
        return None


def same_file(files: Sequence[LogFile], position: LogPosition) -> LogFile | None:
    """The file a position is in, also under another name."""
    key = (position.device, position.inode)
    return next((file for file in files if (file.device, file.inode) == key), None)


def newer_file(files: Sequence[LogFile], current: LogFile) -> LogFile | None:
    """The file that the server went on with after `current`: written to when that no longer was."""
    key = (current.modified_at_ns, current.path.name)
    for file in files:
        if not file.is_current_name or (file.modified_at_ns, file.path.name) <= key:
            continue
        if file.named_at and current.named_at and file.named_at < current.named_at - _SLACK:
            continue
        return file
    return None
