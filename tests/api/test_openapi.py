import re
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok


def test_every_operation_describes_itself_and_its_problems(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) >= {
        "/api/v1/data-quality",
        "/api/v1/databases",
        "/api/v1/ingest/logs",
        "/api/v1/queries",
        "/api/v1/queries/{hash}",
        "/api/v1/optimization-recommendations",
        "/api/v1/optimization-recommendations/{id}",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    operations = [
        (path, operation) for path, item in schema["paths"].items() for operation in item.values()
    ]
    for path, operation in operations:
        assert operation["description"], path
        if path.startswith("/api/"):
            for status in ("422", "500", "503"):
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], path
    assert "Problem" in schema["components"]["schemas"]


def test_every_reference_of_the_schema_leads_somewhere(client: httpx.Client) -> None:
    answer = client.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', answer.text))
    assert names
    assert names <= answer.json()["components"]["schemas"].keys()


@pytest.mark.slow
def test_no_generated_request_breaks_the_server_or_its_schema(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"http://{address}/openapi.json")
    wanted = (
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_headers_conformance", "response_schema_conformance", "use_after_free"),
    )
    checks: list[Any] = [check for check in CHECKS.get_all() if check.__name__ in wanted]
    assert len(checks) >= 5
    tried: set[str] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.method.upper() != "GET":
            continue  # what changes the store would change it for the other tests

        @settings(
            max_examples=60,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check_case(case: Any) -> None:
            case.call_and_validate(checks=checks)

        check_case()
        tried.add(operation.path)
    assert "/api/v1/data-quality" in tried
    assert len(tried) >= 9
