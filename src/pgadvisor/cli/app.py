"""The program: its verbs, and the one place where an error becomes an exit code."""

import sys
from typing import Annotated

import typer

from pgadvisor import __version__
from pgadvisor.cli.advise import advise
from pgadvisor.cli.data_quality import data_quality
from pgadvisor.cli.demo import demo
from pgadvisor.cli.doctor import doctor
from pgadvisor.cli.import_history import import_history
from pgadvisor.cli.ingest_log import ingest_log_files
from pgadvisor.cli.mask_history import mask_history
from pgadvisor.cli.migrate import migrate
from pgadvisor.cli.observe import observe
from pgadvisor.cli.output import errors
from pgadvisor.cli.run import run
from pgadvisor.cli.serve import serve
from pgadvisor.cli.targets import targets
from pgadvisor.cli.worker import worker
from pgadvisor.errors import AdvisorError

__all__ = ["app", "main"]

app = typer.Typer(
    name="pgadvisor",
    help="Watches PostgreSQL, says what to change, and measures what the change brought.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (doctor, observe, advise, run, serve, migrate, demo):
    app.command()(verb)
app.command()(worker)
app.command()(import_history)
app.command()(data_quality)
app.command()(mask_history)
app.command("ingest-log")(ingest_log_files)
app.add_typer(targets, name="targets")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgadvisor {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the verb."""


def main() -> None:
    """Run the command line; an error of ours is a message, a hint and exit code 1."""
    try:
        app()
    except AdvisorError as exc:
        errors.print(f"[bold red]error:[/] {_plain(exc.message)}")
        if exc.hint:
            errors.print(f"[bold]hint:[/] {_plain(exc.hint)}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _plain(text: str) -> str:
    """The text with rich's markup switched off: a server's message may hold brackets."""
    return text.replace("[", r"\[")
