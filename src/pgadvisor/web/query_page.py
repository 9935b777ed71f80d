"""The page of one query: its text, history, plans, and its advice or why there is none."""

from pgadvisor.sql import render
from pgadvisor.store.history import QuerySummary
from pgadvisor.web.advice import advice_card
from pgadvisor.web.charts import line_chart
from pgadvisor.web.elements import copyable, empty_state, link, panel, tag
from pgadvisor.web.plan_tree import plan_tree
from pgadvisor.web.reads import QueryPage
from pgadvisor.web.units import as_bytes, as_count, as_ms, as_percent, one_line
from pgadvisor.web.window import Window

__all__ = ["query_page"]

_BLOCK_BYTES = 8192


def query_page(data: QueryPage, window: Window) -> None:
    """Everything between header and footer."""
    query = data.query
    with tag("nav", classes="crumbs", aria_label="Breadcrumb"):
        link("Overview", f"/{window.query_string}")
        tag("span", "/", "muted", aria_hidden="true")
        tag("span", query.target)
        tag("span", "/", "muted", aria_hidden="true")
        tag("span", query.database_name)
    with tag("div", classes="title-line"):
        tag("h1", f"Query {query.queryid}", "mono")
        if query.kind:
            tag("span", query.kind, "chip")
        if query.fingerprint:
            tag("span", f"fingerprint {query.fingerprint}", "muted mono")
    _figures(query, data.observed_seconds, window)
    with tag("div", classes="columns columns-query"):
        with tag("div", classes="stack"):
            _text(query)
            _history(data, window)
        _advice(data, window)
    _plans(data)


def _figures(query: QuerySummary, observed: float, window: Window) -> None:
    blocks = query.shared_blks_hit + query.shared_blks_read
    hours = observed / 3600
    with tag("dl", classes="figures", aria_label="Key figures"):
        _figure("Total time", as_ms(query.total_exec_time), f"in the last {window.name}")
        _figure("Share", as_percent(query.share_ratio), "of its database")
        _figure("Calls", as_count(query.calls / hours) if hours else "–", "per hour")
        _figure("Mean", as_ms(query.mean_exec_time) if query.calls else "–", "per call")
        _figure("Rows", as_count(query.rows / query.calls) if query.calls else "–", "per call")
        _figure("Cache hit", as_percent(query.shared_blks_hit / blocks) if blocks else "–", "")
        spilled = as_bytes(query.temp_blks_written * _BLOCK_BYTES)
        _figure("Spilled", spilled, "to temporary files")


def _figure(name: str, value: str, note: str) -> None:
    with tag("div"):
        tag("dt", name)
        with tag("dd"):
            tag("span", value, "figure number")
            tag("span", note, "muted")


def _text(query: QuerySummary) -> None:
    with panel("Statement"):
        if query.query is None:
            empty_state(
                "The text of this query is not known.",
                detail=one_line(query.unreadable or "It was not read yet."),
            )
            return
        copyable("normalized statement", render(query.query))
        if query.unreadable:
            tag("p", f"{one_line(query.unreadable)}.", "muted note")


def _advice(data: QueryPage, window: Window) -> None:
    with panel("Advice"):
        for one in data.recommendations:
            advice_card(one, window, is_open=len(data.recommendations) == 1)
        if data.recommendations:
            return
        if not data.silences:
            empty_state(
                "No rule has looked at this query yet.",
                detail="An analysis looks at the busiest queries of a database.",
                command="pgadvisor advise postgresql://user@host/database",
            )
            return
        tag("p", "There is no advice for this query. Each rule says why:")
        with tag("dl", classes="silences"):
            for rule, reason in data.silences:
                tag("dt", rule, "mono")
                tag("dd", reason)


def _history(data: QueryPage, window: Window) -> None:
    rates = data.rates
    with panel("Calls per second", "small", note=f"last {window.name}, UTC"):
        if any(rates.calls_per_second):
            line_chart("calls/s", rates.times, rates.calls_per_second, unit="/s", colour=0)
        else:
            _not_run()
    with panel("Mean execution time", "small", note="ms per call"):
        if any(rates.mean_exec_time):
            line_chart("mean", rates.times, rates.mean_exec_time, unit=" ms", colour=2)
        else:
            _not_run()


def _not_run() -> None:
    empty_state("It did not run in this window.", detail="Choose a longer window in the header.")


def _plans(data: QueryPage) -> None:
    with panel("Plans", note="hot: a fifth or more of the plan's own time or cost"):
        if not data.plans:
            empty_state(
                "No plan is known.",
                detail=data.no_plan_reason
                or "Plans come from auto_explain's log, else from EXPLAIN at the next reading.",
            )
        for place, plan in enumerate(data.plans):
            plan_tree(plan, is_open=place == 0)
