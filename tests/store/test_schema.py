"""schema.sql is what the migrations add up to."""

from tests.store.schema import FILE, render

from pgadvisor.cluster import Cluster


def test_schema_file_is_fresh(store_cluster: Cluster, store_template: str) -> None:
    """Refresh it with the command in tests/store/schema.py."""
    assert render(store_cluster, store_template) == FILE.read_text(encoding="utf-8")
