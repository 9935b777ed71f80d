"""The account PostgreSQL runs under: ours, or another where we are root.

PostgreSQL refuses to run as root (main.c, check_root), so root hands it to the account
`postgres`, else `nobody`: initdb needs one with a passwd entry.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgadvisor.cluster.binaries import Binaries
from pgadvisor.errors import ClusterFailed

__all__ = ["Account", "reachable", "server_account"]

#: root's copies of binaries that another account cannot reach
CACHE_DIR = Path("/var/cache/pgadvisor")


@dataclass(frozen=True, slots=True)
class Account:
    """A user id that may run PostgreSQL."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """True where it is not the account of this process."""
        return self.uid != os.getuid()

    def run(self, *command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program under the account, in its own session: no Ctrl-C reaches it."""
        return subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            timeout=timeout,
            start_new_session=True,
            **self._switch(),
        )

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def _switch(self) -> dict[str, Any]:
        if not self.is_other:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account:
    """The account for servers of ours; `ClusterFailed` for root on a machine with no other."""
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid())
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return Account(known[name].pw_uid, known[name].pw_gid)
    raise ClusterFailed(
        "PostgreSQL does not run as root and there is no account postgres or nobody",
        hint="Run pgadvisor as an ordinary user, or create one with `useradd --system postgres`.",
    )


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """The binaries, or a copy of them where the account cannot enter their folder.

    That is so for a virtual environment below /root.
    """
    if not account.is_other:
        return binaries
    with contextlib.suppress(PermissionError):  # the usual case of an unreachable folder
        if account.run(binaries.bin_dir / "postgres", "--version").returncode == 0:
            return binaries
    stamp = int((binaries.bin_dir / "postgres").stat().st_mtime)
    copy = CACHE_DIR / f"postgresql-{binaries.major}-{stamp}"
    try:
        if not copy.exists():
            _copy(binaries.bin_dir.parent, copy)
    except OSError as exc:
        raise ClusterFailed(
            f"cannot copy {binaries.bin_dir.parent} to {CACHE_DIR}: {exc}",
            hint="Install pgadvisor where every user can read it, or run it as an ordinary user.",
        ) from exc
    return Binaries(copy / "bin", binaries.major, binaries.extensions)


def _copy(install_dir: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".draft-") as folder:
        draft = Path(folder) / copy.name
        shutil.copytree(install_dir, draft, symlinks=True)
        draft.chmod(0o755)
        with contextlib.suppress(FileExistsError):  # another process was faster
            draft.rename(copy)
