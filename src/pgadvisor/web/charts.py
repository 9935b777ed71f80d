"""Options of the charts. Colours are CSS variables, so charts follow the theme of the page."""

from datetime import datetime
from typing import Any

from nicegui import ui

from pgadvisor.web.elements import tag
from pgadvisor.web.reads import Load

__all__ = ["line_chart", "load_chart"]

_TIME_LABELS = {
    "month": "{d} {MMM}",
    "day": "{d} {MMM}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
}
_DIGITS = "value => value == null ? '–' : pgadvisor.number(value)"


def load_chart(load: Load) -> None:
    """Average active sessions, one layer a database."""
    _chart(
        _options(load.times, load.series, is_stacked=True, unit="", first_colour=0),
        "Average active sessions over time, by database",
        first_colour=0,
    )


def line_chart(
    name: str, times: list[datetime], values: list[float | None], *, unit: str, colour: int
) -> None:
    """One line over time."""
    _chart(
        _options(times, [(name, values)], is_stacked=False, unit=unit, first_colour=colour),
        f"{name} over time",
        first_colour=colour,
    )


def _chart(options: dict[str, Any], label: str, *, first_colour: int) -> None:
    with tag("div", classes="chart-box", role="img", aria_label=label):
        chart = ui.echart(options, renderer="svg").classes("chart")
        # the script needs it to paint the chart anew when the theme changes
        chart.props["data-first-colour"] = str(first_colour)


def _options(
    times: list[datetime],
    series: list[tuple[str, list[float | None]]],
    *,
    is_stacked: bool,
    unit: str,
    first_colour: int,
) -> dict[str, Any]:
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": "inherit"},
        ":color": f"pgadvisor.colours({first_colour})",
        "grid": {"left": 8, "right": 24, "top": 12, "bottom": 4, "containLabel": True}
        | ({"top": 34} if len(series) > 1 else {}),
        "legend": {
            "show": len(series) > 1,
            "type": "scroll",
            "top": 0,
            "left": 0,
            "icon": "roundRect",
            "itemWidth": 10,
            "itemHeight": 10,
            "textStyle": {":color": "pgadvisor.colour('--muted')", "fontSize": 12},
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            ":valueFormatter": f"value => ({_DIGITS})(value) + '{unit}'",
            ":backgroundColor": "pgadvisor.colour('--panel')",
            ":borderColor": "pgadvisor.colour('--line')",
            "textStyle": {":color": "pgadvisor.colour('--text')", "fontSize": 12},
        },
        "xAxis": _time_axis(times),
        "yAxis": _value_axis(unit),
        "series": [
            {
                "name": name,
                "type": "line",
                "showSymbol": _is_sparse(values),
                "symbolSize": 5,
                "lineStyle": {"width": 1 if is_stacked else 1.75},
                "data": [
                    [int(at.timestamp() * 1000), value]
                    for at, value in zip(times, values, strict=True)
                ],
                **({"stack": "load", "areaStyle": {"opacity": 0.55}} if is_stacked else {}),
                **({} if is_stacked else {"areaStyle": {"opacity": 0.08}}),
            }
            for name, values in series
        ],
    }


def _is_sparse(values: list[float | None]) -> bool:
    """True where a line between points would not be seen."""
    return sum(value is not None for value in values) < 20


def _time_axis(times: list[datetime]) -> dict[str, Any]:
    return {
        "type": "time",
        "min": int(times[0].timestamp() * 1000),
        "max": int(times[-1].timestamp() * 1000),
        "axisLine": {"lineStyle": {":color": "pgadvisor.colour('--line')"}},
        "axisLabel": {
            ":color": "pgadvisor.colour('--muted')",
            "fontSize": 11,
            "hideOverlap": True,
            "formatter": _TIME_LABELS,
        },
        "axisPointer": {"label": {"show": False}},
    }


def _value_axis(unit: str) -> dict[str, Any]:
    return {
        "type": "value",
        "min": 0,
        "splitNumber": 3,
        "axisLabel": {
            ":color": "pgadvisor.colour('--muted')",
            ":formatter": f"value => ({_DIGITS})(value) + '{unit}'",
            "fontSize": 11,
        },
        "splitLine": {"lineStyle": {":color": "pgadvisor.colour('--grid')"}},
    }
