"""pgadvisor import-history as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.test_cli import PROGRAM, environment, run
from tests.collect.imports.reading import csv_text

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
NAMES = ("captured_at", "database", "queryid", "query", "calls", "total_exec_time", "rows")


def rows(hours: int, queries: int) -> list[tuple[Any, ...]]:
    return [
        (
            (START + hour * timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S+00"),
            "shop",
            query * 7919 - 5000,
            f"select {', '.join(['a'] * (query % 40 + 1))} from t{query}",
            1 + (hour * 31 + query) % 17,
            0.5 * query,
            hour,
        )
        for hour in range(hours)
        for query in range(queries)
    ]


def calls(store_dsn: str) -> int:
    with psycopg.connect(store_dsn) as conn:
        found = conn.execute("select coalesce(sum(calls), 0) from statement_hours").fetchone()
    return int(found[0]) if found else 0


def test_a_file_is_imported_with_a_report(store_dsn: str, tmp_path: Path) -> None:
    made = rows(48, 20)
    path = tmp_path / "history.csv"
    path.write_text(csv_text(NAMES, [*made, (START.isoformat(), "shop", 1, "x", -1, 0, 0)]))
    dry = run(store_dsn, "import-history", str(path), "--dry-run", "--target", "old")
    assert "960 rows of history would be imported into old" in dry.stdout
    assert calls(store_dsn) == 0
    printed = run(store_dsn, "import-history", str(path), "--target", "old").stdout
    expected = sum(row[4] for row in made)
    assert "961 rows read, 960 rows of history imported into old" in printed
    assert "rows/s)" in printed and f"{expected:,} calls" in printed
    assert "left out: 1 rows, negative: calls (line 962)" in printed
    assert calls(store_dsn) == expected
    (again,) = json.loads(
        run(store_dsn, "import-history", str(path), "--target", "old", "--json").stdout
    )
    assert (again["rows_read"], again["rows"], again["overlapping"]) == (961, 0, 960)
    assert again["refused"]["negative: calls"] == {"count": 1, "examples": ["line 962"]}


def test_standard_input_and_options(store_dsn: str) -> None:
    text = "when;n\n31/01/2026 23:00;5\n01/02/2026 00:00;7\n"
    done = subprocess.run(
        [
            *(*PROGRAM, "import-history", "-", "--json", "--map", "captured_at=when"),
            *("--map", "calls=n", "--timezone", "Europe/Berlin", "--database", "shop"),
            *("--interval", "30m", "--deltas", "--time-is", "end", "--missing", "unobserved"),
        ],
        input=text,
        env=environment(store_dsn),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["target"], report["databases"], report["calls"]) == ("import", ["shop"], 12)
    assert report["since"] == "2026-01-31 21:30:00+00:00"
    with psycopg.connect(store_dsn) as conn:
        found = conn.execute("select count(*), sum(until - since) from imported_spans").fetchone()
    assert found == (2, timedelta(hours=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv"], "cannot be read"),
        (["--map", "calls", "x.csv"], "is not OURS=THEIRS"),
        (["--deltas", "--cumulative", "x.csv"], "at once"),
        (["--timezone", "Mars", "x.csv"], "no time zone"),
        (["--from", "powa", "host=/nowhere dbname=powa"], "/nowhere"),
    ],
)
def test_errors_say_what_to_do(
    store_dsn: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run(store_dsn, "import-history", *arguments, code=1)
    assert message in " ".join(done.stderr.split())
    assert "hint:" in done.stderr


def test_a_killed_import_goes_on_and_the_sums_are_exact(store_dsn: str, tmp_path: Path) -> None:
    made = rows(60, 1000)
    path = tmp_path / "history.csv"
    path.write_text(csv_text(NAMES, made))
    killed = subprocess.Popen(
        [*PROGRAM, "import-history", str(path)],
        env=environment(store_dsn),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not calls(store_dsn) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = calls(store_dsn)
    whole = sum(row[4] for row in made)
    assert 0 < before < whole
    (report,) = json.loads(run(store_dsn, "import-history", str(path), "--json").stdout)
    assert report["overlapping"] > 0
    assert (calls(store_dsn), before + report["calls"]) == (whole, whole)


_READ = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pgadvisor.collect.imports import FileSource, ImportOptions
source = FileSource(Path(sys.argv[1]), ImportOptions())
rows = sum(len(piece.rows) for piece in source.pieces(now=datetime(2100, 1, 1, tzinfo=UTC)))
# not getrusage: there a process has the memory of its parent before exec
peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(rows, peak)
"""


@pytest.mark.slow
@pytest.mark.parametrize("shuffled", [False, True])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, shuffled: bool) -> None:
    used = []
    for hours in (150, 1200):
        made = rows(hours, 100)
        if shuffled:
            made = made[1::2] + made[::2]
        path = tmp_path / f"{hours}.csv"
        path.write_text(csv_text(NAMES, made))
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
        )
        read, kilobytes = map(int, done.stdout.split())
        assert read == hours * 100
        used.append(kilobytes)
    # a file that has to be sorted is held in memory up to 100,000 rows
    assert used[1] - used[0] < (100_000 if shuffled else 20_000)
