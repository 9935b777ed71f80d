"""docs/operate.md names every metric of ours, with its labels."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from tests.documented.conftest import NOW
from tests.documented.tree import DOCS, table_rows

from pgadvisor.api.metrics import metrics_registry
from pgadvisor.store import Store


@pytest.fixture(scope="module")
def registry(empty_store: Store) -> CollectorRegistry:
    return metrics_registry(empty_store, lambda: NOW)


def own(registry: CollectorRegistry) -> list[Metric]:
    return [metric for metric in registry.collect() if metric.name.startswith("pgadvisor_")]


def documented() -> dict[str, list[str]]:
    return {
        row[0].strip("`"): row[1:]
        for row in table_rows(DOCS / "operate.md")
        if row[0].startswith("`pgadvisor_")
    }


def test_metrics_and_page_agree(registry: CollectorRegistry) -> None:
    metrics = own(registry)
    assert metrics
    assert {metric.name for metric in metrics} == set(documented())


def test_labels_agree(registry: CollectorRegistry) -> None:
    for metric in own(registry):
        labels: Any = getattr(metric, "_labelnames", ())
        written = documented()[metric.name][0]
        assert written == ", ".join(f"`{label}`" for label in labels), metric.name
