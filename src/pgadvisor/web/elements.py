"""HTML elements by their own names, so that the pages are semantic HTML and not a widget kit.

Text and attributes are set as values, never glued into markup: what a query or a plan contains
stays text in the browser.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from pgadvisor.web.highlight import highlight

__all__ = ["copyable", "empty_state", "instant", "link", "panel", "scroller", "tag"]


def tag(name: str, text: str | None = None, classes: str = "", **attributes: str) -> Element:
    """An element with a text; ``aria_label="x"`` becomes the attribute ``aria-label``."""
    element = ui.element(name) if text is None else TextElement(tag=name, text=text)
    if classes:
        element.classes(classes)
    for key, value in attributes.items():
        element.props[key.rstrip("_").replace("_", "-")] = value
    return element


def link(text: str, href: str, classes: str = "", **attributes: str) -> Element:
    """A link; `href` is a path of ours with quoted parts."""
    return tag("a", text, classes, href=href, **attributes)


def panel(title: str, classes: str = "", *, note: str = "") -> AbstractContextManager[Element]:
    """A section with a heading; what is made inside `with` stands in it."""
    section = tag("section", classes=f"panel {classes}", aria_label=title)
    with section, tag("div", classes="panel-head"):
        tag("h2", title)
        if note:
            tag("span", note, "muted")
    return section


def scroller(label: str, classes: str = "") -> Element:
    """A box that scrolls sideways, also with the keyboard."""
    return tag("div", classes=f"scroller {classes}", role="region", tabindex="0", aria_label=label)


def instant(at: datetime | None, *, missing: str = "never") -> Element:
    """An instant in UTC; the script adds the local time as a tooltip."""
    if at is None:
        return tag("span", missing, "muted")
    at = at.astimezone(UTC)
    return tag(
        "time", f"{at:%Y-%m-%d %H:%M:%S}Z", "number", datetime=at.isoformat(timespec="seconds")
    )


def copyable(label: str, text: str, *, is_sql: bool = True) -> None:
    """A text to run with a button that copies it; SQL in colours."""
    with tag("div", classes="code"):
        with tag("div", classes="code-head"):
            tag("span", label, "muted")
            tag("button", "Copy", "copy", type="button", aria_label=f"Copy {label}")
        with tag("pre", tabindex="0", aria_label=label):
            if is_sql:
                ui.html(highlight(text), tag="code", sanitize=True)
            else:
                tag("code", text)


def empty_state(title: str, *, command: str = "", detail: str = "") -> None:
    """What to do where there is nothing to show."""
    with tag("div", classes="empty"):
        tag("p", title, "empty-title")
        if detail:
            tag("p", detail, "muted")
        if command:
            copyable("shell", command, is_sql=False)
