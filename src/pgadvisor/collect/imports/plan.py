"""How the rows of a source are understood: decided once, each decision with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pgadvisor.collect.imports.columns import Layout
from pgadvisor.collect.imports.options import Counting, ImportOptions, Missing, Side
from pgadvisor.collect.imports.profile import Grid, Profile
from pgadvisor.errors import ConfigInvalid
from pgadvisor.records.imported import ImportNotes

__all__ = ["Plan", "plan_of"]

#: of the changes of a cumulative counter at most so many are falls (resets, evictions), ...
_FEW_FALLS = 0.12
#: ... and of those of deltas at least so many; between the two nobody can tell
_MANY_FALLS = 0.3
#: fewer changes than this are no evidence
_ENOUGH = 10
_EVENT_STEP = timedelta(minutes=1)
_NAMED_STEPS = {
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "day": timedelta(days=1),
    "hour_start": timedelta(hours=1),
    "hour_end": timedelta(hours=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How rows become spans and counters become deltas."""

    counting: Counting
    side: Side = Side.START
    #: by database; None where rows have spans of their own or are cumulative
    steps: Mapping[str, timedelta | None]
    is_exact: bool = True
    missing: Mapping[str, Missing]
    is_complete: bool = True
    has_users: bool = False


def plan_of(layout: Layout, profile: Profile, options: ImportOptions, notes: ImportNotes) -> Plan:
    """What the rows are, as the options say or as the data shows.

    Raises `ConfigInvalid` where neither tells: a wrong guess would be a wrong history.
    """
    counting = options.counting or _counting(layout, profile, notes)
    notes.taken.append(f"rows are {_WORDS[counting]}")
    if counting is Counting.CUMULATIVE:
        return Plan(
            counting=counting,
            steps={},
            missing={},
            is_complete=_is_complete(profile, options, notes),
            has_users=profile.has_users,
        )
    has_spans = _has_spans(layout)
    steps = (
        dict.fromkeys(profile.grids) if has_spans else _steps(layout, profile, options, counting)
    )
    side = _side(layout, profile, options, counting)
    if not has_spans and counting is Counting.DELTAS:
        notes.taken.append(_told(layout, steps, side, options))
        _warn_of_wide(steps, options, notes)
    return Plan(
        counting=counting,
        side=side,
        steps=steps,
        is_exact=all(grid.is_exact for grid in profile.grids.values()),
        missing={
            name: options.missing or _missing(grid, counting)
            for name, grid in profile.grids.items()
        },
    )


_WORDS = {
    Counting.DELTAS: "what happened in a span of time each (--deltas)",
    Counting.CUMULATIVE: "cumulative counters, of which differences are taken (--cumulative)",
    Counting.EVENTS: "single executions, added up by the minute (--events)",
}


def _has_spans(layout: Layout) -> bool:
    return sum(name in layout for name in ("since", "until", "captured_at")) > 1


def _counting(layout: Layout, profile: Profile, notes: ImportNotes) -> Counting:
    if not (layout.counters or layout.series or "value" in layout or "mean_exec_time" in layout):
        return Counting.EVENTS
    said = {column.counting for column in layout.columns.values() if column.counting}
    if len(said) == 1:
        word = said.pop()
        if word == Counting.DELTAS or not _is_up_and_down(profile):
            notes.taken.append(f"names of columns say {word}")
            return Counting(word)
    if "value" in layout or layout.series or _has_spans(layout):
        return Counting.DELTAS
    changes = profile.rises + profile.falls
    share = profile.fall_share
    evidence = (
        f"of {changes:,} changes of a statement's counters from one time to the next "
        f"{share:.1%} are falls"
    )
    if changes < _ENOUGH:
        if _is_snapshot(layout) and not _said_side(layout) and changes:
            notes.taken.append("it has columns that only pg_stat_statements itself has")
            return Counting.CUMULATIVE
        notes.warn(f"too little to tell deltas from cumulative counters ({evidence}): say which")
        return Counting.DELTAS
    notes.taken.append(evidence)
    if share <= _FEW_FALLS:
        return Counting.CUMULATIVE
    if share >= _MANY_FALLS or not _is_snapshot(layout):
        return Counting.DELTAS
    raise ConfigInvalid(
        f"cannot tell whether the counters are cumulative: {evidence}",
        hint="Say --cumulative for counters as pg_stat_statements has them, --deltas for what "
        "happened in each interval.",
    )


