"""The API behind a real server, over a store with a day of history and over an empty one."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI

from pgadvisor.api import create_app
from pgadvisor.cluster import Cluster
from pgadvisor.config import Settings
from pgadvisor.store import Store, open_store

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SEED = Path(__file__).with_name("seed.py")

Serve = Callable[[FastAPI], AbstractContextManager[str]]


def _database(cluster: Cluster, name: str) -> str:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")
        conn.execute(f"create database {name}")
    return cluster.dsn(name)


@contextmanager
def _running(app: FastAPI) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # requests wait in its backlog
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def serve() -> Serve:
    return _running


@pytest.fixture(scope="session")
def new_store_dsn(store_cluster: Cluster) -> Callable[[str], str]:
    return lambda name: _database(store_cluster, name)


@pytest.fixture(scope="session")
def store(store_cluster: Cluster) -> Iterator[Store]:
    dsn = _database(store_cluster, "api_seeded")
    subprocess.run([sys.executable, SEED, dsn, NOW.isoformat()], check=True)
    with open_store(Settings(database_url=dsn), now=NOW) as store:
        yield store


@pytest.fixture(scope="session")
def app(store: Store) -> FastAPI:
    return create_app(store, Settings(), clock=lambda: NOW)


@pytest.fixture(scope="session")
def address(app: FastAPI) -> Iterator[str]:
    with _running(app) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        yield client


@pytest.fixture
def empty_client(store_cluster: Cluster) -> Iterator[httpx.Client]:
    settings = Settings(database_url=_database(store_cluster, "api_empty"))
    with (
        open_store(settings, now=NOW, upgrade=True) as store,
        _running(create_app(store, settings, clock=lambda: NOW)) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False) as client,
    ):
        yield client
