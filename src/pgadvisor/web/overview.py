"""The page /: load over time, what to change, where the time goes, how collecting is going."""

from datetime import timedelta

from pgadvisor.store.executions import LoggedLoad
from pgadvisor.store.history import QuerySummary
from pgadvisor.store.quality import sampling_words
from pgadvisor.store.status import RecentGap, TargetState
from pgadvisor.web.advice import advice_card
from pgadvisor.web.charts import load_chart
from pgadvisor.web.elements import empty_state, instant, link, panel, scroller, tag
from pgadvisor.web.filters import place_filter
from pgadvisor.web.paths import query_path
from pgadvisor.web.plan_tree import bar
from pgadvisor.web.reads import Overview
from pgadvisor.web.units import ago, as_count, as_factor, as_ms, one_line, plural
from pgadvisor.web.window import Window

__all__ = ["overview"]

#: a target that was not read for this long is not being watched
_STALE = timedelta(minutes=5)
#: more targets than these are folded, the worst first
_MOST_TARGETS = 8

_GAP_WORDS = {
    "first_sight": "entries became visible",
    "reset": "counters were reset",
    "eviction": "entries were evicted",
    "restart": "server restarted",
    "other_cluster": "another cluster answered",
    "clock": "clock was set back",
    "unreachable": "target was unreachable",
}


def overview(data: Overview, window: Window) -> None:
    """Everything between header and footer."""
    tag("h1", "Overview", "hidden-heading")
    if not data.targets:
        with panel("No target yet", "wide"):
            empty_state(
                "Nothing is watched yet.",
                detail="Name a PostgreSQL server. It is only read, and every statement of ours "
                "is limited in time. The first command checks rights and settings.",
                command="pgadvisor doctor postgresql://user@host/database\n"
                "pgadvisor observe postgresql://user@host/database",
            )
        return
    places = [(one.target, one.database_name) for one in data.all_databases]
    place_filter(places, "/", window)
    _figures(data)
    with tag("div", classes="columns columns-load"):
        with panel(
            "Load", "fill", note="average active sessions: seconds of database time per second, UTC"
        ):
            if any(values for _, values in data.load.series):
                load_chart(data.load)
            else:
                _no_load(data)
        _targets(data.targets, data.gaps, window)
    with tag("div", classes="columns columns-main"):
        with tag("div", classes="stack"):
            _queries(data.queries, data, window)
            _logged(data.logged, window)
        _advice(data, window)


def _figures(data: Overview) -> None:
    calls = sum(database.calls for database in data.databases)
    busy = sum(database.total_exec_time for database in data.databases)
    observed = data.observed_seconds
    best = data.recommendations[0] if data.recommendations else None
    with tag("dl", classes="figures", aria_label="Key figures"):
        _figure("Active sessions", as_count(busy / 1000 / observed) if observed else "–", "average")
        _figure("Calls", as_count(calls / observed) if observed else "–", "per second")
        _figure("Mean", as_ms(busy / calls) if calls else "–", "per call")
        _figure("Database time", as_ms(busy), f"of {as_ms(observed * 1000)} observed")
        _figure(
            "Databases", as_count(len(data.databases)), f"on {plural(len(data.targets), 'target')}"
        )
        if best:
            _figure("Best advice", as_ms(best.roi_score * 10), "saved per hour")


def _figure(name: str, value: str, note: str) -> None:
    with tag("div"):
        tag("dt", name)
        with tag("dd"):
            tag("span", value, "figure number")
            tag("span", note, "muted")


def _no_load(data: Overview) -> None:
    if any(target.snapshots for target in data.targets):
        empty_state(
            "No statement ran in this window.",
            detail="A load shows after two readings with work between them. Choose a longer "
            "window, or wait for the next reading.",
        )
    else:
        empty_state(
            "No counters were read yet.",
            detail="The target is known and its statistics were never read.",
            command="pgadvisor doctor postgresql://user@host/database",
        )


def _targets(targets: list[TargetState], gaps: list[RecentGap], window: Window) -> None:
    rank = {"bad": 0, "warn": 1, "good": 2}
    listed = sorted(targets, key=lambda one: rank[_health(one, window)[1]])
    with panel("Targets"):
        _target_list(listed[:_MOST_TARGETS], gaps, window)
        if rest := listed[_MOST_TARGETS:]:
            with tag("details", classes="sources"):
                tag("summary", f"{plural(len(rest), 'more target')}")
                _target_list(rest, gaps, window)


def _target_list(targets: list[TargetState], gaps: list[RecentGap], window: Window) -> None:
    with tag("ul", classes="targets"):
        for target in targets:
            with tag("li"):
                _target(target, window)
                for gap in [one for one in gaps if one.target == target.target][:3]:
                    _gap(gap)


def _target(target: TargetState, window: Window) -> None:
    name, css = _health(target, window)
    with tag("div", classes="target-head"):
        tag("span", "", f"dot dot-{css}", aria_hidden="true")
        tag("span", target.target, "strong")
        version = target.server_version_num
        if version:
            tag("span", f"PostgreSQL {version // 10000}.{version % 10000}", "muted")
        for word in _chips(target):
            tag("span", word, "chip")
    with tag("div", classes="muted"):
        tag("span", f"{name}; counters read ")
        if target.last_snapshot_at:
            tag("span", f"{ago(window.until, target.last_snapshot_at)}, ")
        instant(target.last_snapshot_at)
    hidden = f", {as_count(target.hidden)} hidden from our role" if target.hidden else ""
    tag("div", f"{as_count(target.statements)} statements{hidden}", "muted number")
    if target.last_error:
        with tag("div", classes="error"):
            tag("span", one_line(target.last_error, longest=300))
            tag("span", " at ")
            instant(target.last_error_at)


