"""The command line as a user runs it: a process, its output, its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.store.migrate import migrations

PROGRAM = [sys.executable, "-m", "pgadvisor"]


def environment(store_dsn: str, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATABASE_URL": store_dsn, "COLUMNS": "200", **more}


def run(
    store_dsn: str, *arguments: str, code: int = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env=environment(store_dsn, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_version_and_help_name_the_verbs(store_dsn: str) -> None:
    assert run(store_dsn, "--version").stdout.startswith("pgadvisor ")
    help_text = run(store_dsn, "--help").stdout
    for verb in ("doctor", "observe", "advise", "run", "serve", "migrate", "demo"):
        assert verb in help_text


def test_doctor_ok_and_in_json(store_dsn: str, target_dsn: str) -> None:
    checks: list[dict[str, Any]] = json.loads(run(store_dsn, "doctor", target_dsn, "--json").stdout)
    assert {check["status"] for check in checks} <= {"ok", "warning"}
    assert all(check["remedy"] for check in checks if check["status"] == "warning")
    assert "pg_stat_statements" in run(store_dsn, "doctor", target_dsn).stdout


def test_doctor_finds_the_missing_extension(store_dsn: str, target_dsn: str) -> None:
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        conn.execute("drop extension pg_stat_statements")
    assert "CREATE EXTENSION pg_stat_statements" in run(
        store_dsn, "doctor", target_dsn, code=1
    ).stdout.replace("create extension", "CREATE EXTENSION")


def test_an_unreachable_target_is_a_message_and_a_hint(store_dsn: str) -> None:
    done = run(store_dsn, "doctor", "host=127.0.0.1 port=1 dbname=x", code=1)
    assert "error:" in done.stderr and "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_is_never_printed_or_stored(store_dsn: str, target_dsn: str) -> None:
    secret = "password=hunter2-not-to-be-seen"
    done = run(store_dsn, "doctor", f"host=127.0.0.1 port=1 dbname=x {secret}", code=1)
    assert "hunter2" not in done.stdout + done.stderr
    run(store_dsn, "observe", f"{target_dsn} {secret}", "--for", "1s", "--interval", "1s")
    with psycopg.connect(store_dsn) as conn:
        row = conn.execute("select conninfo from targets").fetchone()
    assert row is not None and "hunter2" not in row[0]


@pytest.mark.usefixtures("hypopg")
def test_observe_then_advise(store_dsn: str, target_dsn: str) -> None:
    with psycopg.connect(target_dsn, autocommit=True) as conn:
        conn.execute(
            "create table t as select g as id, md5(g::text) as h from generate_series(1, 80000) g"
        )
        conn.execute("analyze t")
        # else the rows just inserted count as writes while it is observed: upkeep of an index
        conn.execute("select pg_stat_force_next_flush()")
        observing = subprocess.Popen(
            [*PROGRAM, "observe", target_dsn, "--for", "4s", "--interval", "500ms", "--json"],
            env=environment(store_dsn),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while observing.poll() is None:
            conn.execute("select * from t where h = 'x'")
            time.sleep(0.02)
        output, _ = observing.communicate()
    done = json.loads(output)
    assert done["snapshots"] >= 3
    assert done["calls"] > 10
    advice = json.loads(run(store_dsn, "advise", target_dsn, "--json").stdout)
    assert advice["recommendations"], json.dumps(advice)[:3000]
    best = advice["recommendations"][0]
    assert best["statement"] == 'CREATE INDEX CONCURRENTLY "t_h_idx" ON "public"."t" ("h");'
    assert best["undo"] == 'DROP INDEX CONCURRENTLY "public"."t_h_idx";'
    assert all(isinstance(effect["queryid"], str) for effect in best["effects"])
    text = run(store_dsn, "advise", target_dsn, "--top", "1").stdout
    assert "t_h_idx" in text and "ROI" in text and "undo" in text


def test_ctrl_c_ends_observe_with_its_summary(store_dsn: str, target_dsn: str) -> None:
    observing = subprocess.Popen(
        [*PROGRAM, "observe", target_dsn, "--interval", "200ms", "--json"],
        env=environment(store_dsn),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with psycopg.connect(store_dsn, autocommit=True) as conn:
        deadline = time.monotonic() + 60
        while conn.execute("select count(*) >= 2 from snapshots").fetchone() != (True,):
            assert time.monotonic() < deadline and observing.poll() is None
            time.sleep(0.05)
    observing.send_signal(signal.SIGINT)
    output, complaint = observing.communicate(timeout=90)
    assert observing.returncode == 0, complaint
    assert json.loads(output)["snapshots"] >= 2


def test_wrong_values_say_what_is_expected(store_dsn: str, target_dsn: str) -> None:
    done = run(store_dsn, "observe", target_dsn, "--for", "soon", code=1)
    assert "soon" in done.stderr and "5m" in done.stderr
    done = run(store_dsn, "migrate", code=1, PGADVISOR_PORT="99999999")
    assert "port" in done.stderr


def test_migrate_prepares_an_empty_store(store_cluster: Cluster) -> None:
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database unprepared")
        try:
            dsn = store_cluster.dsn("unprepared")
            refused = run(dsn, "serve", "--port", "0", code=1)
            assert "pgadvisor migrate" in refused.stderr
            assert (
                json.loads(run(dsn, "migrate", "--json").stdout)["version"]
                == migrations()[-1].version
            )
            assert f"{migrations()[-1].version:03d}" in run(dsn, "migrate").stdout
        finally:
            conn.execute("drop database unprepared with (force)")


@pytest.mark.slow
def test_run_serves_and_ends_on_ctrl_c(store_dsn: str, target_dsn: str, tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*PROGRAM, "run", target_dsn, "--interval", "500ms", "--port", "8459"],
        env=environment(store_dsn),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        body = _read("http://127.0.0.1:8459/api/v1/databases", running)
        assert "items" in json.loads(body)
        assert "pgadvisor" in _read("http://127.0.0.1:8459/metrics", running)
    finally:
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=90)
    assert running.returncode in (0, 130), complaint
    assert "Traceback" not in complaint


def _read(url: str, process: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
