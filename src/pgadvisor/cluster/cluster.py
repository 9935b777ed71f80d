"""One private cluster: made, started, joined, stopped.

Layout of its directory::

    data/            PGDATA
    socket/          the private socket (elsewhere when the path is too long for one)
    postmaster.log   what the server says before its own logging begins
    start.lock       held by whoever makes or starts it
    users.lock       held, shared, by every process that uses it; see guard.py
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pgadvisor.cluster import guard
from pgadvisor.cluster.account import Account, reachable, server_account
from pgadvisor.cluster.binaries import Binaries, find_binaries
from pgadvisor.cluster.ping import Answer, ping
from pgadvisor.errors import ClusterFailed

__all__ = ["Cluster"]

Mode = Literal["smart", "fast", "immediate"]

#: sun_path holds 108 bytes on Linux and 104 on macOS; the socket's name takes up to 20
_LONGEST_SOCKET_DIR = 80
_PORT = 5432
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_START_SECONDS = 60


class Cluster:
    """A PostgreSQL cluster that only this user can reach.

    Use `temporary` for one that vanishes with the process, `at` for one that stays. Both are
    context managers; `start` joins a server that another process already started.
    """

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        is_temporary: bool = False,
        locale: str = "C",
    ) -> None:
        self.account: Account = server_account()
        self.binaries = reachable(binaries, self.account)
        self.directory = directory
        self.settings = dict(settings or {})
        self.is_temporary = is_temporary
        self.locale = locale
        self._users_lock: int | None = None

    @classmethod
    def temporary(
        cls,
        binaries: Binaries | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        locale: str = "C",
    ) -> Self:
        """A cluster in a new folder, removed on exit, without durability: it is thrown away."""
        directory = Path(tempfile.gettempdir()) / f"pgadvisor-{secrets.token_hex(4)}"
        return cls(
            binaries or find_binaries(),
            directory,
            settings={**_THROWAWAY, **(settings or {})},
            is_temporary=True,
            locale=locale,
        )

    @classmethod
    def at(
        cls, directory: Path, binaries: Binaries, *, settings: Mapping[str, str] | None = None
    ) -> Self:
        """A cluster that stays: made in the folder at the first start, joined afterwards."""
        return cls(binaries, directory, settings=settings)

    @property
    def data_dir(self) -> Path:
        """PGDATA."""
        return self.directory / "data"

    @property
    def log_dir(self) -> Path:
        """Where logging_collector writes."""
        return self.data_dir / "log"

    @property
    def socket_dir(self) -> Path:
        """The folder of the Unix socket, entered by its owner alone."""
        plain = self.directory / "socket"
        if len(os.fsencode(plain)) <= _LONGEST_SOCKET_DIR:
            return plain
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]
        return Path("/tmp") / f"pgadvisor-{self.account.uid}-{digest}"

    @property
    def is_running(self) -> bool:
        """True while a server answers."""
        return self._status() == Answer.ACCEPTING

    def dsn(self, dbname: str = "postgres", user: str = "postgres") -> str:
        """A libpq connection string over the private socket."""
        return f"dbname={dbname} user={user} host={self.socket_dir} port={_PORT}"

    def start(self) -> None:
        """Make it if it is new, start it if nobody has, and count as one of its users."""
        self._make_directory()
        try:
            with self._starting():
                self._hold()
                self._guard()  # first: a process killed while it starts a server leaves none
                if not (self.data_dir / "PG_VERSION").exists():
                    self._initdb()
                self._start_server()
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise ClusterFailed(
                f"could not start the cluster in {self.directory}: {exc}",
                hint="Check the free disk space and the folder's rights.",
            ) from exc

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server, whoever else uses it; `start` brings it up again."""
        result = self._pg_ctl("stop", "-m", mode)
        if result.returncode and (self.data_dir / "postmaster.pid").exists():
            raise ClusterFailed(f"could not stop the cluster in {self.directory}: {result.stdout}")

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop using it. A temporary one is removed; another stops with its last user."""
        if self._users_lock is None:
            return
        if self.is_temporary:
            if (self.data_dir / "postmaster.pid").exists():
                self.stop("immediate")
            shutil.rmtree(self.directory, ignore_errors=True)
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        os.close(self._users_lock)
        self._users_lock = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _make_directory(self) -> None:
        for folder in (self.directory, self.socket_dir):
            try:
                if not folder.exists():
                    folder.mkdir(mode=0o700, parents=True)
                    self.account.own(folder)
                owner = folder.stat().st_uid
            except OSError as exc:
                raise ClusterFailed(
                    f"cannot use the folder {folder}: {exc.strerror}",
                    hint="Set PGADVISOR_DATA_DIR to a folder that you may write.",
                ) from exc
            if owner != self.account.uid:
                raise ClusterFailed(
                    f"the folder {folder} belongs to another user",
                    hint="Run pgadvisor as its owner, or set PGADVISOR_DATA_DIR to another folder.",
                )

    @contextmanager
    def _starting(self) -> Iterator[None]:
        lock = os.open(self.directory / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _hold(self) -> None:
        if self._users_lock is None:
            lock = os.open(self.directory / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            # waits while a guard is still stopping the server
            fcntl.flock(lock, fcntl.LOCK_SH)
            self._users_lock = lock

    def _initdb(self) -> None:
        if self.data_dir.exists():  # an initdb that was killed halfway
            shutil.rmtree(self.data_dir)
        result = self.account.run(
            self.binaries.bin_dir / "initdb",
            *("-D", self.data_dir, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
            f"--locale={self.locale}",
        )
        if result.returncode:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            raise ClusterFailed(
                f"initdb failed in {self.directory}: {result.stdout.strip()[-800:]}",
                hint="Check the free disk space and the folder's rights.",
            )
        with (self.data_dir / "postgresql.conf").open("a") as conf:
            conf.write("include = 'pgadvisor.conf'\n")

    def _start_server(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while (status := self._status()) != Answer.ACCEPTING:
            # a server whose starter was killed is left to come up
            said = "" if status == Answer.REJECTING or self._lives() else self._try_start()
            # children of a killed server need a moment to end
            if (said and "still in use" not in said) or time.monotonic() > deadline:
                raise ClusterFailed(
                    f"PostgreSQL did not start in {self.directory}: {said or 'no answer'}",
                    hint=f"Its log is {self.directory / 'postmaster.log'}.",
                )
            time.sleep(0.05)

    def _try_start(self) -> str:
        """Start it; what the server says when it does not, empty when it does."""
        conf = self.data_dir / "pgadvisor.conf"
        conf.write_text(self._conf())
        self.account.own(conf)
        # the socket is of this cluster alone, so its lock tells no more than postmaster.pid
        (self.socket_dir / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)
        log = self.directory / "postmaster.log"
        read = log.stat().st_size if log.exists() else 0
        result = self._pg_ctl("start", "-l", str(log))
        if result.returncode == 0:
            return ""
        said = log.read_bytes()[read:].decode(errors="replace") if log.exists() else ""
        return said.strip()[-800:] or result.stdout.strip()[-800:] or "no reason given"

    def _status(self) -> Answer:
        return ping(self.socket_dir / f".s.PGSQL.{_PORT}")

    def _lives(self) -> bool:
        """True while the process of postmaster.pid is our server.

        Its id may have gone to another process since, after a reboot for example, or the file
        be empty after a crash of the machine. PostgreSQL would refuse to start then
        (CreateLockFile), so the file is removed.
        """
        pid_file = self.data_dir / "postmaster.pid"
        try:
            pid = abs(int(pid_file.read_text().splitlines()[0]))
        except FileNotFoundError:
            return False
        except IndexError:
            pid_file.unlink(missing_ok=True)
            return False
        if not Path("/proc/self").exists():
            named = self.account.run("ps", "-o", "comm=", "-p", str(pid)).stdout
            return "postgres" in named
        if not Path(f"/proc/{pid}").exists():
            return False
        try:
            is_ours = Path(f"/proc/{pid}/cwd").readlink() == self.data_dir.resolve()
        except OSError:
            is_ours = False  # of another user, or it ended this moment
        if not is_ours:
            pid_file.unlink(missing_ok=True)
        return is_ours

    def _conf(self) -> str:
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            **self.settings,
        }
        quoted = {name: value.replace("'", "''") for name, value in settings.items()}
        return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())

    def _pg_ctl(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.account.run(
            self.binaries.bin_dir / "pg_ctl",
            *(verb, "-s", "-w", "-t", str(_START_SECONDS), "-D", str(self.data_dir), *arguments),
        )

    def _guard(self) -> None:
        subprocess.run(  # returns at once: the guard forks away
            [
                *(sys.executable, "-I", "-S", guard.__file__, str(self.directory)),
                *(str(self.binaries.bin_dir / "pg_ctl"), str(self.account.uid)),
                *(str(self.account.gid), "immediate" if self.is_temporary else "fast"),
                "yes" if self.is_temporary else "no",
                str(self.socket_dir),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            check=True,
            start_new_session=True,  # no Ctrl-C reaches it even before it forks away
        )
