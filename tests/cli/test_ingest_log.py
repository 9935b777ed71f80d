"""pgadvisor ingest-log as a user runs it."""

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-m", "pgadvisor", "ingest-log"]


def run(
    store_dsn: str, *arguments: str | Path, code: int = 0, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**kept, "DATABASE_URL": store_dsn, "COLUMNS": "160"},
        input=stdin,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == code, (done.stdout + done.stderr).decode()
    return done


def log(first: int, count: int) -> bytes:
    """A log of yesterday without a database in its prefix."""
    begin = datetime.now(UTC) - timedelta(days=1)
    return b"".join(
        f"{begin + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}.000 UTC [{n}] LOG:  "
        f"duration: {100 + n}.000 ms  statement: select * from [t] where id = {n}\n".encode()
        for n in range(first, first + count)
    )


def test_a_file_alone(store_dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_bytes(log(0, 3).replace(b"[t]", b"t"))
    text = run(store_dsn, path, "--database", "shop", "--threshold", "100ms").stdout.decode()
    assert "stderr, log_line_prefix '%m [%p] ': 3 statements and 0 plans in 3 lines" in text
    assert "303.0" in text and "101.000" in text and "102.0" in text and "shop" in text
    assert "only executions that took 100 ms or more" in " ".join(text.split())
    # the file has grown, was rotated and gzipped, and comes through a pipe
    packed = tmp_path / "server.log.1.gz"
    packed.write_bytes(gzip.compress(path.read_bytes() + log(10, 1).replace(b"[t]", b"t")))
    piped = run(
        store_dsn,
        *("-", "--database", "shop", "--target", "server.log", "--json"),
        stdin=packed.read_bytes(),
    )
    found: dict[str, Any] = json.loads(piped.stdout)
    (file,) = found["files"]
    assert (file["statements"], file["known_bytes"]) == (1, path.stat().st_size)
    assert not found["is_whole"] and "not known which" in found["shows"]
    (query,) = found["queries"]
    assert (query["executions"], query["total_duration_ms"]) == (4, 413.0)
    assert query["threshold_ms"] is None
    assert "select * from t where id" in query["query"]


def test_a_directory_and_wrong_arguments(store_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(log(0, 2))
    (tmp_path / "b.log").write_bytes(log(5, 2))
    done = run(store_dsn, tmp_path, "--database", "shop", "--threshold", "0", "--json")
    found = json.loads(done.stdout)
    assert found["target"] == tmp_path.name
    assert [file["statements"] for file in found["files"]] == [2, 2]
    assert found["is_whole"]
    said = run(store_dsn, tmp_path / "none.log", code=1).stderr.decode()
    assert "error:" in said and "none.log cannot be read" in said and "hint:" in said
    assert "Traceback" not in said
    said = run(store_dsn, tmp_path, "--threshold", "soon", code=1).stderr.decode()
    assert "soon" in said and "log_min_duration_statement" in said
    said = run(store_dsn, tmp_path, "--sample-rate", "2", code=1).stderr.decode()
    assert "--sample-rate cannot be 2" in said
    (tmp_path / "c.log").write_bytes(b"what is this\n" * 99)
    said = run(store_dsn, tmp_path / "c.log", code=1).stderr.decode()
    assert "no usual log_line_prefix" in said and "--line-prefix" in said
