"""A plan as a table: a line a node, indented, with the share of time or cost it takes itself."""

import re

from nicegui.element import Element

from pgadvisor.errors import NotParsable
from pgadvisor.plans import PlanLine, is_underestimate, parse_plan, plan_lines
from pgadvisor.records.workload import PlanSource, StoredPlan
from pgadvisor.web.elements import copyable, instant, scroller, tag
from pgadvisor.web.units import as_bytes, as_count, as_ms, as_percent

__all__ = ["plan_tree"]

#: a q-error from here on is worth a look; below it plans seldom change
_WRONG_ESTIMATE = 10.0
_BLOCK_BYTES = 8192
#: the detail that says what the columns of rows and loops say
_ROWS = re.compile(r"[\d,.]+ rows( in each of [\d,]+ loops)?,? ?([\d,]+ )?estimated")
_DEEPEST_INDENT = 16

_SOURCES = {
    PlanSource.AUTO_EXPLAIN: "executed, logged by auto_explain",
    PlanSource.GENERIC_PLAN: "not executed: the planner's generic plan",
}


def plan_tree(plan: StoredPlan, *, is_open: bool) -> None:
    """One plan shape with its newest example, folded unless `is_open`."""
    box = tag("details", classes="plan")
    if is_open:
        box.props["open"] = True
    with box:
        _summary(plan)
        try:
            lines = plan_lines(parse_plan(plan.plan))
        except NotParsable as exc:
            tag("p", f"The plan cannot be shown: {exc.message}.", "muted")
            return
        _table(lines)
        copyable("statement that gave this plan", plan.example_query)


def _summary(plan: StoredPlan) -> None:
    with tag("summary"):
        tag("span", f"Plan {plan.shape[:8]}", "strong mono")
        tag("span", _SOURCES[plan.source], "muted")
        if plan.executions:
            mean = f", mean {as_ms(plan.mean_duration_ms)}" if plan.mean_duration_ms else ""
            most = f", longest {as_ms(plan.max_duration_ms)}" if plan.max_duration_ms else ""
            tag("span", f"{as_count(plan.executions)} executions{mean}{most}", "number")
        with tag("span", classes="muted"):
            tag("span", "last seen ")
            instant(plan.last_seen_at)


def _table(lines: tuple[PlanLine, ...]) -> None:
    is_timed = any(line.self_time_ms is not None for line in lines)
    with scroller("Plan, one row a node"), tag("table", classes="plan-table"):
        with tag("thead"), tag("tr"):
            tag("th", "Node", scope="col")
            tag("th", "Self time" if is_timed else "Self cost", scope="col", colspan="2")
            tag("th", "Rows estimated", "right", scope="col")
            tag("th", "Rows actual", "right", scope="col")
            tag("th", "Off by", "right", scope="col", title="q-error of the row estimate")
            tag("th", "Loops", "right", scope="col")
            tag("th", "Read / hit", "right", scope="col", title="Shared buffers, this subtree")
        with tag("tbody"):
            for line in lines:
                _row(line)


def _row(line: PlanLine) -> None:
    node = line.node
    with tag("tr", classes="hot" if line.is_hot else ""):
        with tag("th", classes="node", scope="row"):
            _indented(line)
        ratio = line.self_cost_ratio if line.self_time_ratio is None else line.self_time_ratio
        own = as_count(line.self_cost) if line.self_time_ms is None else as_ms(line.self_time_ms)
        tag("td", own, "right number")
        with tag("td", classes="bar-cell"):
            bar(ratio, is_hot=line.is_hot)
        tag("td", as_count(node.plan_rows), "right number")
        tag("td", _actual(line), "right number")
        _q_error(line)
        loops = "–" if node.actual_loops is None else as_count(node.actual_loops)
        tag("td", loops, "right number")
        tag("td", _buffers(line), "right number")


def _indented(line: PlanLine) -> None:
    indent = min(line.depth, _DEEPEST_INDENT)
    with tag("div", classes="indent") as box:
        box.style(f"margin-left: {max(indent - 1, 0) * 18}px")
        if line.depth:
            tag("span", "└", "branch", aria_hidden="true")
        with tag("div"):
            with tag("div", classes="node-label"):
                tag("span", line.label)
                if line.is_hot:
                    tag("span", "hot", "badge badge-hot")
            for detail in line.details:
                if not _ROWS.fullmatch(detail):
                    tag("div", detail, "node-detail")


def bar(ratio: float, *, is_hot: bool = False) -> Element:
    """A share as a bar with its percentage."""
    with tag("div", classes="bar" + (" bar-hot" if is_hot else "")) as box:
        with tag("div", classes="bar-track", aria_hidden="true"):
            tag("div", classes="bar-fill").style(f"width: {min(max(ratio, 0), 1) * 100:.1f}%")
        tag("span", as_percent(ratio), "bar-text number")
    return box


def _actual(line: PlanLine) -> str:
    if line.node.actual_rows is None:
        return "–"
    return "never run" if line.node.never_executed else as_count(line.node.actual_rows)


def _q_error(line: PlanLine) -> None:
    node = line.node
    if line.q_error is None or node.actual_rows is None:
        tag("td", "–", "right number muted")
        return
    if line.q_error < 1.05:
        tag("td", "exact", "right muted")
        return
    direction = "too few" if is_underestimate(node.plan_rows, node.actual_rows) else "too many"
    wrong = " warn" if line.q_error >= _WRONG_ESTIMATE else ""
    factor = as_count(round(line.q_error, 1))
    with tag("td", classes=f"right number{wrong}"):
        tag("span", f"{factor}×")
        tag("div", f"{direction} estimated", "node-detail")


def _buffers(line: PlanLine) -> str:
    read, hit = line.node.shared_read_blocks, line.node.shared_hit_blocks
    if read is None and hit is None:
        return "–"
    return f"{as_bytes((read or 0) * _BLOCK_BYTES)} / {as_bytes((hit or 0) * _BLOCK_BYTES)}"
