"""The target is set up for being observed, and leaves nothing."""

import csv
import os
import secrets
import tempfile
import threading
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from pgadvisor.demo import Stopped, demo_cluster
from pgadvisor.demo.target import DATABASE, DemoTarget, target_settings


def test_it_is_ready_to_be_observed(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn) as conn:
        extensions = {row[0] for row in conn.execute("select extname from pg_extension")}
        row = conn.execute(
            "select current_database(), current_setting('auto_explain.log_format'),"
            " current_setting('logging_collector'), current_setting('track_io_timing')"
        ).fetchone()
    assert "pg_stat_statements" in extensions
    assert ("hypopg" in extensions) == target.has_hypopg
    assert row == (DATABASE, "json", "on", "on")


def test_slow_plans_are_logged(target: DemoTarget) -> None:
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        conn.execute("select count(*) as marked_slow from orders, pg_sleep(0.05)")
    # the log is written by a process of its own, soon after
    deadline = monotonic() + 10
    while not any("marked_slow" in text for text in plans_logged(target)):
        assert monotonic() < deadline


def plans_logged(target: DemoTarget) -> list[str]:
    folder = target.cluster.log_dir
    entries = [line for path in folder.glob("*.json") for line in path.read_text().splitlines()]
    for path in folder.glob("*.csv"):  # before PostgreSQL 15
        with path.open(newline="") as file:
            entries += [",".join(row) for row in csv.reader(file)]
    return [entry for entry in entries if "Plan" in entry]


def test_older_servers_log_csv() -> None:
    assert target_settings(14)["log_destination"] == "csvlog"


def test_a_stop_during_the_build_leaves_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"stopped-{os.getpid()}"
    monkeypatch.setattr(secrets, "token_hex", lambda length: name)
    folder = Path(tempfile.gettempdir()) / f"pgadvisor-{name}"
    stop = threading.Event()
    existed: list[bool] = []

    def note(step: str, done: float) -> None:
        existed.append(folder.exists())
        if step.startswith("orders"):
            stop.set()

    with pytest.raises(Stopped), demo_cluster(scale=0.002, stop=stop, progress=note):
        pass
    assert existed[0] is False
    assert existed[-1] is True
    assert not folder.exists()
