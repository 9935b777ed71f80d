"""Who does what: jobs for what is due, and what a dead worker leaves behind given to others.

Every worker looks every few seconds; one at a time does, so that no job is deferred twice. All
times are the store's: the clocks of the workers do not matter.
"""

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from pgadvisor.jobs.queue import ANALYSIS, COLLECT, lock_of
from pgadvisor.store.targets import DueDatabase, StoredTarget

__all__ = [
    "HEARTBEAT_SECONDS",
    "MAINTAIN",
    "STUDY",
    "WATCH",
    "Fleet",
    "dispatch",
    "live_workers",
    "stall_limit",
]

WATCH, STUDY, MAINTAIN = "watch", "study", "maintain"

#: how often a worker says that it lives
HEARTBEAT_SECONDS = 3.0
_LONGEST_STALL = 60.0
#: rows of workers are kept for so many stall limits, for those who were only cut off
_PRUNE_FACTOR = 20
_LOCK = 7_316_402_054


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What there is to do, as the store has it."""

    targets: tuple[StoredTarget, ...]
    due: tuple[DueDatabase, ...]
    #: a worker silent for longer is taken for dead
    stall_seconds: float


def stall_limit(intervals: Iterable[float], heartbeat: float = HEARTBEAT_SECONDS) -> float:
    """Seconds of silence after which a worker is taken for dead.

    A little less than the shortest interval of all targets, so that another has taken over
    before the second is over; never less than three heartbeats.

    >>> stall_limit([10.0, 60.0]), stall_limit([60.0]), stall_limit([])
    (9.0, 54.0, 60.0)
    """
    shortest = min(intervals, default=math.inf)
    return min(max(0.9 * shortest, 3 * heartbeat), _LONGEST_STALL)


async def dispatch(app: procrastinate.App, fleet: Fleet) -> None:
    """Take the jobs of dead workers from them and defer what nobody does yet.

    Returns at once where another worker is at it.
    """
    async with app.connector.pool.connection() as conn:  # type: ignore[attr-defined]
        row = await (await conn.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])).fetchone()
        if not row[0]:
            return
        await _retire(app, fleet.stall_seconds)
        await _defer(app, _watches(fleet))
        await _defer(app, _studies(fleet))


async def live_workers(app: procrastinate.App, stall_seconds: float) -> int:
    """How many workers have shown a sign of life within the limit."""
    row = await app.connector.execute_query_one_async(
        """select count(*) as workers from procrastinate_workers
           where last_heartbeat > now() - make_interval(secs => %(seconds)s)""",
        seconds=stall_seconds,
    )
    return int(row["workers"])


async def _retire(app: procrastinate.App, stall_seconds: float) -> None:
    """End the jobs of dead workers; new ones take their place.

    Not by a retry of the same job: a worker that was only frozen would end its job when it comes
    back, and with it that of the one who has taken over.
    """
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=stall_seconds)
    for job in stalled:
        with suppress(ConnectorException):  # it ended by itself just now
            await app.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
    await app.job_manager.prune_stalled_workers(stall_seconds * _PRUNE_FACTOR)


async def _defer(app: procrastinate.App, wanted: list[Job]) -> None:
    if not wanted:
        return
    there = set()
    for status in (Status.TODO, Status.DOING):
        jobs = await app.job_manager.list_jobs_async(queue=wanted[0].queue, status=status.value)
        there |= {job.queueing_lock for job in jobs}
    missing = [job for job in wanted if job.queueing_lock not in there]
    if missing:
        await app.job_manager.batch_defer_jobs_async(missing)


def _watches(fleet: Fleet) -> list[Job]:
    return [
        Job(
            queue=COLLECT,
            task_name=WATCH,
            lock=lock_of(WATCH, target.id),
            queueing_lock=lock_of(WATCH, target.id),
            task_kwargs={"target_id": target.id},
        )
        for target in fleet.targets
    ]


def _studies(fleet: Fleet) -> list[Job]:
    """One database of a target at a time: they share the lock."""
    return [
        Job(
            queue=ANALYSIS,
            task_name=STUDY,
            lock=lock_of(STUDY, one.target_id),
            queueing_lock=lock_of(STUDY, one.target_id, one.dbid),
            task_kwargs=one._asdict(),
        )
        for one in fleet.due
    ]
