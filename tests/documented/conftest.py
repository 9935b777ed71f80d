"""An empty store of this version, for what can only be asked of one."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.config import Settings, load_settings
from pgadvisor.store import Store, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATABASE = "documented"


@pytest.fixture(scope="session")
def store_settings(store_cluster: Cluster) -> Settings:
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database documented")
    return load_settings(database_url=store_cluster.dsn(DATABASE))


@pytest.fixture(scope="session")
def empty_store(store_settings: Settings) -> Iterator[Store]:
    with open_store(store_settings, now=NOW, upgrade=True) as store:
        yield store
