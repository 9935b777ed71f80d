"""Arguments that several verbs share."""

from typing import Annotated

import typer

__all__ = ["Dsn", "Json", "OptionalDsn"]

_DSN_HELP = (
    "libpq connection string or URL of the server to watch, for example "
    "postgresql://pgadvisor@db.example.org/shop. Keep the password in ~/.pgpass."
)

Dsn = Annotated[str, typer.Argument(metavar="DSN", help=_DSN_HELP, show_default=False)]
OptionalDsn = Annotated[
    str,
    typer.Argument(
        metavar="[DSN]",
        help=_DSN_HELP + " Without it libpq's PGHOST, PGDATABASE and so on say where.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
