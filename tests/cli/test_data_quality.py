"""pgadvisor data-quality as a user runs it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from pgadvisor.cli import main
from pgadvisor.config import load_settings
from pgadvisor.store import open_store
from pgadvisor.store.quality import LOOKED_AT
from pgadvisor.store.targets import register_target, save_failure

#: what a server may say; brackets are markup to the library that prints
MESSAGE = "connection [bold]refused[/]\x1b[31m"


def run(monkeypatch: pytest.MonkeyPatch, store_dsn: str, *arguments: str, code: int = 0) -> None:
    monkeypatch.setenv("DATABASE_URL", store_dsn)
    monkeypatch.setattr("sys.argv", ["pgadvisor", "data-quality", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code


def fail(store_dsn: str) -> None:
    now = datetime.now(UTC)
    with (
        open_store(load_settings(database_url=store_dsn), now=now) as store,
        store.transaction() as conn,
    ):
        target = register_target(conn, "it's [red]", "host=shop", now=now)
        save_failure(conn, target, MESSAGE, now=now, failures=3, retry_in=timedelta(minutes=1))


def test_nothing_found_says_what_was_looked_at(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, store_dsn)
    printed = capsys.readouterr().out
    assert "nothing found" in printed
    assert all(look.at.split("(")[0][:40] in printed for look in LOOKED_AT.values())


def test_an_error_ends_with_code_one_and_says_what_mends_it(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(store_dsn)
    monkeypatch.setenv("COLUMNS", "200")
    run(monkeypatch, store_dsn, "--window", "1h", code=1)
    printed = capsys.readouterr().out
    assert "target-failing" in printed
    assert "connection [bold]refused[/]" in printed
    assert "\x1b[31m" not in printed
    assert "pgadvisor doctor 'host=shop'" in printed


def test_json_has_everything(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(store_dsn)
    run(monkeypatch, store_dsn, "--json", code=1)
    body = json.loads(capsys.readouterr().out)
    assert body["attention"] == 1
    (item,) = body["items"]
    assert (item["name"], item["severity"], item["count"]) == ("target-failing", "error", 3)
    assert item["why"]
    assert {look["name"] for look in body["looked_at"]} == set(LOOKED_AT)
    run(monkeypatch, store_dsn, "--json", "--target", "another")
    assert json.loads(capsys.readouterr().out)["items"] == []


def test_a_window_that_is_none_is_told(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, store_dsn, "--window", "soon", code=1)
    assert "12h or 7d" in capsys.readouterr().err
