"""The messages that docs/operate.md explains are those that the code can give."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from tests.documented.tree import DOCS, SOURCE

_PLACEHOLDER = re.compile(r"\{\w+\}")
#: what PostgreSQL itself says
_NOT_OURS = "permission denied"


@cache
def texts() -> tuple[str, ...]:
    """Every string of the code, each value within it as an ellipsis."""
    return tuple(
        _PLACEHOLDER.sub("…", text)
        for path in sorted(SOURCE.rglob("*.py"))
        for text in _strings(ast.parse(path.read_text(encoding="utf-8")))
    )


def _strings(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )


def documented() -> list[str]:
    """The first cells of the troubleshooting tables, one message each."""
    section = (DOCS / "operate.md").read_text(encoding="utf-8").split("\n## Troubleshooting\n")[1]
    cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    found = [message for cell in cells for message in re.findall(r"`([^`]+)`|\"([^\"]+)\"", cell)]
    messages = [code or quoted for code, quoted in found]
    return [message for message in messages if not message.startswith(_NOT_OURS)]


def fragments(message: str) -> list[str]:
    """The fixed parts of a message, between its values."""
    return [part.strip(" :") for part in re.split(r"…|: ", message) if len(part.strip(" :")) > 3]


def test_there_is_something_to_check() -> None:
    assert len(documented()) > 30
    assert all(fragments(message) for message in documented())


@pytest.mark.parametrize("message", documented())
def test_message_is_real(message: str) -> None:
    unknown = [part for part in fragments(message) if not any(part in text for text in texts())]
    assert unknown == []
