"""Both pages in a real browser, over a store with a day of history."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = pytest.mark.browser

Visit = Callable[[str], Page]

SHOP = "/queries/%2Frun%2Fshop%3A5432/shop"
SLOW = f"{SHOP}/-4402183927123213"
PAGES = ("/", SLOW, f"{SHOP}/777", f"{SHOP}/31?window=7d", "/data-quality")


def test_the_overview_shows_load_queries_and_advice(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    expect(page).to_have_title("Overview · pgadvisor")
    rows = page.locator(".queries tbody tr")
    expect(rows).to_have_count(13)
    expect(rows.first).to_contain_text("select o.id, o.number")
    expect(rows.first).to_contain_text("57.")
    expect(page.locator(".advice")).to_have_count(3)
    expect(page.locator(".dot-good")).to_have_count(1)
    expect(page.locator(".dot-bad")).to_have_count(1)
    expect(page.locator(".targets .chip")).to_have_text(["primary"])
    expect(page.locator(".gap")).to_contain_text("entries were evicted")


def test_the_arithmetic_of_the_score_can_be_checked(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    first = page.locator(".advice").first
    values = first.locator(".roi-value").all_inner_texts()
    confidence, improvement, urgency, score = (
        float(re.sub(r"[^\d.]", "", value)) for value in values
    )
    assert confidence * improvement * urgency == pytest.approx(score, rel=0.001)
    expect(first.locator(".roi")).to_contain_text("÷ 100 = 653.9 s saved/h")
    first.get_by_text("Where each number comes from").click()
    expect(first.locator(".sources")).to_contain_text("24.00 hours observed")


def test_the_page_of_a_query_marks_the_hot_node(address: str, visit: Visit) -> None:
    page = visit(address + SLOW)
    hot = page.locator("tr.hot")
    expect(hot).to_have_count(1)
    expect(hot).to_contain_text("Seq Scan on orders o")
    expect(hot).to_contain_text("96.7 %")
    expect(hot).to_contain_text("415×")
    expect(hot).to_contain_text("too many estimated")
    expect(page.locator("pre").first).to_contain_text("ORDER BY o.placed_at DESC")
    expect(page.locator(".advice")).to_have_count(1)


def test_the_page_of_a_query_shows_what_joins_it_and_what_its_log_leaves_out(
    address: str, visit: Visit
) -> None:
    page = visit(address + SLOW)
    expect(page.locator(".identity")).to_contain_text("customers")
    expect(page.locator(".identity a")).to_have_text(["-4402183927123213"])
    logged = page.locator(".logged")
    expect(logged).to_contain_text("Only executions over 250 ms are in the log")
    expect(logged).to_contain_text("of those logged")
    fingerprint = page.locator(".title-line .mono").last.inner_text().removeprefix("fingerprint ")
    by_fingerprint = visit(f"{address}{SHOP}/{fingerprint}")
    expect(by_fingerprint.locator("h1")).to_have_text("Query -4402183927123213")


def test_the_overview_is_narrowed_by_a_form_and_the_url_says_so(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    page.locator("select[name=database]").select_option("analytics/<i>2026</i>")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/?window=24h&target=&database=analytics%2F%3Ci%3E2026%3C%2Fi%3E")
    rows = page.locator(".queries tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="with utility statements").click()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="7d", exact=True).click()
    page.wait_for_url("**window=7d&database=analytics*&utility=1")
    expect(rows).to_have_count(3)
    rows.first.locator("a").click()
    page.get_by_role("link", name="Overview").last.click()
    page.wait_for_url("**/?window=7d&database=analytics*")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".queries tbody tr")).to_have_count(13)


def test_data_quality_comes_worst_first_with_what_mends_it(
    address: str, context: BrowserContext, visit: Visit
) -> None:
    page = visit(f"{address}/")
    badge = page.locator(".badge-warn")
    number = badge.inner_text()
    badge.click()
    page.wait_for_url("**/data-quality?window=24h")
    expect(page.locator("h1")).to_have_text("Data quality")
    expect(page.locator(".title-line")).to_contain_text(f"{number} things to mend")
    headings = page.locator("section.panel h2")
    expect(headings).to_have_text(["Missing now", "To mend", "Good to know"])
    first = page.locator(".finding").first
    expect(first).to_contain_text("target-failing")
    expect(first.locator("pre")).to_have_text("pgadvisor doctor 'host=reports.example'")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    first.get_by_role("button", name="Copy").click()
    expect(first.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("pgadvisor doctor")
    page.locator(".finding", has_text="neither logged").last.locator("a").first.click()
    page.wait_for_url("**/queries/%2Frun%2Fshop%3A5432/shop/*")
    expect(page.locator("h1")).to_contain_text("Query")


def test_data_quality_of_one_target(address: str, visit: Visit) -> None:
    page = visit(f"{address}/data-quality?target=reports.example:5432")
    expect(page.locator(".finding")).to_have_count(1)
    page = visit(f"{address}/data-quality?target=nobody")
    expect(page.get_by_text("Nothing is missing in this window")).to_be_visible()
    expect(page.locator(".looked-list li")).not_to_have_count(0)
    expect(page.locator(".looked-list")).to_be_visible()


def test_the_page_of_a_query_says_why_there_is_no_advice(address: str, visit: Visit) -> None:
    page = visit(f"{address}{SHOP}/31")
    expect(page.locator(".silences")).to_contain_text("the plan already uses one")
    page = visit(f"{address}{SHOP}/34")
    expect(page.get_by_text("it is an INSERT with volatile")).to_be_visible()


def test_a_name_with_a_slash_has_a_page(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    page.locator(".row-link", has_text="with daily").click()
    page.wait_for_url(
        "**/queries/%2Frun%2Fshop%3A5432/analytics%2F%3Ci%3E2026%3C%2Fi%3E/51?window=24h"
    )
    expect(page.locator("h1")).to_have_text("Query 51")


def test_the_window_stands_in_the_url_and_is_carried_on(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    page.get_by_role("link", name="1h", exact=True).click()
    page.wait_for_url("**/?window=1h")
    expect(page.locator(".segments [aria-current]")).to_have_text("1h")
    page.locator(".row-link").first.click()
    page.wait_for_url(f"**{SLOW}?window=1h")
    expect(page.locator(".figures")).to_contain_text("in the last 1h")
    expect(visit(f"{address}/?window=ever").locator(".segments [aria-current]")).to_have_text("24h")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_loaded_from_elsewhere_and_nothing_fails(
    address: str, path: str, page: Page, visit: Visit
) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    visit(address + path)
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith("data:")}
    assert hosts == {urlsplit(address).netloc}
    assert len(asked) > 10
    assert wrong == []


@pytest.mark.parametrize("path", PAGES)
def test_what_a_query_says_is_never_markup(address: str, path: str, visit: Visit) -> None:
    page = visit(address + path)
    page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    if path != SLOW:  # its only markup is the application's name, which is not shown
        expect(page.locator("body")).to_contain_text("<script>document.title='pwned'</script>")
    assert "pwned" not in page.title()
    assert page.locator("img[src=x], [onerror]").count() == 0
    assert page.evaluate(
        "[...document.scripts].every(script => !script.text.startsWith('document.title'))"
    )


def test_the_name_of_a_database_is_text_in_the_tooltip_of_a_chart(
    address: str, visit: Visit
) -> None:
    page = visit(f"{address}/")
    page.locator(".chart").hover()
    expect(page.locator(".chart div", has_text="analytics/<i>2026</i>").first).to_be_visible()
    assert page.locator(".chart i").count() == 0


def test_the_theme_follows_the_system_and_a_choice_is_remembered(
    address: str, browser: Browser
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()

    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    def label_colour() -> str:
        label = page.locator(".chart svg text").first
        return str(label.evaluate("label => getComputedStyle(label).fill"))

    page.goto(f"{address}/")
    page.locator(".chart svg text").first.wait_for()
    assert background() == "rgb(14, 19, 24)"
    dark_label = label_colour()
    page.get_by_role("button", name="Switch between light and dark").click()
    assert background() == "rgb(244, 246, 248)"
    expect(page.locator(".chart svg text").first).to_have_css("fill", "rgb(86, 98, 112)")
    assert dark_label == "rgb(148, 161, 175)"
    page.reload()
    page.wait_for_selector("footer")
    assert background() == "rgb(244, 246, 248)"
    context.close()


def test_the_keyboard_leads_from_the_start_to_a_query(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.row-link')"):
            break
    focused = page.locator(".queries tr:has(:focus-visible)")
    expect(focused).to_have_css("outline-style", "solid")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{SLOW}?window=24h")


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_name_and_can_be_reached(address: str, path: str, visit: Visit) -> None:
    page = visit(address + path)
    controls = page.locator("a, button, summary, [tabindex='0']").evaluate_all(
        """all => all.map(one => ({
             name: (one.getAttribute('aria-label') || one.textContent).trim(),
             reachable: one.tabIndex >= 0,
           }))"""
    )
    assert len(controls) > 10
    assert [one for one in controls if not one["name"] or not one["reachable"]] == []
    assert page.locator("html").get_attribute("lang") == "en-US"
    assert page.locator("main").count() == 1
    assert page.locator("h1").count() == 1


def test_the_copy_button_copies_the_statement(
    address: str, context: BrowserContext, visit: Visit
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit(address + SLOW)
    page.get_by_role("button", name="Copy SQL to run").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == (
        "CREATE INDEX CONCURRENTLY orders_lower_email_placed_at_idx\n"
        "  ON public.orders (lower(email), placed_at DESC);"
    )


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [390, 800, 1440])
def test_no_page_scrolls_sideways(address: str, path: str, width: int, visit: Visit) -> None:
    page = visit(address + path)
    page.set_viewport_size({"width": width, "height": 800})
    # charts follow a frame later
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("window.innerWidth") == width


def test_an_instant_shows_the_local_time_when_pointed_at(address: str, visit: Visit) -> None:
    page = visit(f"{address}/")
    time = page.locator("footer time")
    assert time.get_attribute("datetime") == "2026-03-04T12:00:00+00:00"
    time.hover()
    expect(time).to_have_attribute("title", re.compile("local time"))


@pytest.mark.parametrize(
    "path", [f"{SHOP}/5", f"{SHOP}/fffe", "/queries/nothing", "/queries/a/b/c%00", "/elsewhere"]
)
def test_a_page_that_is_not_there_says_so(address: str, path: str) -> None:
    answer = httpx.get(address + path, trust_env=False)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]
    assert "Not found" in answer.text


def test_pages_have_the_headers_that_a_browser_obeys(address: str) -> None:
    headers = httpx.get(f"{address}/", trust_env=False).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_the_api_stays_where_it_was(address: str) -> None:
    body = httpx.get(f"{address}/api/v1/queries", trust_env=False).json()
    assert body["items"][0]["queryid"] == "-4402183927123213"
    answer = httpx.get(f"{address}/api/v1/nothing", trust_env=False)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["overview", "query", "quality"])
def test_screenshots(
    address: str, visit: Visit, page: Page, tmp_path: Path, name: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visit(address + {"overview": "/", "query": SLOW, "quality": "/data-quality"}[name])
    path = tmp_path / f"{name}-{scheme}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 40_000
