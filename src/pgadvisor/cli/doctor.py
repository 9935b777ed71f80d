"""pgadvisor doctor: is the target ready to be watched, and what mends it if not."""

from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from pgadvisor import pipeline
from pgadvisor.cli.options import Json, OptionalDsn
from pgadvisor.cli.output import console, print_json
from pgadvisor.config import load_settings
from pgadvisor.records.check import Check

__all__ = ["doctor"]

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(dsn: OptionalDsn = "", as_json: Json = False) -> None:
    """Check rights, extensions, settings and logs of a target; each with what mends it.

    Exit code 1 when a check is an error: pgadvisor cannot work there.
    """
    with pipeline.connect_target(dsn, load_settings()) as target:
        checks = pipeline.check_target(target)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        _print(checks)
    if any(check.status == "error" for check in checks):
        raise typer.Exit(1)


def _print(checks: tuple[Check, ...]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    for check in checks:
        table.add_row(
            Text(str(check.status), style=_COLOURS[check.status]),
            Text(check.name, style="bold"),
            Text(check.message),
        )
        if check.remedy and check.status != "ok":
            table.add_row("", "", Text(check.remedy, style="cyan"))
    console.print(table)
