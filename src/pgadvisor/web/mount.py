"""Puts the pages on an application."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from nicegui import Client, ui
from nicegui import app as pages

from pgadvisor.config import Settings
from pgadvisor.errors import AdvisorError, NotFound
from pgadvisor.store import Store
from pgadvisor.store.status import TargetState
from pgadvisor.web.attention import Attention
from pgadvisor.web.elements import link, tag
from pgadvisor.web.frame import frame, problem_page
from pgadvisor.web.overview import overview
from pgadvisor.web.paths import query_path, query_place
from pgadvisor.web.quality_page import quality_page, read_quality
from pgadvisor.web.query_page import query_page
from pgadvisor.web.reads import (
    QueryPage,
    newest_snapshot,
    read_overview,
    read_places,
    read_query_page,
)
from pgadvisor.web.window import Window, window_named

__all__ = ["mount"]

_STATIC = Path(__file__).parent / "static"
#: how often an open page asks whether there is something new
_NEWS_SECONDS = 30.0
#: a page may wait for the store's pool
_PAGE_SECONDS = 30.0


def mount(app: FastAPI, store: Store, settings: Settings, *, clock: Callable[[], datetime]) -> None:
    """Add the pages to an application that already has its API routes.

    NiceGUI keeps its pages in the process, so one process mounts once.
    """
    app.mount("/assets", StaticFiles(directory=_STATIC), name="assets")
    ui.add_head_html(_head(), shared=True)

    attention = Attention(store, settings, clock)
    retention = settings.raw_retention

    @ui.page("/", response_timeout=_PAGE_SECONDS)
    async def show_overview(
        window: str = "", target: str = "", database: str = "", utility: str = "", per: str = ""
    ) -> None:
        chosen = window_named(
            window, clock(), target=target, database=database, utility=utility, per=per
        )
        try:
            data = await asyncio.to_thread(read_overview, store, chosen, raw_retention=retention)
            count = await asyncio.to_thread(attention.count)
        except AdvisorError as exc:
            problem_page(exc, "/", chosen)
            return
        with frame("Overview", "/", chosen, attention=count):
            _news(store, f"/{chosen.query_string}", _newest(data.targets))
            overview(data, chosen)

    @ui.page("/data-quality", response_timeout=_PAGE_SECONDS)
    async def show_quality(window: str = "", target: str = "", database: str = "") -> None:
        path = "/data-quality"
        chosen = window_named(window, clock(), target=target, database=database)
        try:
            found = await asyncio.to_thread(read_quality, store, chosen, settings.interval)
            places = await asyncio.to_thread(read_places, store)
            count = await asyncio.to_thread(attention.count)
        except AdvisorError as exc:
            problem_page(exc, path, chosen)
            return
        with frame("Data quality", path, chosen, attention=count):
            quality_page(found, places, chosen)

    @ui.page("/queries/{place:path}", response_timeout=_PAGE_SECONDS)
    async def show_query(
        request: Request, place: str, window: str = "", target: str = "", database: str = ""
    ) -> None:
        chosen = window_named(window, clock(), target=target, database=database)
        raw_path = request.scope["raw_path"].decode("latin-1")
        try:
            data = await asyncio.to_thread(_read_query, store, raw_path, chosen, retention)
            count = await asyncio.to_thread(attention.count)
        except AdvisorError as exc:
            problem_page(exc, quote(raw_path, safe="/%:"), chosen)
            return
        query = data.query
        path = query_path(query.target, query.database_name, str(query.queryid))
        with frame(f"Query {query.queryid}", path, chosen, attention=count):
            query_page(data, chosen)

    pages.exception_handler(404)(_missing)
    pages.on_page_exception(_failed)
    ui.run_with(
        app,
        title="pgadvisor",
        favicon=_STATIC / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=10.0,
    )


async def _missing(request: Request, _: Exception) -> Response:
    """The page of an address that no page has."""
    error = NotFound("there is no such page", hint="The overview links to every query.")
    with Client(ui.page(""), request=request) as client:
        problem_page(error, "/", window_named(None, datetime.now(UTC)))
        return client.build_response(request, 404)


def _failed(_: Exception) -> None:
    """The page of a failure of ours; NiceGUI writes the traceback to the log."""
    problem_page(
        AdvisorError("the page failed", hint="The log of the server says why; please report it."),
        "/",
        window_named(None, datetime.now(UTC)),
    )


def _read_query(store: Store, raw_path: str, window: Window, retention: timedelta) -> QueryPage:
    place = query_place(raw_path)
    if place is None or "\0" in "".join(place):
        raise NotFound("no such page", hint="The overview links to every query.")
    return read_query_page(store, *place, window, raw_retention=retention)


def _head() -> str:
    """Our style and script, with their digest in the address so that a new release is seen."""
    found = []
    for name, element in (
        ("pgadvisor.css", '<link rel="stylesheet" href="{}">'),
        ("pgadvisor.js", '<script src="{}"></script>'),
    ):
        digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
        found.append(element.format(escape(f"/assets/{name}?v={digest}")))
    return "\n".join(found)


def _newest(targets: list[TargetState]) -> datetime | None:
    return max((one.last_snapshot_at for one in targets if one.last_snapshot_at), default=None)


def _news(store: Store, path: str, shown: datetime | None) -> None:
    """A link that appears when counters were read again: a page never changes under a reader."""
    with tag("div", classes="news", role="status") as box:
        pass

    async def look() -> None:
        try:
            newest = await asyncio.to_thread(newest_snapshot, store)
        except AdvisorError:
            return  # the next look may find the store again; the page says what it knows
        if newest != shown:
            timer.deactivate()
            with box:
                link("New readings: reload", path, "button")

    timer = ui.timer(_NEWS_SECONDS, look, immediate=False)
