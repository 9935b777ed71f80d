from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pgadvisor.config import Settings
from pgadvisor.errors import NotFound
from pgadvisor.store import Store, open_store
from pgadvisor.web.reads import read_overview, read_query_page
from pgadvisor.web.window import window_named

NOW = datetime.fromisoformat("2026-03-04T12:00:00+00:00")
SLOW = "-4402183927123213"


@pytest.fixture(scope="module")
def store(seeded_dsn: str) -> Iterator[Store]:
    with open_store(Settings(database_url=seeded_dsn), now=NOW) as store:
        yield store


@pytest.mark.parametrize("name", ["1h", "24h", "7d", "30d"])
def test_the_load_over_time_adds_up_to_the_time_of_the_databases(store: Store, name: str) -> None:
    data = read_overview(store, window_named(name, NOW))
    width = (data.load.times[1] - data.load.times[0]).total_seconds()
    step = max(width, 900)  # readings are a quarter of an hour apart
    for (_, values), database in zip(data.load.series, data.databases, strict=True):
        seconds = sum(value for value in values if value is not None) * step
        assert seconds == pytest.approx(database.total_exec_time / 1000, rel=1e-5)


def test_a_fingerprint_has_the_page_of_its_query(store: Store) -> None:
    window = window_named("24h", NOW)
    by_queryid = read_query_page(store, "/run/shop:5432", "shop", SLOW, window)
    fingerprint = by_queryid.query.fingerprint or ""
    assert read_query_page(store, "/run/shop:5432", "shop", fingerprint, window) == by_queryid


@pytest.mark.parametrize("name", ["1h", "24h", "7d", "30d"])
def test_the_rate_of_a_query_adds_up_to_its_calls(store: Store, name: str) -> None:
    data = read_query_page(store, "/run/shop:5432", "shop", SLOW, window_named(name, NOW))
    width = (data.rates.times[1] - data.rates.times[0]).total_seconds()
    calls = sum(rate for rate in data.rates.calls_per_second if rate is not None) * max(width, 900)
    assert calls == pytest.approx(data.query.calls, rel=1e-5)


def test_a_window_that_nobody_observed_has_no_load(store: Store) -> None:
    data = read_overview(store, window_named("1h", NOW - timedelta(days=30)))
    assert data.observed_seconds == 0
    assert data.load.series == []
    assert data.queries == []
    assert [state.target for state in data.targets] == ["/run/shop:5432", "reports.example:5432"]


@pytest.mark.parametrize(
    "place",
    [
        ("/run/shop:5432", "shop", "1"),
        ("/run/shop:5432", "analytics/<i>2026</i>", SLOW),
        ("reports.example:5432", "shop", SLOW),
        ("/run/shop:5432", "shop", "dc7d9561c7956fc7"),
    ],
)
def test_a_query_page_is_of_one_query_in_one_place(
    store: Store, place: tuple[str, str, str]
) -> None:
    with pytest.raises(NotFound):
        read_query_page(store, *place, window_named("24h", NOW))
