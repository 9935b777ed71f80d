"""The embedded store: starts by itself, keeps its data, is joined, and is carried over."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from tests.store.made import MINUTE, NOON, entry, new_target, record, value

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.cluster.account import server_account
from pgadvisor.config import load_settings
from pgadvisor.errors import StoreUnavailable
from pgadvisor.store import embedded, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = "select coalesce(sum(calls), 0)::int from statement_deltas"

#: opens the embedded store, says the number of targets, and keeps it until its input ends
PROCESS = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from pgadvisor.config import load_settings
from pgadvisor.store import open_store

settings = load_settings(data_dir=Path(sys.argv[1]))
with open_store(settings, now=datetime.now(UTC)) as store:
    with store.transaction() as conn:
        print(conn.execute("select count(*) from targets").fetchone()[0], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that the server's account reaches; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pga-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "data"
    for used in folder.glob("data/store-*"):
        major = int(used.name.removeprefix("store-"))
        with Cluster.at(used, embedded_binaries(major)) as cluster:
            cluster.stop("immediate")
    shutil.rmtree(folder)


def process(data_dir: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={key: text for key, text in os.environ.items() if key != "DATABASE_URL"},
    )


def said(started: "subprocess.Popen[str]") -> str:
    assert started.stdout
    return started.stdout.readline().strip()


@pytest.mark.slow
def test_two_processes_start_it_at_once_and_data_survives_restart_and_kill(data_dir: Path) -> None:
    both = [process(data_dir), process(data_dir)]
    assert [said(each) for each in both] == ["0", "0"]
    settings = load_settings(data_dir=data_dir)
    with open_store(settings, now=NOW) as store:
        target = new_target(store)
        record(store, target, NOON, [entry(1, 10)])
        record(store, target, NOON + MINUTE, [entry(1, 15)])
        for each in both:
            each.send_signal(signal.SIGKILL)
            each.communicate()
        assert value(store, CALLS) == 5
        third = process(data_dir)
        assert said(third) == "1"
    third.send_signal(signal.SIGKILL)  # the last one
    third.communicate()
    with open_store(settings, now=NOW) as store:
        record(store, target, NOON + 2 * MINUTE, [entry(1, 21)])
        assert value(store, CALLS) == 11
        assert store.description == f"embedded in {data_dir}"


@pytest.mark.slow
def test_a_store_of_an_older_version_is_carried_over(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that broke off is begun anew; afterwards both major versions' folders are there."""
    old, new = embedded_binaries(16), embedded_binaries(18)
    settings = load_settings(data_dir=data_dir)
    with monkeypatch.context() as patched:
        patched.setattr(embedded, "embedded_binaries", lambda major=None: old)
        with open_store(settings, now=NOW) as store:
            target = new_target(store)
            record(store, target, NOON, [entry(-5, 10)])
            record(store, target, NOON + MINUTE, [entry(-5, 15)])
    with monkeypatch.context() as patched:
        # pg_restore breaks off: there is no such program
        patched.setattr(embedded, "_carry_over", _broken_off)
        with pytest.raises(KeyboardInterrupt), open_store(settings, now=NOW):
            pass
    with open_store(settings, now=NOW) as store:
        assert value(store, "show server_version_num").startswith(str(new.major))
        assert value(store, CALLS) == 5
        # the baseline came along, and ids go on where they were
        record(store, target, NOON + 2 * MINUTE, [entry(-5, 21), entry(6, 3)])
        assert value(store, CALLS) == 14
    assert {path.name for path in data_dir.glob("store-*")} == {"store-16", "store-18"}
    with open_store(settings, now=NOW) as store:  # and is not carried over again
        assert value(store, CALLS) == 14


def _broken_off(old_directory: Path, old_major: int, cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn("carried_over")) as conn:
        conn.execute("create table targets (half integer)")
    raise KeyboardInterrupt


@pytest.mark.slow
def test_an_older_store_whose_first_start_broke_off_is_no_obstacle(data_dir: Path) -> None:
    data_dir.mkdir()
    server_account().own(data_dir)
    with Cluster.at(data_dir / "store-16", embedded_binaries(16)):
        pass  # made, but killed before its database was
    with open_store(load_settings(data_dir=data_dir), now=NOW) as store:
        assert value(store, CALLS) == 0


def test_an_older_store_that_the_wheel_no_longer_carries_is_told(
    data_dir: Path, store_cluster: Cluster
) -> None:
    with pytest.raises(StoreUnavailable, match="of PostgreSQL 9") as caught:
        embedded._carry_over(data_dir / "store-9", 9, store_cluster)
    assert "store-9" in caught.value.hint


def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for impossible in (tmp_path / "file", tmp_path / "file" / "below"):
        settings = load_settings(data_dir=impossible)
        with (
            pytest.raises(StoreUnavailable, match="cannot use the data folder") as caught,
            open_store(settings, now=NOW),
        ):
            pass
        assert "PGADVISOR_DATA_DIR" in caught.value.hint


@pytest.mark.skipif(os.getuid() != 0, reason="concerns root")
def test_root_leaves_a_folder_to_its_owner(tmp_path: Path) -> None:
    """With PGADVISOR_DATA_DIR=/tmp everybody would lose it."""
    os.chown(tmp_path, 12345, 12345)
    with embedded._alone(tmp_path):
        assert tmp_path.stat().st_uid == 12345
    with embedded._alone(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_uid == server_account().uid
