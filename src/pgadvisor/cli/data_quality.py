"""pgadvisor data-quality: what is missing in the history, and what mends it."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, now, print_json, printable
from pgadvisor.config import load_settings
from pgadvisor.store import open_store
from pgadvisor.store.quality import LOOKED_AT, DataQuality, QualityItem
from pgadvisor.store.quality import data_quality as read

__all__ = ["data_quality"]

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def data_quality(
    window: Annotated[str, typer.Option(metavar="24h", help="How far back it is looked.")] = "24h",
    target: Annotated[str | None, typer.Option(metavar="NAME", help="Only this target.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this database and its target.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is missing in the history, worst first, with what mends it.

    Gaps, resets, evictions, hidden and unreadable texts, plans without a query, targets and logs
    that cannot be read, missing rights and settings. Exit code 1 where something is an error.
    """
    settings = load_settings()
    length = span(window) or timedelta(hours=24)
    at = now()
    with open_store(settings, now=at) as store, store.transaction() as conn:
        found = read(
            conn,
            since=at - length,
            until=at,
            now=at,
            interval=settings.interval,
            target=target,
            database=database,
        )
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)
    if any(item.severity == "error" for item in found.items):
        raise typer.Exit(1)


def _as_json(found: DataQuality) -> dict[str, Any]:
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "attention": found.attention,
        "items": [{**asdict(item), "why": item.why} for item in found.items],
        "looked_at": [{"name": name, "at": look.at} for name, look in LOOKED_AT.items()],
    }


def _print(found: DataQuality) -> None:
    if not found.items:
        console.print(f"nothing found from {found.since:%Y-%m-%d %H:%M} UTC on; looked at:")
        for look in LOOKED_AT.values():
            console.print(Text(f"  {look.at}", style="dim"))
        return
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    for item in found.items:
        place = item.target + (f" / {item.database_name}" if item.database_name else "")
        table.add_row(
            Text(str(item.severity), style=_COLOURS[item.severity]),
            Text(item.name, style="bold"),
            Text(printable(f"{place}: {item.message}")),
        )
        if numbers := _numbers(item):
            table.add_row("", "", Text(numbers, style="dim"))
        if item.remedy:
            table.add_row("", "", Text(printable(item.remedy), style="cyan"))
    console.print(table)


def _numbers(item: QualityItem) -> str:
    parts = []
    if item.count > 1:
        parts.append(f"{item.count:,} times" if item.per_day is not None else f"{item.count:,}")
    if item.per_day is not None:
        parts.append(f"{item.per_day:,.1f} a day")
    if item.since is not None:
        parts.append(f"since {item.since:%Y-%m-%d %H:%M} UTC")
    if item.share_ratio is not None:
        parts.append(f"{100 * item.share_ratio:.1f} % of {item.share_of}")
    return ", ".join(parts)
