"""docs/api.md has every route with its parameters, and an example of each."""

import json
import re
from typing import Any

import pytest
from tests.documented.conftest import NOW
from tests.documented.tree import DOCS

from pgadvisor.api import create_app
from pgadvisor.api.problems import _STATUS, MEDIA_TYPE
from pgadvisor.config import Settings
from pgadvisor.store import Store

PAGE = DOCS / "api.md"


@pytest.fixture(scope="module")
def openapi(empty_store: Store, store_settings: Settings) -> dict[str, Any]:
    return create_app(empty_store, store_settings, clock=lambda: NOW).openapi()


def sections() -> dict[str, str]:
    """Text of the page by heading of the second level: ``GET /healthz`` and so on."""
    parts = re.split(r"^## (.+)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def routes(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Operations by ``METHOD /path``."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    }


def test_every_route_has_a_section(openapi: dict[str, Any]) -> None:
    assert set(routes(openapi)) == {name for name in sections() if name.startswith(_METHODS)}


_METHODS = ("GET ", "POST ", "PUT ", "PATCH ", "DELETE ")


def test_every_parameter_is_in_its_section(openapi: dict[str, Any]) -> None:
    for name, operation in routes(openapi).items():
        text = sections()[name]
        documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        assert documented == {p["name"] for p in operation.get("parameters", [])}, name


def test_every_default_is_right(openapi: dict[str, Any]) -> None:
    for name, operation in routes(openapi).items():
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", sections()[name], re.MULTILINE))
        for parameter in operation.get("parameters", []):
            default = parameter["schema"].get("default")
            if default is not None:
                values = default if isinstance(default, list) else [default]
                assert all(f"`{value}`" in rows[parameter["name"]] for value in values), name


def test_every_route_has_an_example(openapi: dict[str, Any]) -> None:
    for name in routes(openapi):
        path = name.split(" ", 1)[1].split("{")[0]
        assert re.search(rf"^    curl .*{re.escape(path)}", sections()[name], re.MULTILINE), name


def test_every_json_example_has_the_fields_of_its_schema(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    seen = 0
    for name, operation in routes(openapi).items():
        answers = operation["responses"]
        done = next(answers[status] for status in ("200", "201", "204") if status in answers)
        content = done.get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref")
        if reference is None:
            continue
        example = json.loads(re.findall(r"```json\n(.*?)```", sections()[name], re.DOTALL)[0])
        _check(example, schemas[reference.rsplit("/", 1)[1]], schemas, name)
        seen += 1
    assert seen >= 5


def _check(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> None:
    """The example has exactly the fields of its schema, and so have the objects within."""
    if "$ref" in schema:
        _check(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, where)
    elif "properties" in schema:
        assert set(value) == set(schema["properties"]), where
        for key, part in schema["properties"].items():
            _check(value[key], part, schemas, f"{where}: {key}")
    elif schema.get("type") == "array":
        for one in value:
            _check(one, schema["items"], schemas, where)


def test_every_kind_of_problem_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert MEDIA_TYPE in text
    for status, slug in _STATUS.values():
        assert f"| {status} | `urn:pgadvisor:problem:{slug}` |" in text
