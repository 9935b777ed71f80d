"""pgadvisor import-history: history from files, PoWA or pgwatch."""

import gc
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgadvisor import pipeline
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.collect.imports import Counting, ImportOptions, Missing, Side
from pgadvisor.collect.imports.times import zone
from pgadvisor.config import load_settings
from pgadvisor.errors import ConfigInvalid
from pgadvisor.pipeline.imports import ImportReport, Origin
from pgadvisor.store import open_store

__all__ = ["import_history"]


class Metric(StrEnum):
    """What the value of a series is."""

    CALLS = "calls"
    ROWS = "rows"
    TOTAL_EXEC_TIME = "total_exec_time"


def import_history(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DSN",
            help="A CSV (also .gz, .bz2, .xz) or Parquet file, - for standard input; with --from "
            "the connection string of the PoWA or pgwatch database.",
            show_default=False,
        ),
    ],
    origin: Annotated[Origin, typer.Option("--from", help="What the source is.")] = Origin.FILE,
    target: Annotated[
        str | None,
        typer.Option(
            help="Name of the target that gets the history: a watched server, or a new name "
            "[default: import; with --from its servers' names]",
            show_default=False,
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="Database of rows that name none [default: the file's name]", show_default=False
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="OURS=THEIRS",
            help="Which column of the file is one of ours, such as calls=n; may be repeated.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Columns of a CSV without a header."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Zone of times that name none.")
    ] = "UTC",
    time_format: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="How times are written, such as '%d/%m/%Y %H:%M'."),
    ] = None,
    time_is: Annotated[
        Side | None,
        typer.Option(help="Which end of a row's span its time is; seen from the data without it."),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(metavar="1h", help="How long each row counts, where times do not show it."),
    ] = None,
    deltas: Annotated[
        bool, typer.Option("--deltas", help="Rows say what happened in their span.")
    ] = False,
    cumulative: Annotated[
        bool, typer.Option("--cumulative", help="Rows have counters as pg_stat_statements has.")
    ] = False,
    events: Annotated[bool, typer.Option("--events", help="Rows are single executions.")] = False,
    complete: Annotated[
        bool | None,
        typer.Option(
            "--complete/--partial",
            help="Cumulative: whether each reading has all statements; a statement new in a "
            "partial one is not counted until its next reading.",
        ),
    ] = None,
    missing: Annotated[
        Missing | None,
        typer.Option(help="What a time without rows means; seen from the data without it."),
    ] = None,
    metric: Annotated[
        Metric | None,
        typer.Option(
            help="Series: what the value is [default: calls, with fractions a time]",
            show_default=False,
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="Every column but time and database is a series.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a CSV; seen from the data without it.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="PoWA: one server, by alias or host. pgwatch: one source, by name."),
    ] = None,
    shift_to_now: Annotated[
        bool,
        typer.Option(
            "--shift-to-now",
            help="Move all times by whole weeks, so that the last is of the last week.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be imported.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring along history that was collected otherwise, as CSV, Parquet or from PoWA or pgwatch.

    Says how it understood the source and what it left out. Nothing is counted twice: time that
    the history has already is left out, so an import that was cut off can be run again.
    """
    length = span(interval)
    options = ImportOptions(
        mapping=_mapping(mapping or []),
        columns=[name.strip() for name in columns.split(",")] if columns else None,
        encoding=encoding,
        database=database,
        local=zone(timezone),
        time_format=time_format,
        interval=length,
        side=time_is,
        counting=_counting(deltas=deltas, cumulative=cumulative, events=events),
        complete=complete,
        missing=missing,
        metric=metric,
        wide=wide,
    )
    settings = load_settings()
    # rows come by the hundred thousand and hold no cycles: looking for some takes a third of the time
    gc.set_threshold(200_000)
    started = time.monotonic()
    with open_store(settings, now=now()) as store, _bar() as bar, _path(source, origin) as place:
        task = bar.add_task("reading", total=1.0, rows="")

        def done(report: ImportReport) -> None:
            bar.update(task, description="importing", rows=f"{report.rows:,} rows")

        with pipeline.history_sources(
            place,
            origin,
            options,
            server=server,
            progress=lambda share: bar.update(task, completed=share),
        ) as sources:
            reports = [
                pipeline.import_history(
                    one,
                    store,
                    target or one.target,
                    now=now(),
                    raw_retention=settings.raw_retention,
                    hourly_retention=settings.hourly_retention,
                    shift_to_now=shift_to_now,
                    dry_run=dry_run,
                    done=done,
                )
                for one in sources
            ]
    seconds = time.monotonic() - started
    if as_json:
        print_json([_as_json(report, seconds, dry_run=dry_run) for report in reports])
        return
    for report in reports:
        _print(report, seconds, dry_run=dry_run)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rows]}"),
        console=errors,
        transient=True,
    )


@contextmanager
def _path(source: str, origin: Origin) -> Iterator[str]:
    """The path or DSN; standard input is read into a file, because a file is read twice."""
    if origin is not Origin.FILE or source != "-":
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="pgadvisor-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield str(path)


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign or not ours.strip() or not theirs.strip():
            raise ConfigInvalid(
                f"--map {pair} is not OURS=THEIRS",
                hint="Write for example --map calls=n --map captured_at=when.",
            )
        mapping[ours.strip()] = theirs.strip()
    return mapping


def _counting(*, deltas: bool, cumulative: bool, events: bool) -> Counting | None:
    said = [
        counting
        for counting, is_said in (
            (Counting.DELTAS, deltas),
            (Counting.CUMULATIVE, cumulative),
            (Counting.EVENTS, events),
        )
        if is_said
    ]
    if len(said) > 1:
        raise ConfigInvalid(
            f"rows cannot be {' and '.join(said)} at once",
            hint="Say one of --deltas, --cumulative and --events.",
        )
    return said[0] if said else None


def _as_json(report: ImportReport, seconds: float, *, dry_run: bool) -> dict[str, Any]:
    return {**asdict(report), "seconds": round(seconds, 3), "dry_run": dry_run}


def _print(report: ImportReport, seconds: float, *, dry_run: bool) -> None:
    def line(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    would = "would be " if dry_run else ""
    line(
        f"{report.rows_read:,} rows read, {report.rows:,} rows of history {would}imported into "
        f"{report.target} ({seconds:.1f} s, {report.rows_read / max(seconds, 0.001):,.0f} rows/s)"
    )
    if report.since is not None and report.until is not None:
        line(
            f"  {report.calls:,} calls, {report.total_exec_time / 1000:,.1f} s of execution, "
            f"{report.statements:,} statements, from {_at(report.since)} to {_at(report.until)}"
        )
    if report.databases:
        line(f"  databases: {', '.join(report.databases)}")
    for text in report.taken:
        line(f"  taken: {text}")
    if report.overlapping:
        line(f"  left out: {report.overlapping:,} rows of time that the history has already")
    for reason, one in sorted(report.refused.items(), key=lambda item: -item[1].count):
        line(f"  left out: {one.count:,} rows, {reason} ({'; '.join(one.examples)})")
    if report.gaps:
        line(f"  gaps: {report.gaps:,} times calls may be missing (reset, eviction, first sight)")
    for text in report.warnings:
        line(f"  note: {text}")


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
