"""Real servers over real stores, and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pgadvisor.cluster import Cluster

NOW = "2026-03-04T12:00:00+00:00"
SEED = Path(__file__).parents[1] / "api" / "seed.py"
SERVE = Path(__file__).with_name("serve.py")
CHROMIUM = os.environ.get("PGADVISOR_CHROMIUM") or next(
    (found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))),
    "chromium",
)
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def new_database(cluster: Cluster, name: str) -> str:
    with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return cluster.dsn(name)


@contextmanager
def running(dsn: str, tmp_path: Path) -> Iterator[str]:
    """The address of a server of its own process; it answers when this returns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-W", "error", SERVE, dsn, str(listener.fileno()), NOW],
            pass_fds=[listener.fileno()],
            cwd=tmp_path,
        )
        try:
            # the backlog of the socket holds the request until the server is there
            assert httpx.get(f"{address}/readyz", timeout=60, trust_env=False).status_code == 200
            yield address
        finally:
            process.terminate()
            assert process.wait(timeout=20) in (0, -15)


@pytest.fixture(scope="session")
def seeded_dsn(store_cluster: Cluster) -> str:
    dsn = new_database(store_cluster, "web_seeded")
    subprocess.run([sys.executable, SEED, dsn, NOW], check=True)
    return dsn


@pytest.fixture
def serving() -> Callable[[str, Path], AbstractContextManager[str]]:
    return running


@pytest.fixture(scope="session")
def address(seeded_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(seeded_dsn, tmp_path_factory.mktemp("seeded")) as address:
        yield address


@pytest.fixture
def empty_address(store_cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    name = f"web_empty_{time.monotonic_ns()}"
    with running(new_database(store_cluster, name), tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


@pytest.fixture
def visit(page: Page) -> Callable[[str], Page]:
    """Opens an address and waits until the page stands and its charts are drawn."""

    def open_page(url: str) -> Page:
        page.goto(url)
        page.wait_for_selector("footer")
        for chart in page.locator(".chart").all():
            chart.locator("svg path").first.wait_for(state="attached")
        return page

    return open_page
