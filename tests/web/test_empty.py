"""The pages of a store that has nothing yet, and what they notice later."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from pgadvisor.cluster import Cluster

Serving = Callable[[str, Path], AbstractContextManager[str]]

pytestmark = pytest.mark.browser


def test_without_a_target_the_overview_says_what_to_do(
    empty_address: str, visit: Callable[[str], Page]
) -> None:
    page = visit(f"{empty_address}/")
    expect(page.get_by_text("Nothing is watched yet.")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("pgadvisor observe postgresql://")


def test_without_a_target_the_data_quality_says_what_is_looked_at(
    empty_address: str, visit: Callable[[str], Page]
) -> None:
    page = visit(f"{empty_address}/data-quality")
    expect(page.get_by_text("Nothing is missing in this window")).to_be_visible()
    expect(page.locator(".looked-list")).to_contain_text("targets that cannot be read")
    expect(page.locator(".badge-warn")).to_have_count(0)


def test_a_page_that_fails_shows_nothing_of_the_inside(
    store_cluster: Cluster, serving: Serving, tmp_path: Path, visit: Callable[[str], Page]
) -> None:
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database web_broken")
    dsn = store_cluster.dsn("web_broken")
    with serving(dsn, tmp_path) as address:
        with psycopg.connect(dsn) as conn:
            conn.execute("alter table database_intervals rename to intervals_that_were")
        assert httpx.get(f"{address}/", trust_env=False).status_code == 500
        page = visit(f"{address}/")
    expect(page.get_by_role("heading", name="Something failed")).to_be_visible()
    assert "database_intervals" not in page.content()


@pytest.mark.slow  # an open page looks for news every half minute
def test_an_open_page_says_that_there_are_new_readings(
    address: str, seeded_dsn: str, visit: Callable[[str], Page], tmp_path: Path
) -> None:
    page = visit(f"{address}/")
    assert page.get_by_role("status").inner_text() == ""
    with psycopg.connect(seeded_dsn) as conn:
        conn.execute(
            "update snapshots set captured_at = captured_at - interval '1 ms'"
            " where id = (select max(id) from snapshots)"
        )
    news = page.get_by_role("link", name="New readings: reload")
    expect(news).to_be_visible(timeout=45_000)
    news.click()
    page.wait_for_selector("footer")
    expect(page.locator(".queries tbody tr")).to_have_count(13)
