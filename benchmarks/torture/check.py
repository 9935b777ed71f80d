"""The history against the truth: equal, or a gap says that it is not."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from benchmarks.torture.load import LABELS, PLANNED
from benchmarks.torture.world import TargetUnderTorture

__all__ = ["Verdict", "check_history"]

#: how much a moment on the target's clock and one on ours may differ, in seconds
_SLACK = 0.75

_SNAPSHOTS: LiteralString = """
select since, captured_at from snapshots where target_id = %s order by id
"""
_GAPS: LiteralString = "select since, until, reason from gaps where target_id = %s"
_DELTAS: LiteralString = """
select d.until, b.datname, q.query, sum(d.calls)
from statement_deltas d
join statements s on s.id = d.statement_id
join databases b on (b.target_id, b.dbid) = (s.target_id, s.dbid)
join queries q on (q.target_id, q.dbid, q.queryid) = (s.target_id, s.dbid, s.queryid)
where d.target_id = %s and q.query like '%%tort\\_%%'
group by 1, 2, 3
"""
_HOURS: LiteralString = """
with d as (
    select statement_id, sum(calls) as calls from statement_deltas
    where target_id = %(id)s group by 1
), h as (
    select statement_id, sum(calls) as calls from statement_hours
    where target_id = %(id)s group by 1
)
select count(*) from d full join h using (statement_id)
where d.calls is distinct from h.calls
"""
_TWICE: LiteralString = """
select count(*) from (
    select statement_id, until from statement_deltas where target_id = %s
    group by 1, 2 having count(*) > 1
) twice
"""
_NEGATIVE: LiteralString = """
select count(*) from statement_deltas
where target_id = %s and least(calls, rows, total_exec_time, shared_blks_hit) < 0
"""
_EXECUTIONS: LiteralString = """
select p.datname, count(*) from executions e join plans p on p.id = e.plan_id
where e.target_id = %s and p.example_query like '%%tort\\_planned%%' group by 1
"""


@dataclass
class Verdict:
    """What was compared, and what is wrong."""

    target: str
    intervals: int = 0
    clean: int = 0
    #: calls in intervals without a gap: stored, and the bounds of the truth
    stored: int = 0
    fewest: int = 0
    most: int = 0
    #: calls of the whole run
    stored_in_all: int = 0
    most_in_all: int = 0
    gaps: dict[str, int] = field(default_factory=dict)
    logged: int = 0
    logged_fewest: int = 0
    logged_most: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Interval:
    since: datetime
    until: datetime
    #: on our clock
    began: float
    ended: float
    is_clean: bool


def check_history(conn: psycopg.Connection[Any], target: TargetUnderTorture) -> Verdict:
    """Compare the stored history of one target with its ledger."""
    verdict = Verdict(target.name)
    row = conn.execute("select id from targets where name = %s", [target.name]).fetchone()
    assert row is not None
    target_id = row[0]
    intervals = _intervals(conn, target, target_id, verdict)
    stored: dict[datetime, dict[tuple[str, str], int]] = {}
    for until, database, query, calls in conn.execute(_DELTAS, [target_id]):
        label = next((one for one in LABELS if one in query), None)
        if label:
            of_interval = stored.setdefault(until, {})
            key = (database, label)
            of_interval[key] = of_interval.get(key, 0) + int(calls)
    for run in _clean_runs(intervals):
        _check_run(run, stored, target, verdict)
    _check_whole(stored, target, verdict)
    _check_rows(conn, target_id, verdict)
    _check_log(conn, target_id, target, verdict)
    return verdict


def _intervals(
    conn: psycopg.Connection[Any], target: TargetUnderTorture, target_id: int, verdict: Verdict
) -> list[_Interval]:
    gaps = conn.execute(_GAPS, [target_id]).fetchall()
    for _, _, reason in gaps:
        verdict.gaps[reason] = verdict.gaps.get(reason, 0) + 1
    found: list[_Interval] = []
    place = 0
    last = 0.0
    for since, until in conn.execute(_SNAPSHOTS, [target_id]).fetchall():
        ended, place = _on_our_clock(until, target, place, last)
        if since is not None:
            is_clean = not any(
                (gap_since < until and gap_until > since) or since <= gap_until <= until
                for gap_since, gap_until, _ in gaps
            )
            found.append(_Interval(since, until, last, ended, is_clean))
        last = ended
    verdict.intervals = len(found)
    verdict.clean = sum(one.is_clean for one in found)
    return found


def _on_our_clock(
    moment: datetime, target: TargetUnderTorture, place: int, last: float
) -> tuple[float, int]:
    """A moment of the target's clock on ours: the first setting of its clock that allows it."""
    offsets = target.clock_offsets
    for index in range(place, len(offsets)):
        set_at, ahead = offsets[index]
        until = offsets[index + 1][0] if index + 1 < len(offsets) else float("inf")
        ours = moment.timestamp() - ahead
        # the library that shifts the clock looks once a second
        if max(set_at, last) - _SLACK <= ours <= until + 2:
            return ours, index
    return moment.timestamp() - offsets[-1][1], place


