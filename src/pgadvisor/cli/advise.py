"""pgadvisor advise: the ranked, runnable advice for one database."""

import re
from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.syntax import Syntax
from rich.text import Text

from pgadvisor import pipeline
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json, OptionalDsn
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.config import load_settings
from pgadvisor.pipeline import Advice
from pgadvisor.records.advice import Recommendation
from pgadvisor.store import Store, open_store

__all__ = ["advice_as_json", "advise", "print_advice"]


def advise(
    dsn: OptionalDsn = "",
    top: Annotated[int, typer.Option(min=1, help="How many recommendations to print.")] = 10,
    window: Annotated[
        str, typer.Option(metavar="7d", help="How far back the workload is looked at.")
    ] = "7d",
    as_json: Json = False,
) -> None:
    """Say what to change in a database, the most worthwhile first, with SQL to run and to undo.

    Without any history of the target, its counters since the last reset are the workload.
    """
    settings = load_settings()
    length = span(window)
    assert length is not None
    with open_store(settings, now=now()) as store, pipeline.connect_target(dsn, settings) as target:
        target_id = pipeline.register_target(store, target, dsn, now=now())
        if not _has_snapshot(store, target_id):
            pipeline.observe_statements(target, store, target_id, now=now())
        with _bar() as bar:
            task = bar.add_task("analyzing", total=1.0)
            advice = pipeline.advise(
                target,
                store,
                target_id,
                now=now(),
                window=length,
                progress=lambda share: bar.update(task, completed=share),
            )
    if as_json:
        print_json(advice_as_json(advice, top))
    else:
        print_advice(advice, top)


def _has_snapshot(store: Store, target_id: int) -> bool:
    with store.transaction() as conn:
        found = conn.execute(
            "select exists (select from snapshots where target_id = %s)", [target_id]
        ).fetchone()
    return found is not None and bool(found[0])


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), console=errors, transient=True)


def advice_as_json(advice: Advice, top: int) -> dict[str, Any]:
    """The document that ``--json`` prints; queryids are strings."""
    workload = advice.workload
    return {
        "target": workload.target,
        "database": workload.database,
        "since": workload.since.isoformat(),
        "until": workload.until.isoformat(),
        "observed_hours": workload.observed_hours,
        "queries": len(workload.queries),
        "total_exec_time_ms": workload.total_exec_time,
        "recommendations": [_as_json(one) for one in advice.recommendations[:top]],
        "silences": [
            {"queryid": str(one.queryid), "rule": one.rule, "reason": one.reason}
            for one in advice.skipped
        ],
    }


def _as_json(one: Recommendation) -> dict[str, Any]:
    finding = asdict(one.finding)
    finding["effects"] = [
        {**effect, "queryid": str(effect["queryid"])} for effect in finding["effects"]
    ]
    scores = {name: value for name, value in asdict(one).items() if name != "finding"}
    return {**finding, **scores}


def print_advice(advice: Advice, top: int) -> None:
    """The advice for a terminal."""
    workload = advice.workload
    console.print(
        f"[bold]{workload.database}[/] on {workload.target}: {len(workload.queries)} queries, "
        f"{workload.total_exec_time / 1000:,.1f} s of execution in "
        f"{workload.observed_hours:,.2f} hours observed"
    )
    for number, one in enumerate(advice.recommendations[:top], 1):
        console.print(_panel(number, one))
    rest = len(advice.recommendations) - top
    if rest > 0:
        console.print(f"{rest} more: --top {len(advice.recommendations)}")
    if not advice.recommendations:
        console.print("nothing to advise")
    _print_silences(advice)


def _panel(number: int, one: Recommendation) -> Panel:
    finding = one.finding
    saved = one.roi_score / 100
    arithmetic = (
        f"ROI {one.roi_score:,.1f} = confidence {one.confidence_score:.2f} "
        f"x improvement {one.estimated_improvement_percent:.1f} % "
        f"x urgency {one.urgency_score:,.2f} s/h "
        f"({one.frequency:,.0f} calls/h x {_duration(one.current_impact)})"
    )
    parts: list[Text | Syntax] = [
        Text(finding.reasoning),
        Text(
            f"{arithmetic}\nexpected to save {saved:,.1f} s of database time an hour", style="dim"
        ),
        Text(
            f"of these queries' time {one.improvement_low_percent:.0f} to "
            f"{one.improvement_high_percent:.0f} % (90 % interval, {finding.evidence_level})",
            style="dim",
        ),
        Syntax(finding.statement, "postgresql", word_wrap=True, background_color="default"),
        Text(f"undo: {finding.undo}", style="cyan"),
        Text(_risk(finding.risk.size_bytes, finding.risk.writes_per_hour, finding.risk.lock)),
        *(Text(note) for note in finding.risk.notes),
    ]
    return Panel(
        Group(*parts),
        title=f"[bold]{number}. {finding.title}[/] ({finding.rule})",
        title_align="left",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def _risk(size_bytes: int, writes_per_hour: float, lock: str) -> str:
    size = f"size about {size_bytes / 1024 / 1024:,.0f} MB, " if size_bytes else ""
    writes = f"{writes_per_hour:,.0f} rows an hour to keep up. " if size_bytes else ""
    return f"risk: {size}{writes}lock: {lock}"


def _print_silences(advice: Advice) -> None:
    advised = {e.queryid for one in advice.recommendations for e in one.finding.effects}
    kinds = Counter(
        re.sub(r"\d[\d.,]*", "..", one.reason.split(":", 1)[0])
        for one in advice.skipped
        if one.queryid not in advised
    )
    if kinds:
        console.print("queries without advice, and why (--json says it of each):")
    for reason, count in kinds.most_common(6):
        console.print(f"  {count:>4}  {reason}", style="dim", markup=False, soft_wrap=True)
