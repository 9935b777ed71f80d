"""What is around every page: header with window and theme, skip link, footer, the error page."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui

from pgadvisor import __version__
from pgadvisor.errors import AdvisorError, NotFound, SchemaOutdated, StoreUnavailable
from pgadvisor.web.elements import instant, link, tag
from pgadvisor.web.window import WINDOWS, Window

__all__ = ["frame", "problem_page"]


#: status and title of an error's page; the first class that fits
_PROBLEMS: Mapping[type[AdvisorError], tuple[int, str]] = {
    NotFound: (404, "Not found"),
    StoreUnavailable: (503, "Not available"),
    SchemaOutdated: (503, "Not available"),
    AdvisorError: (500, "Something failed"),
}


@contextmanager
def frame(title: str, path: str, window: Window, *, attention: int = 0) -> Iterator[None]:
    """Header and footer around what is made inside `with`; `path` is the page's own.

    `attention` is how many things about the history a person can mend.
    """
    ui.page_title(f"{title} · pgadvisor")
    client = ui.context.client
    client.content.props["tabindex"] = "-1"
    with client.layout:
        skip = link("Skip to content", f"#{client.content.html_id}", "skip")
        skip.move(client.layout, 0)
        header = tag("header", classes="top")
        header.move(client.layout, 1)
    with header:
        _header(path, window, attention)
    with tag("div", classes="page"):
        yield
    with client.layout, tag("footer", classes="bottom"):
        tag("span", f"pgadvisor {__version__}")
        with tag("span"):
            tag("span", "as of ")
            instant(window.until)
        link("API description", "/openapi.json")
        link("Metrics", "/metrics")


def _header(path: str, window: Window, attention: int) -> None:
    with link("", f"/{window.query_string}", "brand", aria_label="pgadvisor, overview"):
        tag("span", "pg", "brand-mark", aria_hidden="true")
        tag("span", "advisor", aria_hidden="true")
    with tag("nav", classes="nav", aria_label="Pages"):
        for name, address in (("Overview", "/"), ("Data quality", "/data-quality")):
            page = link(name, address + window.query_string)
            if path == address:
                page.props["aria-current"] = "page"
        if attention:
            badge = link(str(attention), f"/data-quality{window.query_string}", "badge badge-warn")
            things = "thing" if attention == 1 else "things"
            badge.props["aria-label"] = f"{attention} {things} to mend in the history"
            badge.props["title"] = f"{attention} {things} to mend"
    with tag("nav", classes="segments", aria_label="Window of time"):
        for name in WINDOWS:
            address = path + window.but(name=name).query_string
            choice = link(name, address, title=f"The last {name}")
            if name == window.name:
                choice.props["aria-current"] = "true"
    tag("button", "Theme", "theme", type="button", aria_label="Switch between light and dark")


def problem_page(error: AdvisorError, path: str, window: Window) -> None:
    """The page of an error: what happened and what to do, with the status that says so."""
    status, title = next(known for kind, known in _PROBLEMS.items() if isinstance(error, kind))
    ui.context.client.status_code = status
    with frame(title, path, window), tag("section", classes="panel problem", role="alert"):
        tag("h1", title)
        tag("p", error.message)
        if error.hint:
            tag("p", error.hint, "muted")
        link("To the overview", f"/{window.query_string}", "button")
