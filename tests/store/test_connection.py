"""A store that cannot be used is told with what to do about it."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.config import load_settings
from pgadvisor.errors import ConfigInvalid, StoreUnavailable
from pgadvisor.store import Store, connection, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@127.0.0.1:1/advisor",
        "host=/nonexistent dbname=advisor password=secret",
        "postgresql://me:secret@127.0.0.1:port/advisor",
    ],
)
def test_nobody_there_is_told_without_the_password(url: str) -> None:
    with (
        pytest.raises(StoreUnavailable) as caught,
        open_store(load_settings(database_url=url), now=NOW),
    ):
        pass
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"
    assert "DATABASE_URL" in caught.value.hint


def test_what_is_no_connection_string_is_told_without_repeating_it() -> None:
    settings = load_settings(database_url="my secret word")
    with pytest.raises(ConfigInvalid) as caught, open_store(settings, now=NOW):
        pass
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_database_that_is_not_there_is_told(store_cluster: Cluster) -> None:
    url = store_cluster.dsn("nowhere")
    with (
        pytest.raises(StoreUnavailable, match=r"database .nowhere. does not exist"),
        open_store(load_settings(database_url=url), now=NOW),
    ):
        pass


def test_a_server_that_is_too_old_is_told(store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_OLDEST_VERSION", 990000)
    with (
        pytest.raises(StoreUnavailable, match="is the oldest that can be one"),
        open_store(load_settings(database_url=store_dsn), now=NOW),
    ):
        pass


def test_a_transaction_is_rolled_back_on_any_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as conn:
        conn.execute("insert into targets (name, conninfo, first_seen_at) values ('x', '', now())")
        raise ZeroDivisionError
    with store.transaction() as conn:
        assert conn.execute("select count(*) from targets").fetchone() == (0,)


def test_mistakes_of_ours_are_not_an_unavailable_store(store: Store) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), store.transaction() as conn:
        conn.execute("select * from nowhere")


def test_instants_arrive_in_utc(store: Store) -> None:
    with store.transaction() as conn:
        row = conn.execute("select timestamptz '2026-01-01 12:00+05:30'").fetchone()
    assert row is not None
    assert row[0].utcoffset().total_seconds() == 0


def test_options_in_the_url_hold_beside_ours(new_database: Callable[[], str]) -> None:
    url = f"{new_database()} options='-c work_mem=7MB'"
    with (
        open_store(load_settings(database_url=url), now=NOW, upgrade=True) as store,
        store.transaction() as conn,
    ):
        assert conn.execute("show work_mem").fetchone() == ("7MB",)
        assert conn.execute("show timezone").fetchone() == ("UTC",)
