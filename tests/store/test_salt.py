"""The secret that values are hashed with."""

import threading
from datetime import UTC, datetime

import pytest

from pgadvisor.config import load_settings
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.store import Store, open_store
from pgadvisor.store.salt import load_salt


def salt_of(store: Store) -> bytes:
    with store.transaction() as conn:
        return load_salt(conn)


def test_it_is_made_once(store: Store) -> None:
    first = salt_of(store)
    assert len(first) == 32
    assert salt_of(store) == first


def test_all_who_begin_at_once_get_the_same(store: Store) -> None:
    together = threading.Barrier(6)
    found: list[bytes] = []

    def ask() -> None:
        together.wait()
        found.append(salt_of(store))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_salt_rolled_back_is_nobodys(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as conn:
        lost = load_salt(conn)
        raise ZeroDivisionError
    assert salt_of(store) != lost


def test_the_mode_of_a_store_is_that_of_the_settings(store_dsn: str) -> None:
    for mode in ParameterMode:
        settings = load_settings(database_url=store_dsn, parameters=mode)
        with open_store(settings, now=datetime.now(UTC)) as store:
            assert store.parameters is mode
