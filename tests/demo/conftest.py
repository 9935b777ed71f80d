"""One small shop for the tests of this folder, and empty databases beside it."""

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from pgadvisor.cluster import find_binaries
from pgadvisor.demo import DemoTarget, demo_cluster

SCALE = 0.01


@pytest.fixture(scope="session")
def target() -> Iterator[DemoTarget]:
    with demo_cluster(scale=SCALE, binaries=find_binaries(), stop=threading.Event()) as target:
        yield target


@pytest.fixture
def empty_database(target: DemoTarget) -> Iterator[Callable[[], str]]:
    """A factory of empty databases on the target's cluster: returns their DSNs."""
    names: list[str] = []

    def make() -> str:
        names.append(f"empty_{len(names)}")
        with psycopg.connect(target.cluster.dsn(), autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(names[-1])))
        return target.cluster.dsn(names[-1])

    yield make
    with psycopg.connect(target.cluster.dsn(), autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
