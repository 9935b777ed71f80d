"""A recommendation: what it saves and how that is computed, the SQL, the evidence, the risk."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pgadvisor.store.advice import StoredRecommendation
from pgadvisor.web.elements import copyable, instant, link, tag
from pgadvisor.web.paths import query_path
from pgadvisor.web.units import as_bytes, as_count, as_factor, as_ms, as_percent
from pgadvisor.web.window import Window

__all__ = ["advice_card"]

_MOST_QUERIES = 10
#: what the list of queries already says
_SHOWN_ELSEWHERE = {"costs"}
_UNITS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "_bytes": ("size", as_bytes),
    "_ms_per_hour": ("time", lambda value: f"{as_ms(value)} per hour"),
    "_ms": ("time", as_ms),
    "_ratio": ("share", as_percent),
}
_LONGEST_VALUE = 400
_MOST_LISTED = 4

_LEVELS = {
    "measured": "from timed runs",
    "predicted": "from a model with an interval",
    "costed": "from the planner's costs",
    "heuristic": "from a rule of thumb",
}


def advice_card(advice: StoredRecommendation, window: Window, *, is_open: bool) -> None:
    """One recommendation, folded to its title and saving unless `is_open`."""
    box = tag("details", classes="advice")
    if is_open:
        box.props["open"] = True
    with box:
        _summary(advice)
        with tag("div", classes="advice-body"):
            _arithmetic(advice)
            tag("p", advice.reasoning, "reasoning")
            copyable("SQL to run", advice.statement)
            copyable("SQL to undo", advice.undo)
            with tag("div", classes="facts-columns"):
                _evidence(advice.evidence)
                _risk(advice.risk)
            _effects(advice, window)
            _sources(advice)


def _summary(advice: StoredRecommendation) -> None:
    with tag("summary"):
        with tag("span", classes="advice-title"):
            tag("span", advice.title, "strong")
            with tag("span", classes="chips"):
                tag("span", advice.rule, "chip mono")
                level = advice.evidence_level
                tag("span", level, f"chip level-{level}", title=_LEVELS.get(level, level))
                if advice.state != "proposed":
                    tag("span", advice.state, "chip")
                tag("span", f"{advice.target} / {advice.database_name}", "muted")
        with tag("span", classes="saving"):
            tag("span", as_ms(advice.roi_score * 10), "saving-value number")
            tag("span", "saved per hour", "muted")


def _arithmetic(advice: StoredRecommendation) -> None:
    """confidence x improvement x urgency = ROI, each with what it is."""
    low, high = advice.improvement_low_percent, advice.improvement_high_percent
    calls = as_factor(advice.frequency)
    seconds = as_factor(advice.current_impact)
    saved = as_factor(advice.roi_score / 100)
    with tag("div", classes="roi", role="group", aria_label="How the score is computed"):
        _term(as_factor(advice.confidence_score), "confidence", "0 to 1")
        _term(
            f"{as_factor(advice.estimated_improvement_percent)} %",
            "improvement",
            f"{low:.0f} to {high:.0f} %",
            sign="×",
        )
        _term(
            f"{as_factor(advice.urgency_score)} s/h",
            "urgency",
            f"{calls} calls/h × {seconds} s",
            sign="×",
        )
        score = as_factor(advice.roi_score)
        _term(score, "ROI score", f"÷ 100 = {saved} s saved/h", sign="=")


def _term(value: str, name: str, note: str, *, sign: str = "") -> None:
    with tag("div", classes="roi-step"):
        if sign:
            tag("span", sign, "roi-sign")
        with tag("div", classes="roi-term"):
            tag("span", value, "roi-value number")
            tag("span", name, "roi-name")
            tag("span", note, "roi-note number")


def _evidence(evidence: Mapping[str, Any]) -> None:
    with tag("div", classes="facts"):
        tag("h3", "Evidence")
        if not evidence:
            tag("p", "None beyond the numbers above.", "muted")
        with tag("dl"):
            for name, value in evidence.items():
                if name not in _SHOWN_ELSEWHERE and value not in ([], {}):
                    _fact(*_worded(name, value))


def _worded(name: str, value: object) -> tuple[str, str]:
    """A name of ours ends in its unit: `table_bytes` is a size, `saved_ms_per_hour` a time.

    >>> _worded("table_bytes", 8192), _worded("saved_ms_per_hour", 1500.0)
    (('table size', '8.00 kB'), ('saved time', '1.50 s per hour'))
    """
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return name.replace("_", " "), _listed([_record(one) for one in value])
    if isinstance(value, int | float) and not isinstance(value, bool):
        for ending, (noun, words) in _UNITS.items():
            if name.endswith(ending):
                return f"{name.removesuffix(ending).replace('_', ' ')} {noun}", words(value)
    return name.replace("_", " "), _plain(value)


def _record(facts: Mapping[str, Any]) -> str:
    """A plan node or an index in a few words; any other record in full.

    >>> _record({"node_type": "Seq Scan", "relation_name": "orders", "actual_rows": 5.0})
    'Seq Scan on orders, 5 rows'
    >>> _record({"index_name": "orders_a_idx", "size_bytes": 8192, "table_rows": 3})
    'orders_a_idx, 8.00 kB'
    """
    if "node_type" in facts:
        place = f" on {facts['relation_name']}" if facts.get("relation_name") else ""
        by = ", ".join(facts.get("sort_key") or ())
        rows = facts.get("actual_rows", facts.get("plan_rows", 0))
        key = f" by {by}" if by else ""
        return f"{facts['node_type']}{place}{key}, {as_count(rows)} rows"
    if "index_name" in facts:
        return f"{facts['index_name']}, {as_bytes(facts.get('size_bytes') or 0)}"
    return _plain(facts)


def _listed(words: list[str]) -> str:
    """Each thing once, in order, the first few."""
    once = list(dict.fromkeys(words))
    more = f"; and {len(once) - _MOST_LISTED} more" if len(once) > _MOST_LISTED else ""
    return "; ".join(once[:_MOST_LISTED]) + more


def _plain(value: object) -> str:
    """A value of a JSON document for a reader.

    >>> _plain(1234567), _plain(["a", "b"]), _plain({"rows": 3})
    ('1,234,567', 'a, b', 'rows: 3')
    """
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return as_factor(value)
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    elif isinstance(value, list):
        text = ", ".join(_plain(one) for one in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _risk(risk: Mapping[str, Any]) -> None:
    with tag("div", classes="facts"):
        tag("h3", "Risk")
        with tag("dl"):
            _fact("disk", as_bytes(risk.get("size_bytes") or 0))
            _fact("extra index writes", f"{as_count(risk.get('writes_per_hour') or 0)} rows/h")
            if risk.get("lock"):
                _fact("lock", str(risk["lock"]))
            for note in risk.get("notes") or ():
                _fact("note", str(note))


def _fact(name: str, value: str) -> None:
    tag("dt", name)
    tag("dd", value)


def _effects(advice: StoredRecommendation, window: Window) -> None:
    with tag("div", classes="facts"):
        tag("h3", "Queries concerned")
        with tag("ul", classes="effects"):
            for effect in advice.effects[:_MOST_QUERIES]:
                with tag("li"):
                    queryid = str(effect["queryid"])
                    path = query_path(advice.target, advice.database_name, queryid)
                    link(queryid, path + window.query_string, "mono")
                    tag("span", _effect_words(effect), "muted number")
        if len(advice.effects) > _MOST_QUERIES:
            tag("p", f"and {len(advice.effects) - _MOST_QUERIES} more", "muted")


def _effect_words(effect: Mapping[str, Any]) -> str:
    percent = 100 * float(effect.get("improvement_ratio") or 0)
    words = f"{percent:.0f} % faster" if percent >= 0 else f"{-percent:.0f} % slower"
    before, after = effect.get("cost_before"), effect.get("cost_after")
    if before is not None and after is not None:
        words += f", planner cost {as_count(before)} → {as_count(after)}"
    return words


def _sources(advice: StoredRecommendation) -> None:
    with tag("details", classes="sources"):
        tag("summary", "Where each number comes from")
        with tag("dl"):
            for factor in advice.factors:
                value = f"{as_factor(float(factor['value']))} {factor['unit']}".strip()
                name = str(factor["name"]).replace("_", " ")
                _fact(name, f"{value} — {factor['source']}")
        with tag("p", classes="muted"):
            tag("span", "Found ")
            instant(advice.created_at)
            tag("span", ", last confirmed ")
            instant(advice.updated_at)
