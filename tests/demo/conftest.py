"""One small shop for the tests of this folder."""

import threading
from collections.abc import Iterator

import pytest

from pgadvisor.cluster import find_binaries
from pgadvisor.demo import DemoTarget, demo_cluster

SCALE = 0.01


@pytest.fixture(scope="session")
def target() -> Iterator[DemoTarget]:
    with demo_cluster(scale=SCALE, binaries=find_binaries(), stop=threading.Event()) as target:
        yield target
