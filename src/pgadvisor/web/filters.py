"""What a page is narrowed to: one target, one database. Plain forms, so that the URL says it."""

from pgadvisor.web.elements import link, tag
from pgadvisor.web.window import Window

__all__ = ["place_filter"]


def place_filter(places: list[tuple[str, str]], path: str, window: Window) -> None:
    """Two lists to choose from, where there is a choice; `places` are (target, database)."""
    targets = sorted({target for target, _ in places})
    databases = sorted({database for target, database in places if window.target in (None, target)})
    is_narrowed = bool(window.target or window.database)
    if len(targets) < 2 and len(databases) < 2 and not is_narrowed:
        return
    with tag("form", classes="filter", method="get", action=path, aria_label="Filter"):
        tag("input", type="hidden", name_="window", value=window.name)
        for name, value in (
            ("utility", "1" if window.utility else ""),
            ("per", "cluster" if window.per_cluster else ""),
        ):
            if value:
                tag("input", type="hidden", name_=name, value=value)
        _choice("target", "Target", "all targets", targets, window.target)
        _choice("database", "Database", "all databases", databases, window.database)
        tag("button", "Show", "button", type="submit")
        if is_narrowed:
            whole = window.but(target=None, database=None)
            link("Show all", path + whole.query_string, "button")


def _choice(name: str, label: str, whole: str, values: list[str], chosen: str | None) -> None:
    with tag("label", classes="choice"):
        tag("span", label, "muted")
        with tag("select", name_=name):
            tag("option", whole, value="")
            # one that is not there any more stays chosen: the page says it has nothing
            for value in values if chosen in (None, *values) else [*values, str(chosen)]:
                option = tag("option", value, value=value)
                if value == chosen:
                    option.props["selected"] = True
