"""Private clusters: gone on every way out, joined by a second process, mended after a kill."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from pgadvisor.cluster import Binaries, Cluster, binaries, embedded_binaries
from pgadvisor.cluster.account import Account, server_account
from pgadvisor.errors import ClusterFailed

as_root = pytest.mark.skipif(os.getuid() != 0, reason="concerns root")

#: starts a cluster, says where it is, and keeps it until its standard input says something
USER = """
import sys
from pathlib import Path
from pgadvisor.cluster import Binaries, Cluster

bin_dir, directory = sys.argv[1:]
binaries = Binaries.at(Path(bin_dir))
cluster = Cluster.at(Path(directory), binaries) if directory else Cluster.temporary(binaries)
with cluster:
    print(cluster.directory, flush=True)
    sys.stdin.readline()
"""


def until(condition: Callable[[], bool], *, seconds: float = 30) -> bool:
    """True once the condition holds, False when it did not in time."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds


def lives(pid: int) -> bool:
    """True for a process that is not a zombie."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] not in ("", "Z")


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])


def is_left(directory: Path) -> bool:
    """True once the server has stopped and its guard is gone."""
    with (directory / "users.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return not (directory / "data" / "postmaster.pid").exists()


class UserProcess:
    """Another process that uses a cluster."""

    def __init__(self, directory: Path | None = None, **environment: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", USER, str(embedded_binaries().bin_dir)),
                str(directory or ""),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )

    def wait_until_started(self) -> Path:
        assert self.process.stdout
        return Path(self.process.stdout.readline().strip())

    def leave(self) -> None:
        """End by itself."""
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self, how: signal.Signals) -> None:
        os.killpg(self.process.pid, how)
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """The folder of a cluster that stays, made once; no test leaves it running."""
    folder = Path(tempfile.mkdtemp(prefix="pga-", dir="/tmp"))
    folder.chmod(0o755)
    with (
        Cluster.at(folder / "one", embedded_binaries()) as cluster,
        psycopg.connect(cluster.dsn()) as conn,
    ):
        conn.execute("create table kept (n integer)")
    assert until(lambda: is_left(folder / "one"))
    yield folder / "one"
    shutil.rmtree(folder)


@pytest.fixture
def directory(made: Path) -> Iterator[Path]:
    yield made
    assert until(lambda: is_left(made)), "left running"


def answer(cluster: Cluster, query: LiteralString = "select 42") -> object:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        row = conn.execute(query).fetchone()
    return row[0] if row else None


@pytest.mark.slow
def test_a_temporary_cluster_is_gone_after_the_block_and_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), Cluster.temporary(embedded_binaries()) as cluster:
        pid = postmaster(cluster.directory)
        assert answer(cluster) == 42
        cluster.restart()
        assert answer(cluster) == 42
        assert postmaster(cluster.directory) != pid
        pid = postmaster(cluster.directory)
        raise ZeroDivisionError
    assert not cluster.directory.exists()
    assert not lives(pid)
    cluster.close()  # twice does no harm


@pytest.mark.slow
def test_a_temporary_cluster_is_gone_however_its_process_ended() -> None:
    ways = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    users = [UserProcess() for _ in ways]
    directories = [user.wait_until_started() for user in users]
    pids = [postmaster(folder) for folder in directories]
    for user, way in zip(users, ways, strict=True):
        user.kill(way)
    for folder, pid in zip(directories, pids, strict=True):
        assert until(lambda f=folder: not f.exists())  # type: ignore[misc]
        assert until(lambda p=pid: not lives(p))  # type: ignore[misc]


@pytest.mark.slow
def test_a_process_killed_while_it_starts_a_temporary_cluster_leaves_nothing() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pga-", dir="/tmp"))
    folder.chmod(0o777)
    try:
        long_tmp = folder / ("x" * 90)  # so long that the socket has to be elsewhere
        long_tmp.mkdir()
        long_tmp.chmod(0o777)
        user = UserProcess(TMPDIR=str(long_tmp))
        assert until(lambda: any(long_tmp.glob("pgadvisor-*/users.lock")))
        assert until(lambda: any(long_tmp.glob("pgadvisor-*/guard.lock")))
        (directory,) = long_tmp.glob("pgadvisor-*")
        socket_dir = Cluster.at(directory, embedded_binaries()).socket_dir
        assert directory not in socket_dir.parents
        assert socket_dir.exists()
        user.kill(signal.SIGKILL)
        assert until(lambda: not any(long_tmp.iterdir()))
        assert until(lambda: not socket_dir.exists())
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_long_path_puts_the_socket_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="pga-", dir="/tmp") as folder:
        long_tmp = Path(folder) / ("x" * 90)
        long_tmp.mkdir()
        for each in (Path(folder), long_tmp):
            each.chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(long_tmp))
        with Cluster.temporary(embedded_binaries()) as cluster:
            assert answer(cluster) == 42
            assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
        assert not cluster.socket_dir.exists()


def test_a_second_process_joins_and_the_server_stops_with_the_last(directory: Path) -> None:
    first, second = UserProcess(directory), UserProcess(directory)
    first.wait_until_started()
    second.wait_until_started()
    pid = postmaster(directory)
    cluster = Cluster.at(directory, embedded_binaries())
    first.leave()
    assert answer(cluster) == 42
    with cluster:
        second.kill(signal.SIGKILL)
        assert postmaster(directory) == pid
        assert answer(cluster) == 42
    assert until(lambda: not lives(pid))


def test_a_killed_postmaster_is_started_again_and_keeps_its_data(directory: Path) -> None:
    with Cluster.at(directory, embedded_binaries()) as cluster:
        answer(cluster, "insert into kept values (7) returning n")
        os.kill(postmaster(directory), signal.SIGKILL)
        assert until(lambda: not cluster.is_running)
        cluster.start()
        assert answer(cluster, "select n from kept") == 7


@pytest.mark.parametrize("content", ["999999\n", "{pid}\n{data}\n1\n5432\n\n*\n", ""])
def test_a_stale_postmaster_pid_is_no_obstacle(directory: Path, content: str) -> None:
    """The second one names a process that lives and is no server, as after a reboot."""
    account = server_account()
    data_dir = directory / "data"
    with _sleeping(account) as sleeper:
        pid_file = data_dir / "postmaster.pid"
        pid_file.write_text(content.format(pid=sleeper.pid, data=data_dir))
        pid_file.chmod(0o600)
        account.own(pid_file)
        with Cluster.at(directory, embedded_binaries()) as cluster:
            assert answer(cluster) == 42


def _sleeping(account: Account) -> "subprocess.Popen[bytes]":
    """A process of the account, ended at the end of the block."""
    return _Sleeper(["sleep", "100"], user=account.uid, group=account.gid, extra_groups=[])


class _Sleeper(subprocess.Popen[bytes]):
    def __exit__(self, *exc: object) -> None:
        self.kill()
        self.wait()


def test_settings_hold_and_values_are_quoted(directory: Path) -> None:
    settings = {"work_mem": "5MB", "search_path": "it's, public"}
    with Cluster.at(directory, embedded_binaries(), settings=settings) as cluster:
        assert answer(cluster, "show work_mem") == "5MB"
        assert answer(cluster, "show search_path") == "it's, public"
        assert answer(cluster, "show listen_addresses") == ""


def test_a_setting_that_the_server_refuses_is_told_with_its_reason(directory: Path) -> None:
    cluster = Cluster.at(directory, embedded_binaries(), settings={"work_mem": "lots"})
    with pytest.raises(ClusterFailed, match=r"invalid value for parameter .*work_mem") as caught:
        cluster.start()
    assert "postmaster.log" in caught.value.hint
    cluster.close()
    with Cluster.at(directory, embedded_binaries()) as mended:
        assert answer(mended) == 42


def test_the_folder_of_another_owner_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, 12345, 12345)
    else:
        folder = Path("/usr")
    with pytest.raises(ClusterFailed, match="belongs to another user") as caught:
        Cluster.at(folder, embedded_binaries()).start()
    assert "PGADVISOR_DATA_DIR" in caught.value.hint
    assert not any(tmp_path.glob("theirs/*"))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClusterFailed, match="cannot use the folder"):
        Cluster.at(tmp_path / "file" / "below", embedded_binaries()).start()


@pytest.fixture
def no_space() -> Iterator[Path]:
    """A file system of 5 MB."""
    folder = Path(tempfile.mkdtemp(prefix="pga-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=5m,mode=0755", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("mounting is not allowed here")
    yield folder
    assert until(lambda: subprocess.run(["umount", str(folder)], check=False).returncode == 0)
    folder.rmdir()


@as_root
def test_a_full_disk_is_told(no_space: Path) -> None:
    cluster = Cluster.at(no_space / "store", embedded_binaries())
    with pytest.raises(ClusterFailed, match="No space left") as caught:
        cluster.start()
    cluster.close()
    assert "free disk space" in caught.value.hint


@as_root
def test_binaries_that_the_account_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment below /root is the usual case."""
    with tempfile.TemporaryDirectory(prefix="pga-", dir="/tmp") as folder:
        cache = Path(folder) / "cache"
        Path(folder).chmod(0o755)
        monkeypatch.setattr("pgadvisor.cluster.account.CACHE_DIR", cache)
        bin_dir = tmp_path / "install" / "bin"
        bin_dir.mkdir(parents=True)
        program = bin_dir / "postgres"
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.0'\n")
        program.chmod(0o755)
        bin_dir.parent.chmod(0o700)
        unreachable = Binaries(bin_dir, 18, frozenset())
        for _ in range(2):
            found = Cluster.at(tmp_path / "x", unreachable).binaries
            assert cache in found.bin_dir.parents
            said = server_account().run(found.bin_dir / "postgres")
            assert "18.0" in said.stdout
        assert [path.name for path in cache.iterdir()] == [found.bin_dir.parent.name]
        reachable = replace(unreachable, bin_dir=found.bin_dir)
        assert Cluster.at(tmp_path / "x", reachable).binaries == reachable


