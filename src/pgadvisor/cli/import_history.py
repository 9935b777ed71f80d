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
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgadvisor import pipeline
from pgadvisor.cli.import_options import (
    Columns,
    Complete,
    Cumulative,
    Database,
    Deltas,
    DryRun,
    Encoding,
    Events,
    From,
    Interval,
    Mapping,
    MetricName,
    MissingRows,
    Server,
    ShiftToNow,
    Source,
    TargetName,
    TimeFormat,
    TimeIs,
    Timezone,
    Wide,
)
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.collect.imports import Counting, ImportOptions
from pgadvisor.collect.imports.times import zone
from pgadvisor.config import load_settings
from pgadvisor.errors import ConfigInvalid
from pgadvisor.pipeline.imports import ImportReport, Origin
from pgadvisor.store import open_store

__all__ = ["import_history"]


def import_history(
    source: Source,
    origin: From = Origin.FILE,
    target: TargetName = None,
    database: Database = None,
    mapping: Mapping = None,
    columns: Columns = None,
    timezone: Timezone = "UTC",
    time_format: TimeFormat = None,
    time_is: TimeIs = None,
    interval: Interval = None,
    deltas: Deltas = False,
    cumulative: Cumulative = False,
    events: Events = False,
    complete: Complete = None,
    missing: MissingRows = None,
    metric: MetricName = None,
    wide: Wide = False,
    encoding: Encoding = None,
    server: Server = None,
    shift_to_now: ShiftToNow = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Bring along history that was collected otherwise, as CSV, Parquet or from PoWA or pgwatch.

    Says how it understood the source and what it left out. Nothing is counted twice: time that
    the history has already is left out, so an import that was cut off can be run again.
    """
    options = ImportOptions(
        mapping=_mapping(mapping or []),
        columns=[name.strip() for name in columns.split(",")] if columns else None,
        encoding=encoding,
        database=database,
        local=zone(timezone),
        time_format=time_format,
        interval=span(interval),
        side=time_is,
        counting=_counting(deltas=deltas, cumulative=cumulative, events=events),
        complete=complete,
        missing=missing,
        metric=metric,
        wide=wide,
    )
    # rows come by the hundred thousand and hold no cycles: looking for some takes a third of it
    gc.set_threshold(200_000)
    started = time.monotonic()
    with _path(source, origin) as place:
        reports = _reports(
            place, origin, options, target, server, shift_to_now=shift_to_now, dry_run=dry_run
        )
    seconds = time.monotonic() - started
    if as_json:
        print_json([_as_json(report, seconds, dry_run=dry_run) for report in reports])
        return
    for report in reports:
        _print(report, seconds, dry_run=dry_run)


def _reports(
    place: str,
    origin: Origin,
    options: ImportOptions,
    target: str | None,
    server: str | None,
    *,
    shift_to_now: bool,
    dry_run: bool,
) -> list[ImportReport]:
    settings = load_settings()
    with open_store(settings, now=now()) as store, _bar() as bar:
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
            return [
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
