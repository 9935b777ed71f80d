"""pgadvisor observe: collect from a target for a while."""

import threading
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pgadvisor.cli.options import Json, OptionalDsn
from pgadvisor.cli.output import console, errors, log_to_stderr, now, print_json
from pgadvisor.config import duration, load_settings
from pgadvisor.errors import ConfigInvalid
from pgadvisor.jobs import Observer
from pgadvisor.jobs import Progress as Done
from pgadvisor.store import open_store

__all__ = ["observe"]


def span(text: str | None) -> timedelta | None:
    """A duration given on the command line. Raises `ConfigInvalid`."""
    if text is None:
        return None
    try:
        return duration(text)
    except ValueError as exc:
        raise ConfigInvalid(str(exc), hint="Write for example 30s, 5m, 12h or 7d.") from exc


def observe(
    dsn: OptionalDsn = "",
    duration_text: Annotated[
        str | None,
        typer.Option("--for", metavar="5m", help="How long; until Ctrl-C without it."),
    ] = None,
    interval_text: Annotated[
        str | None,
        typer.Option("--interval", metavar="60s", help="How often counters are read."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Collect counters, plans, catalog and activity of a target into the store."""
    length, interval = span(duration_text), span(interval_text)
    settings = load_settings(interval=interval)
    log_to_stderr(settings.log_level, as_json=as_json)
    stop = threading.Event()
    with open_store(settings, now=now()) as store:
        observer = Observer(dsn, store, settings, clock=now, stop=stop)
        observer.connect()  # a wrong DSN or missing extension is an error now, not a retry
        thread = threading.Thread(target=observer.run, name="observer", daemon=True)
        thread.start()
        try:
            _watch(observer, length)
        except KeyboardInterrupt:
            errors.print("stopping: one last reading")
        finally:
            stop.set()
            observer.ended.wait()
        observer.run_once()
        observer.close()
    _summary(observer.progress, as_json=as_json)


def _watch(observer: Observer, length: timedelta | None) -> None:
    total = length.total_seconds() if length else None
    started = time.monotonic()
    columns = (
        TextColumn("observing"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[done]}"),
    )
    with Progress(*columns, console=errors, transient=True) as bar:
        task: TaskID = bar.add_task("observe", total=total, done="")
        while total is None or time.monotonic() - started < total:
            words = _words(observer.progress)
            bar.update(task, completed=time.monotonic() - started, done=words)
            observer.ended.wait(0.2)


def _words(done: Done) -> str:
    words = f"{done.snapshots} snapshots, {done.calls:,} calls, {done.plans:,} plans"
    return f"{words}, [red]{done.last_error}[/]" if done.last_error else words


def _summary(done: Done, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
        return
    console.print(
        f"{done.snapshots} snapshots: {done.calls:,} calls, "
        f"{done.exec_time_ms / 1000:,.1f} s of execution, {done.plans:,} plans from the log"
    )
    if done.gaps:
        console.print(f"{done.gaps} gaps: calls may be missing there (reset, eviction or restart)")
    if done.log_problem:
        console.print(f"no plans from logs: {done.log_problem}", markup=False)
    for reason, count in done.log_skipped.items():
        console.print(f"log entries left out: {count:,} {reason}", markup=False)
    console.print("next: pgadvisor advise")