@as_root
def test_an_ordinary_user_runs_it_as_himself(tmp_path: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    script = (
        USER.replace("sys.stdin.readline()", "print(cluster.data_dir.stat().st_uid)")
        + "\nprint(cluster.directory.exists())"
    )
    with tempfile.TemporaryDirectory(prefix="pga-", dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        source = Path(binaries.__file__).parents[2]
        shutil.copytree(source / "pgadvisor" / "cluster", Path(folder) / "pgadvisor" / "cluster")
        for name in ("__init__.py", "errors.py"):
            shutil.copy(source / "pgadvisor" / name, Path(folder) / "pgadvisor" / name)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        if python is None or _version(python) < (3, 11):
            pytest.skip("no Python 3.11 that everybody may run")
        ended = subprocess.run(
            [python, "-c", script, str(embedded_binaries().bin_dir), ""],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env={"HOME": folder, "PYTHONPATH": folder, "TMPDIR": folder, "PATH": "/usr/bin:/bin"},
            user=65534,
            group=65534,
            extra_groups=[],
        )
        assert ended.stdout.split()[1:] == ["65534", "False"], ended.stderr
        assert not any(Path(folder).glob("pgadvisor-*"))


def _version(python: str) -> tuple[int, ...]:
    said = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(int(part) for part in said.stdout.split())