def _chips(target: TargetState) -> list[str]:
    """What a target is, beside what it is called."""
    words = []
    if target.kind != "server":
        words.append({"log": "log only", "import": "imported"}.get(target.kind, target.kind))
    if target.role == "replica":
        words.append(f"replica of {target.primary_target}" if target.primary_target else "replica")
    elif target.role:
        words.append(target.role)
    if target.paused_at:
        words.append("paused")
    if target.circuit != "closed":
        words.append(f"circuit {target.circuit}")
    return words


def _health(target: TargetState, window: Window) -> tuple[str, str]:
    if target.last_error:
        return "last reading failed", "bad"
    if target.kind != "server":
        return "history without a server", "good"
    if target.paused_at:
        return "paused", "warn"
    if target.last_snapshot_at is None:
        return "never read", "warn"
    if window.until - target.last_snapshot_at > _STALE:
        return "not being watched now", "warn"
    return "watched", "good"


def _gap(gap: RecentGap) -> None:
    with tag("div", classes="gap"):
        tag("span", "gap: ", "strong")
        tag("span", _GAP_WORDS.get(gap.reason, gap.reason))
        if gap.statements:
            tag("span", f", {plural(gap.statements, 'statement')}")
        tag("span", " at ")
        instant(gap.until)


def _queries(queries: list[QuerySummary], data: Overview, window: Window) -> None:
    with panel("Top queries", note=f"by total time, last {window.name}"):
        _query_choices(data, window)
        if not queries:
            empty_state(
                "No query ran in this window.", detail="Choose a longer window in the header."
            )
            return
        with scroller("Top queries by total time"), tag("table", classes="queries"):
            with tag("thead"), tag("tr"):
                tag("th", "Query", scope="col")
                tag("th", "Share", scope="col", title="Of the time of its database")
                tag("th", "Total", "right", scope="col")
                tag("th", "Calls/h", "right", scope="col")
                tag("th", "Mean", "right", scope="col")
            with tag("tbody"):
                for query in queries:
                    _query_row(query, window, data.observed_seconds)


def _query_choices(data: Overview, window: Window) -> None:
    """What is listed and added up, as links."""
    with tag("p", classes="choices"):
        utility = window.but(utility=not window.utility)
        words = "without utility statements" if window.utility else "with utility statements"
        link(words, f"/{utility.query_string}")
        if any(target.role == "replica" for target in data.targets):
            cluster = window.but(per_cluster=not window.per_cluster)
            words = "each target by itself" if window.per_cluster else "replicas with their primary"
            link(words, f"/{cluster.query_string}")


def _query_row(query: QuerySummary, window: Window, observed: float) -> None:
    path = query_path(query.target, query.database_name, str(query.queryid))
    with tag("tr"):
        with tag("td", classes="query-cell"):
            text = one_line(query.query) if query.query else (query.unreadable or "text not read")
            link(text, path + window.query_string, "row-link mono", title=text)
            tag("div", _place(query), "node-detail")
        with tag("td", classes="bar-cell"):
            bar(query.share_ratio)
        tag("td", as_ms(query.total_exec_time), "right number")
        per_hour = as_count(query.calls / observed * 3600) if observed else as_factor(query.calls)
        tag("td", per_hour, "right number")
        tag("td", as_ms(query.mean_exec_time), "right number")


def _logged(logged: list[tuple[str, LoggedLoad]], window: Window) -> None:
    """Statements of logs that no counters go with: they show what was logged and no more."""
    if not logged:
        return
    note = "of targets that are a log alone; in all of what is kept"
    with panel("From logs", note=note), scroller("From logs"), tag("table", classes="queries"):
        with tag("thead"), tag("tr"):
            tag("th", "Query", scope="col")
            tag("th", "Logged", scope="col")
            tag("th", "Total", "right", scope="col")
            tag("th", "Executions", "right", scope="col")
            tag("th", "Mean", "right", scope="col")
        with tag("tbody"):
            for target, one in logged:
                with tag("tr"):
                    with tag("td", classes="query-cell"):
                        path = query_path(target, one.datname, one.fingerprint or one.queryid or "")
                        link(one_line(one.query), path + window.query_string, "row-link mono")
                        tag("div", f"{target} / {one.datname}", "node-detail")
                    words = sampling_words(one.source, one.threshold_ms, one.sample_rate)
                    tag("td", words, "node-detail")
                    tag("td", as_ms(one.total_duration_ms), "right number")
                    tag("td", as_count(one.executions), "right number")
                    tag("td", as_ms(one.mean_duration_ms), "right number")


def _place(query: QuerySummary) -> str:
    others = f" and {plural(len(query.targets) - 1, 'replica')}" if len(query.targets) > 1 else ""
    ids = f", {len(query.queryids)} queryids" if len(query.queryids) > 1 else ""
    return f"{query.target}{others} / {query.database_name}{ids}"


def _advice(data: Overview, window: Window) -> None:
    with panel("Advice", note="by expected seconds of database time saved per hour"):
        if not data.recommendations:
            empty_state(
                "No open advice.",
                detail="The page of each query says why. Advice is made from stored counters, "
                "plans and the catalog:",
                command="pgadvisor advise postgresql://user@host/database",
            )
        for place, one in enumerate(data.recommendations):
            advice_card(one, window, is_open=place == 0)
