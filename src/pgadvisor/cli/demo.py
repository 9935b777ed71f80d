"""pgadvisor demo: the main job on a private server with a real workload."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import psycopg
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pgadvisor import pipeline
from pgadvisor.cli.advise import advice_as_json, print_advice
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, errors, log_to_stderr, now, print_json
from pgadvisor.cli.serve import build_app, listen
from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.config import Settings, load_settings
from pgadvisor.demo import (
    Comparison,
    DemoTarget,
    compare,
    demo_cluster,
    measure,
    run_workload,
    statement_names,
)
from pgadvisor.jobs import Observer
from pgadvisor.pipeline import Advice
from pgadvisor.store import Store, open_store

__all__ = ["demo"]


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the advice instead of serving the pages.")
    ] = False,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help="Carry out the best advice on the demo's own server, measure."
        ),
    ] = False,
    duration_text: Annotated[
        str, typer.Option("--for", metavar="60s", help="How long the workload runs.")
    ] = "60s",
    scale: Annotated[float, typer.Option(min=0.001, help="Size of the shop; 1 is 480 MB.")] = 1.0,
    port: Annotated[int | None, typer.Option(help="Port of the pages.")] = None,
    as_json: Json = False,
) -> None:
    """Start a private server with a shop and its workload, watch it, advise. Nothing is left.

    Everything shown was measured in this run.
    """
    length = span(duration_text)
    assert length is not None
    # a private store in a temporary folder: the demo never touches the user's history
    with Cluster.temporary(embedded_binaries()) as store_cluster:
        settings = load_settings(
            database_url=store_cluster.dsn(), interval="5s", activity_interval="2s", port=port
        )
        log_to_stderr("WARNING", as_json=as_json)
        with (
            open_store(settings, now=now(), upgrade=True) as store,
            _bar() as bar,
            demo_cluster(scale=scale, progress=_Shown(bar)) as target,
        ):
            _work(target, store, settings, length.total_seconds(), bar)
            advice = _advise(target, store, settings, bar)
            comparisons = _apply(target, advice, bar) if apply else ()
            bar.stop()
            _print(advice, comparisons, as_json=as_json)
            if not once:
                _serve(target, store, settings)


class _Shown:
    """Shows the steps of the demo as one bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0)

    def __call__(self, step: str, done: float, /) -> None:
        self._bar.update(self._task, description=step, completed=done)


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        yield bar


def _work(
    target: DemoTarget, store: Store, settings: Settings, seconds: float, bar: Progress
) -> None:
    """Run the workload while collecting from it as any target."""
    stop = threading.Event()
    observer = Observer(target.dsn, store, settings, clock=now, stop=stop)
    observer.connect()
    thread = threading.Thread(target=observer.run, name="observer", daemon=True)
    thread.start()
    try:
        shown = _Shown(bar)
        run_workload(
            target.dsn,
            target.shop.size,
            seconds=seconds,
            progress=lambda step, done: shown("run the workload and watch it", done),
        )
    finally:
        stop.set()
        observer.ended.wait()
    observer.run_once()
    observer.close()


def _advise(target: DemoTarget, store: Store, settings: Settings, bar: Progress) -> Advice:
    shown = _Shown(bar)
    with pipeline.connect_target(target.dsn, settings) as connection:
        target_id = pipeline.register_target(store, connection, target.dsn, now=now())
        return pipeline.advise(
            connection,
            store,
            target_id,
            now=now(),
            progress=lambda done: shown("analyze", done),
        )


def _apply(target: DemoTarget, advice: Advice, bar: Progress) -> tuple[Comparison, ...]:
    """Carry out the best advice; time the statements it concerns before and after."""
    if not advice.recommendations:
        return ()
    best = advice.recommendations[0].finding
    known = statement_names(target.dsn, target.shop.size)
    names = sorted({known[e.queryid] for e in best.effects if e.queryid in known})
    shown = _Shown(bar)
    before = measure(target.dsn, target.shop.size, names, progress=shown)
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        shown(f"apply {best.title}", 0.0)
        for statement in best.statement.splitlines():
            conn.execute(statement.encode())
    return compare(before, measure(target.dsn, target.shop.size, names, progress=shown))


def _print(advice: Advice, comparisons: tuple[Comparison, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({**advice_as_json(advice, 10), "applied": _measured(advice, comparisons)})
        return
    print_advice(advice, 10)
    if comparisons:
        table = Table(title=f"applied: {advice.recommendations[0].finding.statement}")
        for heading in ("statement", "before, ms", "after, ms", "change"):
            table.add_column(heading, justify="left" if heading == "statement" else "right")
        for one in comparisons:
            table.add_row(
                one.name,
                f"{one.before.median_ms:.2f}",
                f"{one.after.median_ms:.2f}",
                f"{-100 * one.improvement_ratio:+.0f} %",
            )
        console.print(table)
        console.print("medians of 7 warm runs each, in turn, measured just now", style="dim")


def _measured(advice: Advice, comparisons: tuple[Comparison, ...]) -> dict[str, Any] | None:
    if not comparisons:
        return None
    return {
        "statement": advice.recommendations[0].finding.statement,
        "measured": [
            {
                "name": one.name,
                "before_ms": one.before.median_ms,
                "after_ms": one.after.median_ms,
                "improvement_ratio": one.improvement_ratio,
            }
            for one in comparisons
        ],
    }


def _serve(target: DemoTarget, store: Store, settings: Settings) -> None:
    """The pages, while a light workload goes on, until Ctrl-C."""
    stop = threading.Event()
    observer = Observer(target.dsn, store, settings, clock=now, stop=stop)
    threads = [
        threading.Thread(target=observer.run, name="observer", daemon=True),
        threading.Thread(
            target=run_workload,
            args=(target.dsn, target.shop.size),
            kwargs={"seconds": 86_400.0, "clients": ("shop_web",), "stop": stop, "seed": 2},
            name="workload",
            daemon=True,
        ),
    ]
    for thread in threads:
        thread.start()
    try:
        console.print(f"pages: http://{settings.host}:{settings.port}   Ctrl-C ends")
        listen(build_app(store, settings), settings).run()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
