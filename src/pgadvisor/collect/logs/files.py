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

__all__ = ["LogFile", "listed_file", "log_filename", "log_files", "newer_file", "same_file"]

_SUFFIX = {LogFormat.JSONLOG: ".json", LogFormat.CSVLOG: ".csv", LogFormat.STDERR: ""}
_GZIP = ".gz"
_NOT_STDERR = (".json", ".csv", _GZIP, ".xz", ".zst", ".bz2")
#: places of dates are below, of numbers above: a log has the ones or the others
_FIRST_NUMBER = -100_000
#: what logrotate puts behind a name: .1, .2.gz, -20261122, -20261122-1795332632.gz
_ROTATED = re.compile(r"\.(\d{1,5})|-(\d{8}(?:-?\d{2,10})?)")
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
    #: place among the files that were renamed one after the other, rising with time
    rotation: int | None = None

    @property
    def is_compressed(self) -> bool:
        """True for a gzip file, read as what was compressed."""
        return self.path.name.endswith(_GZIP)


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
        status = path.stat()
    except OSError:
        return []
    return [
        LogFile(
            path=path,
            device=status.st_dev,
            inode=status.st_ino,
            size=status.st_size,
            modified_at_ns=status.st_mtime_ns,
            is_current_name=True,
        )
    ]


def _listed(source: LogSource, path: Path, directory: Path) -> Iterator[LogFile]:
    is_template = path == directory
    template = log_filename(source) if is_template else path.name
    with os.scandir(directory) as entries:
        for entry in entries:
            is_current = not is_template and entry.name == path.name
            try:
                if not entry.is_file(follow_symlinks=is_current):
                    continue
                status = entry.stat()
            except FileNotFoundError:
                continue
            yield listed_file(
                source,
                Path(entry.path),
                template,
                device=status.st_dev,
                inode=status.st_ino,
                size=status.st_size,
                modified_at_ns=status.st_mtime_ns,
            )


def listed_file(
    source: LogSource,
    path: Path,
    template: str | None,
    *,
    size: int,
    modified_at_ns: int,
    device: int = 0,
    inode: int = 0,
) -> LogFile:
    """What a name in the directory tells; `template` is log_filename or the one file's name."""
    name = path.name
    fixed = template if template is not None and "%" not in template else None
    return LogFile(
        path=path,
        device=device,
        inode=inode,
        size=size,
        modified_at_ns=modified_at_ns,
        is_current_name=_fits(name, template, source.format),
        named_at=_named_at(name.removesuffix(_GZIP), template),
        rotation=None if fixed is None else _rotation(name, fixed),
    )


def log_filename(source: LogSource) -> str | None:
    """log_filename for the format, as logfile_getname in syslogger.c makes it."""
    if source.filename is None:
        return None
    suffix = _SUFFIX[source.format]
    return source.filename.removesuffix(".log") + suffix if suffix else source.filename


def _fits(name: str, template: str | None, format_: LogFormat) -> bool:
    if template is not None and "%" not in template:
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


def _rotation(name: str, current: str) -> int | None:
    """Where a renamed file stands: .2 before .1, dates in their order, the current name last.

    >>> [_rotation(name, "s.log") for name in ("s.log.2.gz", "s.log.1", "s.log", "s.log.old")]
    [-2, -1, 0, None]
    """
    if name == current:
        return 0
    if not name.startswith(current):
        return None
    found = _ROTATED.fullmatch(name.removesuffix(_GZIP), len(current))
    if found is None:
        return None
    return -int(found[1]) if found[1] else int(found[2].replace("-", "")) - 10**19


def same_file(files: Sequence[LogFile], position: LogPosition) -> LogFile | None:
    """The file a position is in, also under another name; by its name where there are no inodes."""
    key = (position.device, position.inode)
    for file in files:
        has_inodes = bool(file.inode and position.inode)
        if (file.device, file.inode) == key if has_inodes else _is_named(file, position):
            return file
    return None


def _is_named(file: LogFile, position: LogPosition) -> bool:
    return file.path.name == Path(position.path).name


def newer_file(files: Sequence[LogFile], current: LogFile) -> LogFile | None:
    """The file that the server went on with after `current`: written to when that no longer was."""
    if current.rotation:  # renamed meanwhile, and others perhaps after it
        last = _FIRST_NUMBER if current.rotation < _FIRST_NUMBER else 0
        later = [file for file in files if current.rotation < (file.rotation or 0) < last]
        if later:
            return min(later, key=_rotation_of)
    plain = {file.path.name for file in files}
    key = (current.modified_at_ns, current.path.name)
    for file in files:
        if (file.modified_at_ns, file.path.name) <= key or not _is_next(file, current, plain):
            continue
        return file
    return None


def _rotation_of(file: LogFile) -> tuple[int, bool]:
    return file.rotation or 0, file.is_compressed


def _is_next(file: LogFile, current: LogFile, names: set[str]) -> bool:
    if file.named_at and current.named_at:
        if file.named_at < current.named_at - _SLACK:
            return False
        is_later = file.named_at > current.named_at
        is_compressed_alone = file.path.name.removesuffix(_GZIP) not in names
        return file.is_current_name or (is_later and is_compressed_alone)
    return file.is_current_name
