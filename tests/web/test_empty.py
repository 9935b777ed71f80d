"""The pages of a store that has nothing yet, and what they notice later."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_without_a_target_the_overview_says_what_to_do(
    empty_address: str, visit: Callable[[str], Page]
) -> None:
    page = visit(f"{empty_address}/")
    expect(page.get_by_text("Nothing is watched yet.")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("pgadvisor observe postgresql://")


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
    expect(page.locator(".queries tbody tr")).to_have_count(15)
