"""What happened between two snapshots: the one place where counters are subtracted.

The rule of the module: a delta is never more than what really ran. Where an entry began anew,
what it counts now happened inside the interval, and what it had counted before it ended is lost;
that is a `Gap`, never a guess.
"""

from datetime import datetime, timedelta

from pgadvisor.records.statement import (
    COUNTER_NAMES,
    Counters,
    Gap,
    GapReason,
    Interval,
    StatementCounters,
    StatementDelta,
    StatementSnapshot,
)

__all__ = ["interval_between"]

#: what the clock of a target has to move on by, so that an interval has a length
_TICK = timedelta(milliseconds=1)


def interval_between(before: StatementSnapshot, after: StatementSnapshot) -> Interval:
    """The deltas of all statements from one snapshot to the next, with the gaps.

    Handles a reset of all or of one entry, eviction, a restart with and without loss, another
    cluster under the same name, entries that become visible, and a clock that was set back.
    """
    since, gaps = _span(before, after)
    if before.system_identifier != after.system_identifier:
        return Interval(since=since, until=after.captured_at, deltas=(), gaps=gaps)
    begun_anew = _all_begun_anew(before, after)
    if begun_anew is not None:
        gaps += (begun_anew,)
        if since < begun_anew.until < after.captured_at:
            since = begun_anew.until
    deltas: list[StatementDelta] = []
    lost = sum(key not in after.statements for key in before.statements)
    unknown = 0
    for key, now in after.statements.items():
        then = before.statements.get(key)
        if then is None and _was_invisible(now, before, after):
            unknown += 1
            continue
        is_anew = begun_anew is not None or then is None or _began_anew(then, now)
        lost += is_anew and then is not None
        counters = now.counters if is_anew or then is None else _minus(now, then)
        if counters.calls or counters.plans:
            deltas.append(StatementDelta(key=key, counters=counters))
    if begun_anew is None:
        gaps += _losses(since, before, after, lost)
    if unknown:
        gaps += (_gap(since, after, GapReason.FIRST_SIGHT, unknown),)
    return Interval(since=since, until=after.captured_at, deltas=tuple(deltas), gaps=gaps)


def _losses(
    since: datetime, before: StatementSnapshot, after: StatementSnapshot, lost: int
) -> tuple[Gap, ...]:
    """The gap of entries that ended or began anew, if there is any sign of one."""
    # an entry may also have come and gone between the two without a trace, but not without dealloc
    deallocated = before.dealloc is not None and before.dealloc != after.dealloc
    if not lost and not deallocated:
        return ()
    evicted = deallocated or before.dealloc is None
    return (_gap(since, after, GapReason.EVICTION if evicted else GapReason.RESET, lost),)


def _gap(since: datetime, after: StatementSnapshot, reason: GapReason, statements: int) -> Gap:
    return Gap(since=since, until=after.captured_at, reason=reason, statements=statements)


def _span(before: StatementSnapshot, after: StatementSnapshot) -> tuple[datetime, tuple[Gap, ...]]:
    since = before.captured_at
    gaps: tuple[Gap, ...] = ()
    if after.captured_at - since < _TICK:
        since = after.captured_at - _TICK
        gaps += (Gap(since=since, until=after.captured_at, reason=GapReason.CLOCK),)
    if before.system_identifier != after.system_identifier:
        gaps += (_gap(since, after, GapReason.OTHER_CLUSTER, len(before.statements)),)
    return since, gaps


def _all_begun_anew(before: StatementSnapshot, after: StatementSnapshot) -> Gap | None:
    """The gap of a reset or crash that made every entry begin anew, None without one."""
    count = len(before.statements)
    if before.stats_reset is not None and after.stats_reset is not None:
        if before.stats_reset == after.stats_reset:
            return None
        restarted = before.postmaster_start_at != after.postmaster_start_at
        reason = GapReason.RESTART if restarted else GapReason.RESET
        until = min(max(after.stats_reset, before.captured_at), after.captured_at)
        return _ordered_gap(before, until, reason, count)
    # extension 1.8 has no stats_reset: tell it from what the entries did
    fallen = sum(
        1
        for key, then in before.statements.items()
        if (now := after.statements.get(key)) is None or _began_anew(then, now)
    )
    restarted = before.postmaster_start_at != after.postmaster_start_at
    if restarted and fallen:
        until = min(max(after.postmaster_start_at, before.captured_at), after.captured_at)
        return _ordered_gap(before, until, GapReason.RESTART, count)
    if fallen * 2 > count:  # eviction takes the least used 5 % (entry_dealloc), never half
        return _ordered_gap(before, after.captured_at, GapReason.RESET, count)
    return None


def _ordered_gap(
    before: StatementSnapshot, until: datetime, reason: GapReason, statements: int
) -> Gap:
    since = min(before.captured_at, until)
    return Gap(since=since, until=until, reason=reason, statements=statements)


def _began_anew(then: StatementCounters, now: StatementCounters) -> bool:
    """True when the entry is not the one seen before.

    PostgreSQL 17 says so itself. Before, counters that fell give it away, and so do a minimum
    that rose or a maximum that fell, which an entry's life does not allow. An entry that was
    evicted and has overtaken itself in all of these counts too little, never too much.
    """
    if then.stats_since is not None and now.stats_since is not None:
        return then.stats_since != now.stats_since
    if then.counters.calls and (
        now.min_exec_time > then.min_exec_time or now.max_exec_time < then.max_exec_time
    ):
        return True
    return any(
        getattr(now.counters, name) < getattr(then.counters, name)
        for name in COUNTER_NAMES
        if name != "sum_squared_exec_time"  # computed from rounded figures, may fall a little
    )


def _was_invisible(
    now: StatementCounters, before: StatementSnapshot, after: StatementSnapshot
) -> bool:
    """True when an entry appears that may have lived before, out of our sight."""
    if now.stats_since is not None:
        return now.stats_since < before.captured_at and after.hidden < before.hidden
    return after.hidden < before.hidden


_NOTHING = Counters()


def _minus(now: StatementCounters, then: StatementCounters) -> Counters:
    if now.counters == then.counters:
        return _NOTHING
    return Counters(
        **{
            name: max(getattr(now.counters, name) - getattr(then.counters, name), 0)
            for name in COUNTER_NAMES
        }
    )
