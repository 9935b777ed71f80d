"""The repository as these tests see it."""

import re
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["DOCS", "ROOT", "SOURCE", "pages", "project_files", "table_rows"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "pgadvisor"


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that git tracks or would track, by its path below the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [Path(name) for name in listed.decode().split("\0") if name]
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def pages() -> list[str]:
    """The Markdown pages, as paths below the root."""
    return [str(path) for path in project_files() if path.suffix == ".md"]


def table_rows(page: Path) -> list[list[str]]:
    """The cells of every row of every table on a page; heads and rules too."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        for line in lines
        if line.startswith("|")
    ]
