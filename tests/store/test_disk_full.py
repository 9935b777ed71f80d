"""A real disk that is full: the store says so, keeps nothing half, and goes on with more room."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.store.made import MINUTE, NOON, entry, new_target, record, rows, value

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.config import load_settings
from pgadvisor.errors import StoreUnavailable
from pgadvisor.records.statement import StatementCounters
from pgadvisor.store import Store, open_store

MEBIBYTE = 2**20
SETTINGS = {
    "shared_buffers": "16MB",
    "max_connections": "20",
    "min_wal_size": "32MB",
    "max_wal_size": "32MB",
}


class Disk:
    """A file system of 160 MiB, and a file that takes what is free on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filler = directory / "filler"

    def fill(self, *, leaving: int) -> None:
        free = os.statvfs(self.directory)
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leaving)

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk() -> Iterator[Disk]:
    directory = Path(tempfile.mkdtemp(prefix="pgadvisor-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs", directory],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        directory.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    directory.chmod(0o755)
    yield Disk(directory)
    deadline = time.monotonic() + 20
    while subprocess.run(["umount", directory], capture_output=True, check=False).returncode:
        assert time.monotonic() < deadline, "a server still lives there"
        time.sleep(0.1)
    directory.rmdir()


@pytest.fixture
def cluster(disk: Disk) -> Iterator[Cluster]:
    with Cluster.at(disk.directory / "store", embedded_binaries(), settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
def store(cluster: Cluster) -> Iterator[Store]:
    settings = load_settings(database_url=cluster.dsn())
    with open_store(settings, now=datetime.now(UTC), upgrade=True) as opened:
        yield opened


def entries(minute: int) -> list[StatementCounters]:
    """Each statement has called itself its number of times a minute."""
    return [entry(key, 1 + minute * key, temp_blks_read=key) for key in range(1, 1001)]


def assert_exact(store: Store, minutes: int, last: int) -> None:
    """All of the minutes once, nothing of an attempt that failed."""
    calls = minutes * sum(range(1, 1001))
    for table in ("statement_deltas", "statement_hours", "database_intervals"):
        assert value(store, f"select sum(calls)::int from {table}") == calls
    assert rows(store, "select sum(covered_seconds) from target_hours") == [(minutes * 60.0,)]
    assert value(store, "select max(captured_at) from snapshots") == NOON + last * MINUTE
    assert value(store, "select count(*)::int from gaps") == 0
    assert value(store, "select sum(calls)::int from statement_counters") == 1000 + calls
    spans = rows(store, "select distinct since, until from statement_deltas order by 1")
    assert [until for _, until in spans[:-1]] == [since for since, _ in spans[1:]]


@pytest.mark.slow
def test_a_full_disk_is_told_and_nothing_is_lost_or_half(store: Store, disk: Disk) -> None:
    target = new_target(store)
    for minute in range(3):
        record(store, target, NOON + minute * MINUTE, entries(minute))
    disk.fill(leaving=0)
    for minute in (3, 4):
        with pytest.raises(StoreUnavailable, match="is full: could not extend") as caught:
            record(store, target, NOON + minute * MINUTE, entries(minute))
        assert "Free space" in caught.value.hint
        assert_exact(store, 2, last=2)  # it can still be read
    disk.free()
    interval = record(store, target, NOON + 5 * MINUTE, entries(5))
    assert interval is not None
    assert interval.since == NOON + 2 * MINUTE
    assert_exact(store, 5, last=5)


@pytest.mark.slow
def test_a_server_that_stopped_because_its_log_is_full_goes_on_exactly(
    store: Store, disk: Disk, cluster: Cluster
) -> None:
    """PostgreSQL gives up when it cannot write WAL: whoever records sees a store that is away."""
    target = new_target(store)
    for minute in range(2):
        record(store, target, NOON + minute * MINUTE, entries(minute))
    # room for rows, not for another segment of 16 MiB
    disk.fill(leaving=12 * MEBIBYTE)
    minute, recorded = 1, 1
    with pytest.raises(StoreUnavailable):
        while minute < 60:
            minute += 1
            record(store, target, NOON + minute * MINUTE, entries(minute))
            recorded = minute
    disk.free()
    cluster.start()  # its supervisor's work: it ends when it cannot even recover
    minute += 1
    interval = record(store, target, NOON + minute * MINUTE, entries(minute))
    assert interval is not None
    assert interval.since == NOON + recorded * MINUTE
    assert_exact(store, minute, last=minute)
