"""docs/cli.md is what the command line itself says."""

from typing import Any

import pytest
import typer
from tests.documented.cli_reference import PAGE, render

from pgadvisor.cli.app import app


def verbs() -> dict[str, Any]:
    program: Any = typer.main.get_command(app)
    return dict(program.commands)


def test_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run .venv/bin/python tests/documented/cli_reference.py"
    )


@pytest.mark.parametrize("verb", verbs())
def test_verb_has_a_section_with_all_its_options(verb: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.split(f"## pgadvisor {verb}\n")[1].split("\n## ")[0]
    missing = [name for p in verbs()[verb].params for name in p.opts if f"`{name}" not in section]
    assert not [name for name in missing if name.startswith("-")]


@pytest.mark.parametrize("verb", verbs())
def test_verb_and_options_say_what_they_do(verb: str) -> None:
    command = verbs()[verb]
    assert command.help
    assert not [p.name for p in command.params if not p.help]


@pytest.mark.parametrize("verb", verbs())
def test_readme_or_tour_names_the_verb(verb: str) -> None:
    root = PAGE.parents[1]
    prose = (root / "README.md").read_text() + (root / "docs" / "operate.md").read_text()
    assert f"pgadvisor {verb}" in prose
