"""What happened between two snapshots: the one place where counters are subtracted.

The rule of the module: a delta is never more than what really ran. Where an entry began anew,
what it counts now happened inside the interval, and what it had counted before it ended is lost;
that is a `Gap`, never a guess. Without a gap the deltas are exact, as far as PostgreSQL shows
that an entry ended:

- 17 and newer: an entry says since when it counts (stats_since). What stays unseen is an entry
  that came and went between two snapshots by a reset of that entry alone.
- 14 to 16: a reset of all (stats_reset) and evictions (dealloc) show. Unseen is also an entry
  that was reset alone and has overtaken itself in every counter by the next snapshot.
- 13: only counters that fell show. Unseen is also whatever was evicted and overtook itself, or
  came and went. A restart begins anew: nothing tells whether the statistics survived it, or
  whether it is another server now.

In each of these cases too little is counted, never too much.
"""

from datetime import datetime, timedelta
from operator import itemgetter, lt, sub

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

    Handles a reset of all, of some or of one entry, eviction, a restart with and without loss,
    another server under the same name (a failover too), another version of the extension,
    entries that become visible, and a clock that was set back.
    """
    since, gaps = _span(before, after)
    new_baseline = _new_baseline(before, after, since)
    if new_baseline is not None:
        return Interval(
            since=since,
            until=after.captured_at,
            deltas=(),
            gaps=(*gaps, new_baseline),
            is_observed=False,
        )
    if before.stats_reset != after.stats_reset:
        return _after_reset(before, after, since, gaps)
    return _of_entries(before, after, since, gaps)


def _span(before: StatementSnapshot, after: StatementSnapshot) -> tuple[datetime, tuple[Gap, ...]]:
    if after.captured_at - before.captured_at >= _TICK:
        return before.captured_at, ()
    since = after.captured_at - _TICK
    return since, (Gap(since=since, until=after.captured_at, reason=GapReason.CLOCK),)


def _new_baseline(
    before: StatementSnapshot, after: StatementSnapshot, since: datetime
) -> Gap | None:
    """The gap of two snapshots that cannot be compared, None where they can."""
    if _is_other_server(before, after):
        reason, statements = GapReason.OTHER_CLUSTER, len(before.statements)
    elif _is_other_extension(before, after):
        reason, statements = GapReason.FIRST_SIGHT, len(after.statements)
    elif before.stats_reset is None and before.postmaster_start_at != after.postmaster_start_at:
        reason, statements = GapReason.RESTART, len(before.statements)
    else:
        return None
    return Gap(since=since, until=after.captured_at, reason=reason, statements=statements)


def _is_other_server(before: StatementSnapshot, after: StatementSnapshot) -> bool:
    """True when the counters are not those of the server seen before.

    A standby has the system identifier of its primary but statistics of its own. It gives itself
    away: it was started, or its statistics were reset, at another moment than the last snapshot
    says, and yet not since that snapshot.
    """
    if before.system_identifier != after.system_identifier:
        return True
    pairs = (
        (before.postmaster_start_at, after.postmaster_start_at),
        (before.stats_reset, after.stats_reset),
    )
    return any(
        then is not None
        and now is not None
        and then != now
        and not before.captured_at < now <= after.captured_at
        for then, now in pairs
    )


def _is_other_extension(before: StatementSnapshot, after: StatementSnapshot) -> bool:
    """True after ALTER EXTENSION UPDATE: columns and keys appear with all they ever counted."""
    return (before.stats_reset is None) != (after.stats_reset is None) or (
        before.extension_version is not None and before.extension_version != after.extension_version
    )


def _after_reset(
    before: StatementSnapshot, after: StatementSnapshot, since: datetime, gaps: tuple[Gap, ...]
) -> Interval:
    """Everything that is counted now was counted since a reset of all, or since a crash."""
    assert after.stats_reset is not None  # None on one side is another extension
    # a crash sets it when shared memory is made, just before the postmaster's start is noted
    crashed = (
        before.postmaster_start_at != after.postmaster_start_at
        and after.stats_reset <= after.postmaster_start_at
    )
    reset_at = min(max(after.stats_reset, since), after.captured_at)
    reason = GapReason.RESTART if crashed else GapReason.RESET
    gaps += (Gap(since=since, until=reset_at, reason=reason, statements=len(before.statements)),)
    since = reset_at if reset_at < after.captured_at else since
    if after.last_dealloc:  # counted from the reset on
        gaps += (Gap(since=since, until=after.captured_at, reason=GapReason.EVICTION),)
    deltas = tuple(
        StatementDelta(key=key, counters=now.counters) for key, now in after.statements.items()
    )
    return Interval(since=since, until=after.captured_at, deltas=deltas, gaps=gaps)


def _of_entries(
    before: StatementSnapshot, after: StatementSnapshot, since: datetime, gaps: tuple[Gap, ...]
) -> Interval:
    """Each entry against itself."""
    deltas: list[StatementDelta] = []
    lost = sum(
        key not in after.statements and key.dbid not in after.unwatched for key in before.statements
    )
    unknown = 0
    seen_users = {key.userid for key in before.statements}
    for key, now in after.statements.items():
        then = before.statements.get(key)
        if then is None:
            was_unseen = key.dbid in before.unwatched or (
                before.hidden and key.userid not in seen_users
            )
            if was_unseen and _may_be_old(now, before, after):
                unknown += 1
                continue
            counters = now.counters
        elif _began_anew(then, now):
            lost += 1
            counters = now.counters
        else:
            counters = _minus(now, then)
        if counters.calls or counters.plans:
            deltas.append(StatementDelta(key=key, counters=counters))
    for reason, count in ((_loss(before, after, lost), lost), (_sight(unknown), unknown)):
        if reason is not None:
            gaps += (Gap(since=since, until=after.captured_at, reason=reason, statements=count),)
    return Interval(since=since, until=after.captured_at, deltas=tuple(deltas), gaps=gaps)


def _loss(before: StatementSnapshot, after: StatementSnapshot, lost: int) -> GapReason | None:
    """Why entries ended, None without a sign that one did."""
    if before.dealloc != after.last_dealloc:
        return GapReason.EVICTION  # also of entries that came and went between the two
    if not lost:
        return None
    if before.dealloc is not None:
        return GapReason.RESET
    # extension 1.8 shows neither resets nor evictions; one of those takes the least used 5 %
    return GapReason.RESET if lost * 2 > len(before.statements) else GapReason.EVICTION


def _sight(unknown: int) -> GapReason | None:
    return GapReason.FIRST_SIGHT if unknown else None


#: sum_squared_exec_time is computed from rounded figures and may fall a little
_NEVER_FALLING = itemgetter(
    *(n for n, name in enumerate(COUNTER_NAMES) if name != "sum_squared_exec_time")
)


def _began_anew(then: StatementCounters, now: StatementCounters) -> bool:
    """True when the entry is not the one seen before.

    PostgreSQL 17 says so itself. Before, counters that fell give it away, and so do a minimum
    that rose or a maximum that fell, which an entry's life does not allow.
    """
    if then.stats_since is not None and now.stats_since is not None:
        return then.stats_since != now.stats_since
    if then.counters.calls and (
        now.min_exec_time > then.min_exec_time or now.max_exec_time < then.max_exec_time
    ):
        return True
    return any(map(lt, _NEVER_FALLING(now.counters), _NEVER_FALLING(then.counters)))


def _may_be_old(
    now: StatementCounters, before: StatementSnapshot, after: StatementSnapshot
) -> bool:
    """True when an entry new to us may have counted before we looked last.

    Asked only of databases that were not watched, and of users none of whose entries we saw
    while some were hidden: pg_stat_statements hides either all entries of a user or none.
    """
    if now.stats_since is None:
        return True
    return not before.captured_at <= now.stats_since <= after.captured_at


_NOTHING = Counters()


def _minus(now: StatementCounters, then: StatementCounters) -> Counters:
    if now.counters == then.counters:
        return _NOTHING
    differences = tuple(map(sub, now.counters, then.counters))
    if min(differences) < 0:
        differences = tuple(max(difference, type(difference)()) for difference in differences)
    return Counters._make(differences)
