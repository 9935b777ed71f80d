"""pgadvisor targets: which servers the workers watch."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from pgadvisor import pipeline
from pgadvisor.cli.observe import span
from pgadvisor.cli.options import Dsn, Json
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.config import Settings, load_settings
from pgadvisor.records.check import CheckStatus
from pgadvisor.store import open_store
from pgadvisor.store.targets import (
    StoredTarget,
    TargetOptions,
    delete_target,
    list_targets,
    pause_target,
    remove_target,
    resume_target,
    target_named,
)

__all__ = ["targets"]

targets = typer.Typer(help="Which servers the workers watch.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `targets list` shows it.")]
_COLOURS = {"watched": "green", "failing": "red", "paused": "yellow", "removed": "dim"}


@targets.command()
def add(
    dsn: Dsn,
    name: Annotated[
        str | None, typer.Option(help="What it is called; host and port without it.")
    ] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="60s", help="How often its counters are read.")
    ] = None,
    activity_interval: Annotated[
        str | None, typer.Option(metavar="10s", help="How often its activity is sampled.")
    ] = None,
    catalog_interval: Annotated[
        str | None, typer.Option(metavar="10m", help="How often its catalogs are read.")
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Watch only these, names or LIKE patterns."),
    ] = None,
    exclude_database: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Leave these databases out.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Connect once and check it first.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Have the workers watch a server; one of that name is changed.

    The password is not stored: the workers take it from ~/.pgpass, PGPASSWORD or a service file.
    """
    options = TargetOptions(
        interval=span(interval),
        activity_interval=span(activity_interval),
        catalog_interval=span(catalog_interval),
        databases=tuple(database) if database else None,
        excluded_databases=tuple(exclude_database or ()),
    )
    settings = load_settings()
    conninfo, had_password = pipeline.without_password(dsn)
    if had_password:
        errors.print(
            "the password is not stored: put it into ~/.pgpass (host:port:database:user:password, "
            "mode 600) or PGPASSWORD where the workers run"
        )
    if check:
        _check(dsn, settings)
    with open_store(settings, now=now()) as store:
        added = pipeline.add_target(store, conninfo, name=name, options=options, now=now())
    if as_json:
        print_json(_as_dict(added))
    else:
        console.print(f"{added.name} is watched by the workers from now on", markup=False)


def _check(dsn: str, settings: Settings) -> None:
    """Say what the target lacks; what cannot work at all is an error."""
    with pipeline.connect_target(dsn, settings) as target:
        pipeline.require_usable(target)
        for found in pipeline.check_target(target):
            if found.status is not CheckStatus.OK:
                errors.print(f"{found.status}: {found.message}", markup=False)
                if found.remedy:
                    errors.print(f"  {found.remedy}", markup=False)


@targets.command(name="list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those removed, whose history is kept.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the targets: state, role, version, when last read, last error."""
    with open_store(load_settings(), now=now()) as store, store.transaction() as conn:
        found = list_targets(conn, removed=everything)
    if as_json:
        print_json([_as_dict(one) for one in found])
    elif found:
        console.print(_table(found, now()))
    else:
        console.print("no targets yet: pgadvisor targets add DSN")


@targets.command()
def remove(
    name: Name,
    delete_history: Annotated[
        bool, typer.Option("--delete-history", help="Delete all that was collected from it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Watch a target no more; its history stays unless --delete-history is given."""
    with open_store(load_settings(), now=now()) as store, store.transaction() as conn:
        found = target_named(conn, name)
        if delete_history:
            delete_target(conn, found.id)
        else:
            remove_target(conn, found.id, now=now())
    words = "is removed with its history" if delete_history else "is removed, its history stays"
    _say(name, words, {"name": name, "history_deleted": delete_history}, as_json=as_json)


@targets.command()
def pause(name: Name, as_json: Json = False) -> None:
    """Collect nothing from a target until it is resumed."""
    with open_store(load_settings(), now=now()) as store, store.transaction() as conn:
        pause_target(conn, target_named(conn, name).id, now=now())
    _say(name, "is paused", {"name": name, "paused": True}, as_json=as_json)


@targets.command()
def resume(name: Name, as_json: Json = False) -> None:
    """Collect from a paused target again, and try a failing one at once."""
    with open_store(load_settings(), now=now()) as store, store.transaction() as conn:
        resume_target(conn, target_named(conn, name).id)
    _say(name, "is watched again", {"name": name, "paused": False}, as_json=as_json)


def _say(name: str, words: str, document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        console.print(f"{name} {words}", markup=False)


def _as_dict(target: StoredTarget) -> dict[str, Any]:
    derived = {"state": target.state, "role": target.role, "circuit": target.circuit}
    return {**asdict(target), **derived}


def _table(found: list[StoredTarget], at: datetime) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("target", "state", "role", "version", "last read", "circuit", "last error"):
        table.add_column(title)
    for one in found:
        table.add_row(
            Text(one.name, style="bold"),
            Text(one.state, style=_COLOURS.get(one.state, "")),
            Text(_role(one)),
            Text(str(one.server_version_num // 10000) if one.server_version_num else ""),
            Text(_ago(one.last_seen_at, at)),
            Text(one.circuit if one.failures else ""),
            Text(one.last_error or ""),
        )
    return table


def _role(target: StoredTarget) -> str:
    if target.role != "replica":
        return target.role or ""
    of = f" of {target.primary_name}" if target.primary_name else ""
    lag = target.replay_lag_ms
    return f"replica{of}" + (f", {lag / 1000:,.1f} s behind" if lag else "")


def _ago(then: datetime | None, at: datetime) -> str:
    return "never" if then is None else f"{(at - then).total_seconds():,.0f} s ago"
