"""The page /data-quality: what is missing in the history, and what mends it."""

from datetime import timedelta

from pgadvisor.store import Store
from pgadvisor.store.quality import LOOKED_AT, DataQuality, QualityItem, Severity, data_quality
from pgadvisor.web.elements import copyable, empty_state, instant, link, panel, tag
from pgadvisor.web.filters import place_filter
from pgadvisor.web.paths import query_path
from pgadvisor.web.units import as_count, as_percent, plural
from pgadvisor.web.window import Window

__all__ = ["quality_page", "read_quality"]

_TITLES = {
    Severity.ERROR: "Missing now",
    Severity.WARNING: "To mend",
    Severity.INFO: "Good to know",
}
_NOTES = {
    Severity.ERROR: "a part of the history is not being written",
    Severity.WARNING: "a part is missing, or less exact than it could be",
    Severity.INFO: "how to read the numbers; nothing has to be done",
}
#: more lines of a kind are folded
_MOST_OPEN = 25


def read_quality(store: Store, window: Window, interval: timedelta) -> DataQuality:
    """Everything on the page. Raises `StoreUnavailable`."""
    with store.transaction() as conn:
        return data_quality(
            conn,
            since=window.since,
            until=window.until,
            now=window.until,
            interval=interval,
            target=window.target,
            database=window.database,
        )


def quality_page(found: DataQuality, places: list[tuple[str, str]], window: Window) -> None:
    """Everything between header and footer."""
    with tag("div", classes="title-line"):
        tag("h1", "Data quality")
        tag("span", _words(found), "muted")
    place_filter(places, "/data-quality", window)
    if not found.items:
        with panel("Nothing found"):
            empty_state(
                "Nothing is missing in this window, as far as can be told.",
                detail="What was looked at stands below.",
            )
    for severity in Severity:
        items = [one for one in found.items if one.severity is severity]
        if items:
            with panel(_TITLES[severity], f"quality-{severity}", note=_NOTES[severity]):
                _items(items, window)
    _looked_at(found)


def _words(found: DataQuality) -> str:
    mend = plural(found.attention, "thing") + " to mend" if found.attention else "nothing to mend"
    return f"{mend}, from {found.since:%Y-%m-%d %H:%M}Z on; counters are read in whole hours"


def _items(items: list[QualityItem], window: Window) -> None:
    with tag("ul", classes="findings"):
        for one in items[:_MOST_OPEN]:
            _item(one, window)
    if len(items) > _MOST_OPEN:
        with tag("details", classes="sources"):
            tag("summary", f"{len(items) - _MOST_OPEN} more")
            with tag("ul", classes="findings"):
                for one in items[_MOST_OPEN:]:
                    _item(one, window)


def _item(one: QualityItem, window: Window) -> None:
    with tag("li", classes="finding"):
        with tag("div", classes="finding-head"):
            tag("span", "", f"dot dot-{_DOTS[one.severity]}", aria_hidden="true")
            with tag("span", classes="finding-title"):
                tag("span", _sentence(one.message), "strong")
                place = one.target + (f" / {one.database_name}" if one.database_name else "")
                with tag("span", classes="chips"):
                    tag("span", one.name, "chip mono")
                    tag("span", place, "muted")
            if one.share_ratio is not None:
                with tag("span", classes="share"):
                    tag("span", as_percent(one.share_ratio), "figure number")
                    tag("span", f"of {one.share_of}", "muted")
        with tag("p", classes="finding-numbers muted"):
            _numbers(one)
        tag("p", one.why, "finding-why")
        _queries(one, window)
        if one.remedy:
            copyable("SQL to run" if one.is_sql else "shell", one.remedy, is_sql=one.is_sql)
        if one.undo:
            with tag("details", classes="sources"):
                tag("summary", "How to take it back")
                copyable("undo", one.undo, is_sql=one.is_sql)


_DOTS = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "info"}


def _sentence(text: str) -> str:
    """With a capital at the start, unless that is a name.

    >>> _sentence("it is late"), _sentence("pg_stat_statements is small")
    ('It is late', 'pg_stat_statements is small')
    """
    return text[:1].upper() + text[1:] if text.split(" ", 1)[0].isalpha() else text


def _numbers(one: QualityItem) -> None:
    parts = []
    if one.per_day is not None:
        parts.append(f"{as_count(one.count)} in the window")
    elif one.query_hashes:
        parts.append(plural(one.count, "query", "queries"))
    elif one.count > 1:
        parts.append(as_count(one.count))
    if one.per_day is not None:
        parts.append(f"{as_count(one.per_day)} a day")
    tag("span", ", ".join(parts), "number")
    if one.since is not None:
        tag("span", "since")
        instant(one.since)
    if one.last_at is not None and one.last_at != one.since:
        tag("span", "last at")
        instant(one.last_at)


def _queries(one: QualityItem, window: Window) -> None:
    if not one.query_hashes or one.database_name is None:
        return
    with tag("p", classes="finding-queries"):
        tag("span", "busiest:", "muted")
        for query_hash in one.query_hashes:
            path = query_path(one.target, one.database_name, query_hash)
            link(query_hash, path + window.query_string, "mono")


def _looked_at(found: DataQuality) -> None:
    names = {one.name for one in found.items}
    with tag("section", classes="panel", aria_label="What was looked at"):
        box = tag("details", classes="looked")
        if not found.items:
            box.props["open"] = True
        with box:
            tag("summary", f"What was looked at ({len(LOOKED_AT)} things)")
            with tag("ul", classes="looked-list"):
                for name, look in LOOKED_AT.items():
                    with tag("li"):
                        tag("span", look.at)
                        tag("span", "found" if name in names else "nothing found", "muted")
