"""The page of one query: its text, history, plans, and its advice or why there is none."""

from pgadvisor.sql import render
from pgadvisor.store.history import Member, QuerySummary
from pgadvisor.store.quality import sampling_words
from pgadvisor.store.query_facts import LoggedExecutions
from pgadvisor.web.advice import advice_card
from pgadvisor.web.charts import line_chart
from pgadvisor.web.elements import copyable, empty_state, instant, link, panel, scroller, tag
from pgadvisor.web.paths import query_path
from pgadvisor.web.plan_tree import plan_tree
from pgadvisor.web.reads import QueryPage
from pgadvisor.web.units import as_bytes, as_count, as_ms, as_percent, one_line
from pgadvisor.web.window import Window

__all__ = ["query_page"]

_BLOCK_BYTES = 8192
#: a list in IN has a queryid for each length before PostgreSQL 18
_MOST_IDS = 12
_MOST_MEMBERS = 20


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
    if data.read.of_hours:
        tag("p", _window_words(data), "muted note")
    with tag("div", classes="columns columns-query"):
        with tag("div", classes="stack"):
            _text(query, window)
            _history(data, window)
        with tag("div", classes="stack"):
            _advice(data, window)
            _members(data.members, query, window)
            _logged(data.logged)
    _plans(data)


def _window_words(data: QueryPage) -> str:
    since, until = data.read.since, data.read.until
    return f"Read from hours: {since:%Y-%m-%d %H:%M}Z to {until:%Y-%m-%d %H:%M}Z."


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


def _text(query: QuerySummary, window: Window) -> None:
    with panel("Statement"):
        if query.query is None:
            empty_state(
                "The text of this query is not known.",
                detail=one_line(query.unreadable or "It was not read yet."),
            )
        else:
            copyable("normalized statement", render(query.query))
            if query.unreadable:
                tag("p", f"{one_line(query.unreadable)}.", "muted note")
        with tag("dl", classes="identity"):
            if query.tables:
                tag("dt", "tables")
                with tag("dd", classes="chips"):
                    for name in query.tables:
                        tag("span", name, "chip mono")
            tag("dt", "queryid" if len(query.queryids) == 1 else "queryids, busiest first")
            with tag("dd", classes="chips mono"):
                for queryid in query.queryids[:_MOST_IDS]:
                    path = query_path(query.target, query.database_name, str(queryid))
                    link(str(queryid), path + window.query_string)
                if len(query.queryids) > _MOST_IDS:
                    tag("span", f"and {len(query.queryids) - _MOST_IDS} more", "muted")


def _members(members: list[Member], query: QuerySummary, window: Window) -> None:
    """Each queryid on each target, where there is more than one of either."""
    if len(members) < 2:
        return
    note = "all queryids with the fingerprint, on the primary and its replicas"
    with panel("Where it runs", note=note), scroller("Where it runs"), tag("table"):
        with tag("thead"), tag("tr"):
            tag("th", "Target", scope="col")
            tag("th", "queryid", scope="col")
            tag("th", "Total", "right", scope="col")
            tag("th", "Calls", "right", scope="col")
            tag("th", "Mean", "right", scope="col")
        with tag("tbody"):
            for member in members[:_MOST_MEMBERS]:
                with tag("tr"):
                    with tag("td"):
                        tag("span", member.target)
                        if member.in_recovery:
                            tag("span", "replica", "chip")
                    with tag("td"):
                        path = query_path(member.target, query.database_name, str(member.queryid))
                        link(str(member.queryid), path + window.query_string, "mono")
                    tag("td", as_ms(member.total_exec_time), "right number")
                    tag("td", as_count(member.calls), "right number")
                    tag("td", as_ms(member.mean_exec_time), "right number")
    if len(members) > _MOST_MEMBERS:
        tag("p", f"and {len(members) - _MOST_MEMBERS} more", "muted note")


def _logged(logged: list[LoggedExecutions]) -> None:
    """What the server log shows: always with what it leaves out."""
    if not logged:
        return
    with panel("In the server log"), tag("ul", classes="logged"):
        for one in logged:
            with tag("li"):
                words = sampling_words(one.source, one.threshold_ms, one.sample_rate)
                tag("p", words[:1].upper() + words[1:] + ".")
                of = "" if one.is_whole else ", of those logged"
                with tag("p", classes="muted number"):
                    times = f"mean {as_ms(one.mean_duration_ms)}, 95 % under "
                    times += f"{as_ms(one.p95_duration_ms)}, longest {as_ms(one.max_duration_ms)}"
                    tag("span", f"{as_count(one.executions)} executions, {times}{of}; last at ")
                    instant(one.last_logged_at)


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