def _is_up_and_down(profile: Profile) -> bool:
    """True for counters that fall as often as only deltas do, whatever their names say."""
    return profile.rises + profile.falls >= _ENOUGH and profile.fall_share >= _MANY_FALLS


def _is_snapshot(layout: Layout) -> bool:
    return any(name in layout for name in ("min_exec_time", "stddev_exec_time", "stats_since"))


def _is_complete(profile: Profile, options: ImportOptions, notes: ImportNotes) -> bool:
    """Whether a reading has all entries there were, so that a new one began since the last."""
    if options.complete is not None:
        return options.complete
    if profile.kept and profile.kept >= profile.restarted:
        notes.taken.append(
            f"readings show a part of the statements each (--partial): {profile.kept:,} times one "
            "was away and came back with its counters kept"
        )
        return False
    is_cut = profile.readings >= 3 and profile.statements > profile.largest_reading
    if is_cut and profile.full_readings * 2 > profile.readings:
        notes.taken.append(
            f"readings show a part of the statements each (--partial): {profile.full_readings:,} "
            f"of {profile.readings:,} have exactly {profile.largest_reading:,}"
        )
        return False
    notes.taken.append("readings show all statements there were (--complete)")
    return True


def _steps(
    layout: Layout, profile: Profile, options: ImportOptions, counting: Counting
) -> dict[str, timedelta | None]:
    if counting is Counting.EVENTS:
        return dict.fromkeys(profile.grids, options.interval or _EVENT_STEP)
    named = next(
        (
            _NAMED_STEPS[column.name.lower()]
            for name in ("captured_at", "since", "until")
            if (column := layout.columns.get(name)) and column.name.lower() in _NAMED_STEPS
        ),
        None,
    )
    found = [grid.step for grid in profile.grids.values() if grid.step]
    usual = min(found, default=None)
    steps = {
        name: options.interval or _finer(named, grid) or grid.step or usual
        for name, grid in profile.grids.items()
    }
    if None in steps.values():
        raise ConfigInvalid(
            "all rows are of one time, so it cannot be seen how long they were counted",
            hint="Say it: --interval 1h",
        )
    return steps


def _finer(named: timedelta | None, grid: Grid) -> timedelta | None:
    """The unit that the column's name says, unless the times are closer than that."""
    if named is None or (grid.step is not None and grid.step < named):
        return None
    return named


def _side(layout: Layout, profile: Profile, options: ImportOptions, counting: Counting) -> Side:
    if options.side is not None:
        return options.side
    if counting is Counting.EVENTS:
        return Side.START
    if said := _said_side(layout):
        return Side(said)
    is_exact = all(grid.is_exact or grid.times < 2 for grid in profile.grids.values())
    return Side.START if is_exact else Side.END


def _said_side(layout: Layout) -> str | None:
    """The end of the rows' spans at which the time stands, where its column's name says it."""
    for name in ("captured_at", "since", "until"):
        column = layout.columns.get(name)
        if column is not None and column.side:
            return column.side
    return None


def _missing(grid: Grid, counting: Counting) -> Missing:
    if counting is Counting.EVENTS or grid.is_sparse:
        return Missing.ZERO
    return Missing.UNOBSERVED


def _told(
    layout: Layout, steps: Mapping[str, timedelta | None], side: Side, options: ImportOptions
) -> str:
    lengths = ", ".join(dict.fromkeys(_length(step) for step in steps.values() if step))
    where = "begins" if side is Side.START else "ends"
    if options.side is not None:
        why = "as said"
    elif _said_side(layout):
        why = "as the name of its column says"
    elif side is Side.START:
        why = "the times lie on a grid"
    else:
        why = "the times are those of a clock"
    return f"the time of a row is where its span {where}: {why} (--time-is); spans of {lengths}"


def _length(span: timedelta) -> str:
    """A span as people write it.

    >>> _length(timedelta(minutes=90)), _length(timedelta(seconds=3602))
    ('1h 30m', '1h 2s')
    """
    seconds = round(span.total_seconds())
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    parts = []
    for unit, size in units:
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return " ".join(parts) or "0s"


def _warn_of_wide(
    steps: Mapping[str, timedelta | None], options: ImportOptions, notes: ImportNotes
) -> None:
    widest = max((step for step in steps.values() if step), default=timedelta(0))
    if widest > timedelta(minutes=61) and options.interval is None:
        notes.warn(
            f"rows stand for {_length(widest)} each and are divided evenly over their hours; if "
            "each is of one hour only, say --interval 1h"
        )
