"""pgadvisor ingest-log: read a server log without a server."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.config import Settings, duration, load_settings
from pgadvisor.errors import ConfigInvalid, LogUnreadable
from pgadvisor.pipeline.log_ingest import (
    IngestedLog,
    LogNotes,
    brought_logs,
    ingest_log,
    sampling_of,
    what_it_shows,
)
from pgadvisor.records.log import LogFormat
from pgadvisor.store import Store, open_store
from pgadvisor.store.executions import LoggedLoad, logged_load

__all__ = ["ingest_log_files"]

_LONGEST_QUERY = 100
_STDIN = "-"


def milliseconds(text: str | None) -> float | None:
    """A duration as PostgreSQL's settings take it: a bare number is in ms, -1 is off.

    >>> milliseconds("100"), milliseconds("250ms"), milliseconds("1s"), milliseconds("-1")
    (100.0, 250.0, 1000.0, inf)
    """
    if text is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        return float(text)
    if text.strip() == "-1":
        return float("inf")
    try:
        return duration(text).total_seconds() * 1000
    except ValueError as exc:
        raise ConfigInvalid(
            str(exc), hint="Write it as SHOW log_min_duration_statement does: 100ms, 1s, 0."
        ) from exc


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Server logs in jsonlog, csvlog or stderr format, also gzipped; a directory of "
        "them; - for standard input.",
        show_default=False,
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="NAME",
        help="The database of entries that name none: log_line_prefix without %d.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME",
        help="What to call the server in the history; the name of the file or directory without "
        "it.",
    ),
]
Format = Annotated[
    LogFormat | None,
    typer.Option("--format", help="The format; told from the content without it."),
]
LinePrefix = Annotated[
    str | None,
    typer.Option(
        "--line-prefix",
        metavar="TEXT",
        help="The server's log_line_prefix, for stderr; the usual ones are tried without it.",
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="NAME",
        help="The server's log_timezone, such as Europe/Berlin; UTC without it.",
    ),
]
Threshold = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        metavar="100ms",
        help="The server's log_min_duration_statement; with --sample-rate its "
        "log_min_duration_sample. 0 says that the log shows everything.",
    ),
]
SampleRate = Annotated[
    float | None,
    typer.Option("--sample-rate", metavar="0.1", help="The server's log_statement_sample_rate."),
]
PlanThreshold = Annotated[
    str | None,
    typer.Option(
        "--plan-threshold", metavar="1s", help="The server's auto_explain.log_min_duration."
    ),
]
Top = Annotated[int, typer.Option("--top", min=1, help="How many queries to print.")]


def ingest_log_files(
    files: Files,
    database: Database = None,
    target: Target = None,
    format_: Format = None,
    line_prefix: LinePrefix = None,
    timezone: Timezone = None,
    threshold: Threshold = None,
    sample_rate: SampleRate = None,
    plan_threshold: PlanThreshold = None,
    top: Top = 20,
    as_json: Json = False,
) -> None:
    """Read server logs into the store, without any server; print what took the time.

    What was read once is not counted again, also when the file has grown, was renamed or gzipped.
    """
    if sample_rate is not None and not 0 < sample_rate <= 1:
        raise ConfigInvalid(
            f"--sample-rate cannot be {sample_rate:g}", hint="It is above 0 and at most 1."
        )
    is_said = threshold is not None or plan_threshold is not None
    sampling = sampling_of(milliseconds(threshold), sample_rate, milliseconds(plan_threshold))
    notes = LogNotes(
        format=format_,
        line_prefix=line_prefix,
        timezone=timezone,
        database=database,
        sampling=sampling if is_said else None,
    )
    settings = load_settings()
    paths, remarks = _paths(files, notes)
    with open_store(settings, now=now()) as store:
        name = target or _name_of(files)
        done = [
            (path, _ingest(store, settings, path, notes, name, quiet=as_json)) for path in paths
        ]
        with store.transaction() as conn:
            loads = logged_load(conn, done[0][1].target_id, most=top)
    if as_json:
        print_json(_document(done, loads, remarks))
    else:
        _report(done, loads, remarks)


def _paths(files: list[str], notes: LogNotes) -> tuple[list[str], list[str]]:
    paths: list[str] = []
    remarks: list[str] = []
    for file in files:
        if file == _STDIN:
            paths.append(file)
            continue
        found = brought_logs(Path(file), format=notes.format, line_prefix=notes.line_prefix)
        paths += map(str, found.paths)
        remarks += found.notes
    return paths, remarks


def _name_of(files: list[str]) -> str:
    if files[0] == _STDIN:
        return "log"
    path = Path(files[0]).resolve()
    return path.name.removesuffix(".gz") if len(files) == 1 else path.parent.name or "log"


def _ingest(
    store: Store, settings: Settings, path: str, notes: LogNotes, target: str, *, quiet: bool
) -> IngestedLog:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with (
        _opened(path) as (file, size),
        Progress(*columns, console=errors, transient=True, disable=quiet) as bar,
    ):
        task = bar.add_task(Path(path).name, total=size)
        return ingest_log(
            store,
            file,
            notes,
            settings,
            target=target,
            name=Path(path).name.removesuffix(".gz"),
            now=now(),
            progress=lambda bytes_read: bar.update(task, completed=bytes_read),
        )


@contextmanager
def _opened(path: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The bytes, and how many there are where that is known."""
    if path == _STDIN:
        yield sys.stdin.buffer, None
        return
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below; only opening may fail for rights)
    except OSError as exc:
        raise LogUnreadable(
            f"{path} cannot be read: {exc.strerror or exc}",
            hint="Check the path, and that the user who runs pgadvisor may read it.",
        ) from exc
    with file:
        yield file, None if path.endswith(".gz") else Path(path).stat().st_size


