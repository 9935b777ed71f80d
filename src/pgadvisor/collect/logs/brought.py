"""The logs among the files of a directory that somebody points at."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgadvisor.collect.logs.access import unreadable
from pgadvisor.collect.logs.guess import guess_format, guess_prefix
from pgadvisor.collect.logs.stream import LogStream
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogFormat

__all__ = ["BroughtLogs", "brought_logs"]


@dataclass(frozen=True, slots=True)
class BroughtLogs:
    """Files to read, oldest first, and what was left out, each a sentence."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def brought_logs(path: Path, *, format: LogFormat | None, line_prefix: str | None) -> BroughtLogs:
    """The file, or the logs in a directory: those of one format, for a server that writes several
    writes the same to each.

    The format given, else the best that is there. Raises `LogUnreadable` where there is none.
    """
    if not path.is_dir():
        return BroughtLogs((path,))
    found: dict[LogFormat, list[Path]] = defaultdict(list)
    others: list[str] = []
    for file in _files(path):
        told = _format(file, line_prefix)
        if told is None:
            others.append(file.name)
        else:
            found[told].append(file)
    taken = format or next((one for one in LogFormat if one in found), None)
    if taken is None or taken not in found:
        raise LogUnreadable(
            f"there is no PostgreSQL log {'' if format is None else f'in {format} '}in {path}",
            hint="Name the files, and give --line-prefix if they are in stderr's format.",
        )
    notes = [
        f"{len(paths)} files in {one} were left out: the server writes the same to {taken}."
        for one, paths in found.items()
        if one is not taken
    ]
    if others:
        notes.append(f"{len(others)} files are no log that could be read: {', '.join(others[:5])}.")
    return BroughtLogs(tuple(found[taken]), tuple(notes))


def _files(path: Path) -> Iterator[Path]:
    try:
        files = [file for file in path.iterdir() if file.is_file() and file.name[0] != "."]
        return iter(sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name)))
    except OSError as exc:
        raise unreadable(path, exc) from exc


def _format(path: Path, line_prefix: str | None) -> LogFormat | None:
    try:
        with path.open("rb") as file:
            sample = LogStream(file).sample
    except OSError as exc:
        raise unreadable(path, exc) from exc
    told = guess_format(sample)
    if told is LogFormat.STDERR and line_prefix is None:
        try:
            guess_prefix(sample)
        except LogUnreadable:
            return None
    return told if sample else None
