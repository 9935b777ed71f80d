"""The servers, the wires between them, the workers and the clients."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from benchmarks.torture.load import Load
from benchmarks.torture.proxy import Proxy

from pgadvisor.cluster import Cluster, embedded_binaries, find_binaries

__all__ = ["FAKETIME", "TargetUnderTorture", "World"]

#: Debian's libfaketime: lets one server's clock be set at run time
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "pg_stat_statements.track_utility": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_min_duration": "-1",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_rotation_size": "1MB",
    "log_timezone": "UTC",
    "max_connections": "60",
    "shared_buffers": "64MB",
}
DATABASES = ("app", "billing")


@dataclass
class TargetUnderTorture:
    """One watched server with its load."""

    name: str
    cluster: Cluster
    proxy: Proxy
    load: Load
    #: the file that sets its clock, None where that cannot be
    clock_file: Path | None = None
    #: (our time, seconds its clock was ahead from then on)
    clock_offsets: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start the server, with its own clock where it has one."""
        with _environment(self.environment):
            self.cluster.start()

    def set_clock(self, ahead: float) -> None:
        """Set its clock that many seconds ahead of ours (behind when negative)."""
        assert self.clock_file is not None
        self.clock_file.write_text(f"{ahead:+.0f}\n")
        self.clock_offsets.append((time.time(), ahead))


class _environment:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __enter__(self) -> None:
        os.environ.update(self._names)

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            os.environ.pop(name, None)


class World:
    """Two targets, a store behind a wire, and workers as processes of their own."""

    def __init__(self, *, seed: int, interval: str, clients: int, pause: float) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="torture-"))
        self.folder.chmod(0o755)
        self.interval = interval
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.store = Cluster.temporary(embedded_binaries(), settings={"max_connections": "80"})
        self.store_proxy = Proxy(self.folder / "store", self.store.socket_dir)
        self.targets = [
            self._target("a", {"pg_stat_statements.max": "1000"}, seed, clients, pause),
            self._target("b", {"pg_stat_statements.max": "100"}, seed + 1, clients, pause),
        ]

    def _target(
        self, name: str, settings: dict[str, str], seed: int, clients: int, pause: float
    ) -> TargetUnderTorture:
        cluster = Cluster.temporary(find_binaries(), settings=_SETTINGS | settings)
        dsns = {database: cluster.dsn(database) for database in DATABASES}
        target = TargetUnderTorture(
            name=name,
            cluster=cluster,
            proxy=Proxy(self.folder / name, cluster.socket_dir),
            load=Load(dsns, clients=clients, pause=pause, seed=seed),
        )
        if name == "b" and FAKETIME.exists():
            target.clock_file = self.folder / "clock-of-b"
            target.clock_file.write_text("+0\n")
            target.clock_file.chmod(0o644)
            target.environment = {
                "LD_PRELOAD": str(FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(target.clock_file),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        return target

    def start(self) -> None:
        """Servers, databases, wires, registration."""
        self.store.start()
        self.store_proxy.start()
        for target in self.targets:
            target.start()
            with psycopg.connect(target.cluster.dsn(), autocommit=True) as conn:
                for database in DATABASES:
                    conn.execute(
                        psycopg.sql.SQL("create database {}").format(
                            psycopg.sql.Identifier(database)
                        )
                    )
                conn.execute("create extension pg_stat_statements")
            target.load.prepare()
            target.proxy.start()
        self.pgadvisor("migrate")
        for target in self.targets:
            self.pgadvisor(
                *("targets", "add", target.proxy.dsn("postgres"), "--name", target.name),
                *("--interval", self.interval, "--activity-interval", self.interval),
            )

    def pgadvisor(self, *arguments: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "pgadvisor", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pgadvisor {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start_worker(self, name: str) -> None:
        """A worker process; what it says goes to a file."""
        log = (self.folder / f"{name}.log").open("ab")
        self.workers[name] = subprocess.Popen(
            [sys.executable, "-m", "pgadvisor", "worker"],
            env=self._environment(),
            stdout=log,
            stderr=log,
        )
        log.close()

    def kill_worker(self, name: str, signal_number: int = signal.SIGKILL) -> None:
        """End a worker without a word, or with one."""
        worker = self.workers.pop(name)
        worker.send_signal(signal_number)
        worker.wait(120)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.store_proxy.dsn("postgres"),
            "PGADVISOR_CATALOG_INTERVAL": "60s",
            "LOG_LEVEL": "INFO",
        }

    def close(self) -> None:
        """Stop everything and remove it."""
        for name in list(self.workers):
            self.kill_worker(name)
        for target in self.targets:
            target.load.stop()
            target.proxy.close()
            target.cluster.close()
        self.store_proxy.close()
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)