def _document(
    done: list[tuple[str, IngestedLog]], loads: list[LoggedLoad], remarks: list[str]
) -> dict[str, Any]:
    first = done[0][1]
    return {
        "target": first.target,
        "files": [
            {
                "file": path,
                "format": one.format,
                "line_prefix": one.line_prefix,
                "plans": one.reading.plans,
                "statements": one.reading.statements,
                "lines": one.reading.lines,
                "bytes_read": one.reading.bytes_read,
                "known_bytes": one.known_bytes,
                "skipped": dict(one.reading.skipped),
            }
            for path, one in done
        ],
        "remarks": remarks,
        "is_whole": first.is_whole,
        "shows": what_it_shows(first.sampling),
        "queries": [asdict(load) for load in loads],
    }


def _report(
    done: list[tuple[str, IngestedLog]], loads: list[LoggedLoad], remarks: list[str]
) -> None:
    for path, one in done:
        reading = one.reading
        prefix = "" if one.line_prefix is None else f", log_line_prefix '{one.line_prefix}'"
        known = f"; {one.known_bytes:,} bytes were known already" if one.known_bytes else ""
        console.print(
            f"{path}: {one.format}{prefix}: {reading.statements:,} statements and "
            f"{reading.plans:,} plans in {reading.lines:,} lines{known}",
            markup=False,
        )
        for reason, count in reading.skipped.items():
            console.print(f"  left out: {count:,} {reason}", markup=False)
    for remark in remarks:
        console.print(remark, markup=False)
    if loads:
        console.print(_table(loads))
    else:
        console.print(
            "no durations in it: set log_min_duration_statement or auto_explain.log_min_duration "
            "on the server"
        )
    console.print(what_it_shows(done[0][1].sampling), markup=False)


def _table(loads: list[LoggedLoad]) -> Table:
    table = Table(title="Logged executions, by total duration", title_justify="left")
    for header in ("total ms", "count", "mean ms", "max ms"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("database", no_wrap=True)
    table.add_column("query", overflow="fold")
    for load in loads:
        query = " ".join(load.query.split())
        cut = query if len(query) <= _LONGEST_QUERY else f"{query[:_LONGEST_QUERY]}…"
        table.add_row(
            f"{load.total_duration_ms:,.1f}",
            f"{load.executions:,}",
            f"{load.mean_duration_ms:,.3f}",
            f"{load.max_duration_ms:,.1f}",
            load.datname.replace("[", r"\["),
            cut.replace("[", r"\["),
        )
    return table
