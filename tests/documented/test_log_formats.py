"""docs/log_formats.md names every language and every reason to leave an entry out."""

import re
from pathlib import Path

from pgadvisor.collect.logs.languages import LANGUAGES
from pgadvisor.records.log import LogSkip

PAGE = (Path(__file__).parents[2] / "docs" / "log_formats.md").read_text(encoding="utf-8")


def rows(heading: str) -> set[str]:
    """The first column of the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def test_languages() -> None:
    assert rows("Languages") == {language.code for language in LANGUAGES}


def test_reasons() -> None:
    assert rows("What is left out, and why") == {reason.value for reason in LogSkip}
