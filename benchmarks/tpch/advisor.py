"""pgadvisor as a user runs it: its command line, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Advice", "advise_statements", "observing", "read_advice"]

#: how long `observe` may take to write its last interval
_LAST_INTERVAL_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One recommendation of `pgadvisor advise --json`."""

    rule: str
    statement: str
    undo: str
    roi_score: float


def _program() -> str:
    return str(Path(sys.executable).parent / "pgadvisor")


def _environment(store_dir: Path) -> dict[str, str]:
    """A store of this benchmark's own, whatever the user has set."""
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**kept, "PGADVISOR_DATA_DIR": str(store_dir)}


@contextmanager
def observing(dsn: str, store_dir: Path, *, interval_seconds: int = 10) -> Iterator[None]:
    """`pgadvisor observe` runs beside the block; ended by Ctrl-C two intervals after it."""
    process = subprocess.Popen(
        [_program(), "observe", dsn, "--for", "12h", "--interval", f"{interval_seconds}s"],
        env=_environment(store_dir),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _let_pass(process, 2 * interval_seconds)  # the first snapshot is the base of the rest
        yield
        _let_pass(process, 2 * interval_seconds)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_LAST_INTERVAL_SECONDS)


def _let_pass(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait while `observe` goes on; it is an error when it does not."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return
    raise SystemExit(f"pgadvisor observe ended early with code {process.returncode}")


def advise_statements(dsn: str, store_dir: Path, *, top: int = 20) -> list[Advice]:
    """What `pgadvisor advise` recommends, best first."""
    done = subprocess.run(
        [_program(), "advise", dsn, "--top", str(top), "--json"],
        env=_environment(store_dir),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pgadvisor advise failed: {done.stderr.strip()}")
    return read_advice(done.stdout)


def read_advice(text: str) -> list[Advice]:
    """The recommendations in the JSON that `advise --json` prints.

    >>> read_advice('{"recommendations": []}')
    []
    """
    return [
        Advice(
            rule=one["rule"],
            statement=one["statement"],
            undo=one["undo"],
            roi_score=float(one["roi_score"]),
        )
        for one in json.loads(text)["recommendations"]
    ]
