"""docs/settings.md lists every setting with its default and an example that works."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo
from tests.documented.tree import DOCS, ROOT, project_files, table_rows

from pgadvisor.config import Settings, default_data_dir, duration

FIELDS = Settings.model_fields
PAGE = DOCS / "settings.md"
_VARIABLE = re.compile(r"\bPGADVISOR_[A-Z_]+\b")


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias or f"PGADVISOR_{name.upper()}")


def documented() -> dict[str, list[str]]:
    """Cells of each row that begins with a variable's name."""
    return {
        row[0].strip("`"): row[1:] for row in table_rows(PAGE) if re.fullmatch(r"`[A-Z_]+`", row[0])
    }


@pytest.mark.parametrize("name", FIELDS)
def test_setting_is_documented(name: str) -> None:
    key, _, _, meaning = documented()[variable(name, FIELDS[name])]
    assert key == f"`{name}`"
    assert meaning.endswith(".")


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "data_dir"])
def test_default_is_right(name: str) -> None:
    written = documented()[variable(name, FIELDS[name])][1].strip("`")
    default: Any = FIELDS[name].default
    if isinstance(default, timedelta):
        assert duration(written) == default
    else:
        assert written == ("" if default is None else str(default))


def test_default_data_dir_is_right() -> None:
    written = documented()["PGADVISOR_DATA_DIR"][1]
    assert f"`{default_data_dir(0, Path('/anywhere'))}`" in written
    assert "`~/.local/share/pgadvisor`" in written  # platformdirs on Linux


@pytest.mark.parametrize("name", FIELDS)
def test_example_can_be_used(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no config.yaml there
    monkeypatch.delenv("PGADVISOR_CONFIG", raising=False)
    key = variable(name, FIELDS[name])
    example = documented()[key][2].strip("`")
    monkeypatch.delenv(key, raising=False)
    default = getattr(Settings(), name)
    monkeypatch.setenv(key, example)
    assert getattr(Settings(), name) != default


def test_example_file_can_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The config.yaml of the page names settings only, and all of them take effect."""
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    path = tmp_path / "config.yaml"
    path.write_text(block[1], encoding="utf-8")
    monkeypatch.setenv("PGADVISOR_CONFIG", str(path))
    for name, field in FIELDS.items():
        monkeypatch.delenv(variable(name, field), raising=False)
    given = re.findall(r"^(\w+):", block[1], re.MULTILINE)
    assert given
    empty = tmp_path / "none.yaml"
    empty.touch()
    monkeypatch.setenv("PGADVISOR_CONFIG", str(empty))
    plain = Settings()
    monkeypatch.setenv("PGADVISOR_CONFIG", str(path))
    assert [key for key in given if getattr(Settings(), key) == getattr(plain, key)] == []


def test_no_setting_is_invented() -> None:
    """Every variable that any page names exists in the code, the scripts or the tests."""
    known = {variable(name, field) for name, field in FIELDS.items()} | set(_named_in_code())
    for path in project_files():
        if path.suffix == ".md":
            named = set(_VARIABLE.findall((ROOT / path).read_text(encoding="utf-8")))
            assert not named - known, path


def test_variables_of_code_and_scripts_are_documented() -> None:
    named = _named_in_code()
    assert named
    assert not named - set(documented())


def _named_in_code() -> set[str]:
    folders = ("src", "scripts", "tests", "benchmarks")
    found: set[str] = set()
    for path in project_files():
        is_code = path.parts[0] in folders and path.suffix in (".py", "")
        if is_code and path.parts[:2] != ("tests", "documented"):
            found |= set(_VARIABLE.findall((ROOT / path).read_text(encoding="utf-8")))
    return found
