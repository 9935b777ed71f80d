import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from pgadvisor import __version__
from pgadvisor.api import create_app
from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.config import Settings
from pgadvisor.store import Store, open_store

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
Serve = Callable[[FastAPI], AbstractContextManager[str]]


def test_health_names_the_version(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}
    assert client.get("/readyz").json() == {"status": "ok", "version": __version__}


def samples(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_tell_how_collecting_goes(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert found["pgadvisor_store_up", ""] == 1
    assert found["pgadvisor_target_up", "/run/shop:5432"] == 1
    assert found["pgadvisor_target_up", "reports.example:5432"] == 0
    assert found["pgadvisor_target_last_snapshot_age_seconds", "/run/shop:5432"] == 0
    assert ("pgadvisor_target_last_snapshot_age_seconds", "reports.example:5432") not in found
    assert found["pgadvisor_target_snapshots", "/run/shop:5432"] == 97
    assert found["pgadvisor_target_statements", "/run/shop:5432"] == 16
    assert found["pgadvisor_target_gaps", "eviction,/run/shop:5432"] == 1
    assert found["pgadvisor_target_lag_seconds", "/run/shop:5432"] == 0
    assert ("pgadvisor_target_lag_seconds", "reports.example:5432") not in found
    assert found["pgadvisor_target_circuit_open", "/run/shop:5432"] == 0
    assert found["pgadvisor_target_failures", "reports.example:5432"] == 1
    assert found["pgadvisor_target_log_problem", "/run/shop:5432"] == 1
    assert found["pgadvisor_target_clock_skew_seconds", "/run/shop:5432"] == 2.4
    assert found["pgadvisor_target_hidden_time_ratio", "/run/shop:5432"] == 0
    assert found["pgadvisor_target_paused", "/run/shop:5432"] == 0
    assert found["pgadvisor_recommendations_open", "shop,proposed,/run/shop:5432"] == 3
    assert found["pgadvisor_store_size_bytes", ""] > 1_000_000
    assert found["process_resident_memory_bytes", ""] > 0


def test_every_metric_of_ours_has_help_and_type(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    names = set(re.findall(r"^(pgadvisor_\w+)[{ ]", text, re.MULTILINE))
    assert len(names) >= 8
    for name in names:
        assert f"# HELP {name} " in text
        assert f"# TYPE {name} gauge" in text


def test_metrics_are_read_anew_after_some_seconds_only(store: Store, serve: Serve) -> None:
    moments = iter([NOW, NOW + timedelta(seconds=2), NOW + timedelta(seconds=60)])
    app = create_app(store, Settings(), clock=lambda: next(moments))
    key = ("pgadvisor_target_last_snapshot_age_seconds", "/run/shop:5432")
    with serve(app) as address:
        url = f"http://{address}/metrics"
        ages = [samples(httpx.get(url, trust_env=False).text)[key] for _ in range(3)]
    assert ages == [0, 0, 60]


def test_a_target_lags_when_its_next_reading_is_overdue(store: Store, serve: Serve) -> None:
    moments = iter([NOW + timedelta(seconds=45), NOW + timedelta(seconds=100)])
    settings = Settings(interval=timedelta(seconds=30))
    app = create_app(store, settings, clock=lambda: next(moments))
    key = ("pgadvisor_target_lag_seconds", "/run/shop:5432")
    with serve(app) as address:
        url = f"http://{address}/metrics"
        lags = [samples(httpx.get(url, trust_env=False).text)[key] for _ in range(2)]
    assert lags == [15, 70]


def test_a_store_of_another_schema_is_not_ready(
    new_store_dsn: Callable[[str], str], serve: Serve
) -> None:
    settings = Settings(database_url=new_store_dsn("api_other_schema"))
    with (
        open_store(settings, now=NOW, upgrade=True) as store,
        serve(create_app(store, settings, clock=lambda: NOW)) as address,
    ):
        with store.transaction() as conn:
            conn.execute("update schema_migrations set version = 905 where version = 5")
        answer = httpx.get(f"http://{address}/readyz", trust_env=False)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:pgadvisor:problem:schema-outdated"


@pytest.mark.slow  # the pool waits ten seconds for a server that does not come back
def test_a_store_that_goes_away_is_reported_and_found_again(serve: Serve) -> None:
    with Cluster.temporary(embedded_binaries()) as cluster:
        settings = Settings(database_url=cluster.dsn())
        with (
            open_store(settings, now=NOW, upgrade=True) as store,
            serve(create_app(store, settings, clock=lambda: NOW)) as address,
            httpx.Client(base_url=f"http://{address}", timeout=60, trust_env=False) as client,
        ):
            cluster.stop()
            answer = client.get("/api/v1/databases")
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["type"] == "urn:pgadvisor:problem:store-unavailable"
            assert client.get("/healthz").status_code == 200
            assert samples(client.get("/metrics").text)["pgadvisor_store_up", ""] == 0
            cluster.start()
            assert client.get("/readyz").status_code == 200
