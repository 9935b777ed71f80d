"""Renders docs/cli.md from the command line itself.

Refresh it with ``.venv/bin/python tests/documented/cli_reference.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from pgadvisor.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"

_HEAD = """\
<!-- Made by tests/documented/cli_reference.py from the help texts in src/pgadvisor/cli. -->

# Command line

Results go to standard output, progress and log lines to standard error. `--json` prints one JSON
document on standard output, and log lines as JSON.

Exit codes: 0 done; 1 an error with its message and hint on standard error, or a `doctor` check
that is an error; 2 wrong arguments; 130 ended by Ctrl-C.

A DSN is whatever libpq takes: a URL or `key=value` pairs. Without one libpq's own environment
(`PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, `PGPASSWORD`, `PGSERVICE`) holds. A duration is a
number with a unit: `500ms`, `30s`, `5m`, `12h`, `7d`, `2w`, or several: `1m30s`.

[settings.md](settings.md) lists what the environment and config.yaml set.
"""


def render() -> str:
    """The whole page."""
    program: Any = typer.main.get_command(app)
    parts = [_HEAD, *_section("pgadvisor", program)]
    for name, verb in program.commands.items():
        parts += _section(f"pgadvisor {name}", verb)
        for part, below in getattr(verb, "commands", {}).items():
            parts += _section(f"pgadvisor {name} {part}", below)
    return "\n".join(parts)


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"    {_usage(name, command)}\n"
    yield f"{_text(command.help)}\n"
    rows = [_row(parameter) for parameter in command.params]
    yield "\n".join(
        ["| argument or option | default | meaning |", "|---|---|---|", *rows, _HELP_ROW, ""]
    )


_HELP_ROW = "| `-h`, `--help` | | Print the help. |"


def _usage(name: str, command: Any) -> str:
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    verb = ["COMMAND"] if hasattr(command, "commands") else []
    return " ".join([name, "[OPTIONS]", *verb, *arguments])


def _row(parameter: Any) -> str:
    return f"| {_names(parameter)} | {_default(parameter)} | {_text(parameter.help)} |"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    value = ""
    if not parameter.is_flag:
        value = f" {parameter.metavar or str(parameter.name).upper()}"
    return ", ".join(f"`{name}{value}`" for name in parameter.opts)


def _default(parameter: Any) -> str:
    if parameter.default in (None, "", False):
        return ""
    return f"`{parameter.default}`"


def _text(text: str | None) -> str:
    """Help as Markdown: paragraphs are kept, lines within them joined."""
    paragraphs = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
