"""Arguments of import-history."""

from enum import StrEnum
from typing import Annotated

import typer

from pgadvisor.collect.imports import Missing, Side
from pgadvisor.pipeline.imports import Origin

__all__ = [
    "Columns",
    "Complete",
    "Cumulative",
    "Database",
    "Deltas",
    "DryRun",
    "Encoding",
    "Events",
    "From",
    "Interval",
    "Mapping",
    "MetricName",
    "MissingRows",
    "Server",
    "ShiftToNow",
    "Source",
    "TargetName",
    "TimeFormat",
    "TimeIs",
    "Timezone",
    "Wide",
]


class Metric(StrEnum):
    """What the value of a series is."""

    CALLS = "calls"
    ROWS = "rows"
    TOTAL_EXEC_TIME = "total_exec_time"


Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE|DSN",
        help="A CSV (also .gz, .bz2, .xz) or Parquet file, - for standard input; with --from "
        "the connection string of the PoWA or pgwatch database.",
        show_default=False,
    ),
]
From = Annotated[Origin, typer.Option("--from", help="What the source is.")]
TargetName = Annotated[
    str | None,
    typer.Option(
        help="Name of the target that gets the history: a watched server, or a new name "
        "[default: import; with --from its servers' names]",
        show_default=False,
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        help="Database of rows that name none [default: the file's name]", show_default=False
    ),
]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="OURS=THEIRS",
        help="Which column of the file is one of ours, such as calls=n; may be repeated.",
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(metavar="A,B,...", help="Columns of a CSV without a header."),
]
Timezone = Annotated[str, typer.Option(metavar="ZONE", help="Zone of times that name none.")]
TimeFormat = Annotated[
    str | None,
    typer.Option(metavar="PATTERN", help="How times are written, such as '%d/%m/%Y %H:%M'."),
]
TimeIs = Annotated[
    Side | None,
    typer.Option(help="Which end of a row's span its time is; seen from the data without it."),
]
Interval = Annotated[
    str | None,
    typer.Option(metavar="1h", help="How long each row counts, where times do not show it."),
]
Deltas = Annotated[bool, typer.Option("--deltas", help="Rows say what happened in their span.")]
Cumulative = Annotated[
    bool, typer.Option("--cumulative", help="Rows have counters as pg_stat_statements has.")
]
Events = Annotated[bool, typer.Option("--events", help="Rows are single executions.")]
Complete = Annotated[
    bool | None,
    typer.Option(
        "--complete/--partial",
        help="Cumulative: whether each reading has all statements; a statement new in a "
        "partial one is not counted until its next reading.",
    ),
]
MissingRows = Annotated[
    Missing | None,
    typer.Option(help="What a time without rows means; seen from the data without it."),
]
MetricName = Annotated[
    Metric | None,
    typer.Option(
        help="Series: what the value is [default: calls, with fractions a time]",
        show_default=False,
    ),
]
Wide = Annotated[
    bool, typer.Option("--wide", help="Every column but time and database is a series.")
]
Encoding = Annotated[
    str | None, typer.Option(help="Encoding of a CSV; seen from the data without it.")
]
Server = Annotated[
    str | None,
    typer.Option(help="PoWA: one server, by alias or host. pgwatch: one source, by name."),
]
ShiftToNow = Annotated[
    bool,
    typer.Option(
        "--shift-to-now",
        help="Move all times by whole weeks, so that the last is of the last week.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only report what would be imported.")]