def _clean_runs(intervals: list[_Interval]) -> list[list[_Interval]]:
    runs: list[list[_Interval]] = [[]]
    for one in intervals:
        if not one.is_clean:
            runs.append([])
        else:
            runs[-1].append(one)
    return [run for run in runs if run]


def _check_run(
    run: list[_Interval],
    stored: dict[datetime, dict[tuple[str, str], int]],
    target: TargetUnderTorture,
    verdict: Verdict,
) -> None:
    began, ended = run[0].began, run[-1].ended
    for key in target.load.ledger.calls:
        fewest, _ = target.load.ledger.between(*key, began + _SLACK, ended - _SLACK)
        _, most = target.load.ledger.between(*key, began - _SLACK, ended + _SLACK)
        calls = sum(stored.get(one.until, {}).get(key, 0) for one in run)
        verdict.stored, verdict.fewest = verdict.stored + calls, verdict.fewest + fewest
        verdict.most += most
        if not fewest <= calls <= most:
            verdict.wrong.append(
                f"{key}: {calls} stored for {run[0].since:%H:%M:%S} to {run[-1].until:%H:%M:%S}"
                f" ({len(run)} intervals), the truth is {fewest} to {most}"
            )


def _check_whole(
    stored: dict[datetime, dict[tuple[str, str], int]], target: TargetUnderTorture, verdict: Verdict
) -> None:
    for key in target.load.ledger.calls:
        calls = sum(of_interval.get(key, 0) for of_interval in stored.values())
        most = len(target.load.ledger.calls[key][0])
        verdict.stored_in_all += calls
        verdict.most_in_all += most
        if calls > most:
            verdict.wrong.append(f"{key}: {calls} stored in all, at most {most} ran")


def _check_rows(conn: psycopg.Connection[Any], target_id: int, verdict: Verdict) -> None:
    for statement, parameters, words in (
        (_TWICE, [target_id], "statements stored twice for one moment"),
        (_NEGATIVE, [target_id], "negative deltas"),
        (_HOURS, {"id": target_id}, "statements whose hours are not the sum of their deltas"),
    ):
        row = conn.execute(statement, parameters).fetchone()
        assert row is not None
        if row[0]:
            verdict.wrong.append(f"{row[0]} {words}")


def _check_log(
    conn: psycopg.Connection[Any], target_id: int, target: TargetUnderTorture, verdict: Verdict
) -> None:
    logged = {name: int(count) for name, count in conn.execute(_EXECUTIONS, [target_id])}
    for database, label in target.load.ledger.calls:
        if label != PLANNED[0]:
            continue
        ends = target.load.ledger.calls[database, label][1]
        fewest, most = sum(end > 0 for end in ends), len(ends)
        calls = logged.get(database, 0)
        verdict.logged += calls
        verdict.logged_fewest += fewest
        verdict.logged_most += most
        if not fewest <= calls <= most:
            verdict.wrong.append(
                f"{database}: {calls} executions from the log, the truth is {fewest} to {most}"
            )
