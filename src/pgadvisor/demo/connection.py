"""Connections as the shop's two applications open them."""

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.types.numeric import Int4Dumper

from pgadvisor.demo.statements import Parameters, Role, Statement, bind
from pgadvisor.errors import TargetUnreachable

__all__ = ["connect", "execute"]


def connect(
    dsn: str, role: Role, application_name: str, *, as_role: bool = True
) -> psycopg.Connection[Any]:
    """An autocommit connection of the role to the shop's database.

    The pages send parameters apart from the text, as most drivers do; the reports send texts
    with constants, as most reporting tools do. Both ways of writing end up in the statistics.
    Without `as_role` it is the user of `dsn` who speaks in the role's manner. Raises
    `TargetUnreachable`.
    """
    try:
        conn = psycopg.connect(
            make_conninfo(dsn, user=role) if as_role else dsn,
            application_name=application_name,
            autocommit=True,
            cursor_factory=psycopg.ClientCursor if role == "shop_report" else psycopg.Cursor,
        )
    except psycopg.OperationalError as exc:
        raise TargetUnreachable(
            f"cannot connect to the demo's database as {role}: {exc}",
            hint="The demo's server was stopped; start `pgadvisor demo` again.",
        ) from exc
    # by default a number's type follows its size, which gives one query several queryids
    conn.adapters.register_dumper(int, Int4Dumper)
    return conn


def execute(
    conn: psycopg.Connection[Any], statement: Statement, parameters: Parameters
) -> list[dict[str, Any]]:
    """Run the statement and fetch every row, as a client does before it goes on."""
    text, bound = bind(statement, parameters)
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.execute(text, bound or None)
        return cursor.fetchall() if cursor.description else []
