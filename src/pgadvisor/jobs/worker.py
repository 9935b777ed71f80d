"""A worker: takes jobs from the store until it is told to stop, and survives the store.

One job watches one target for a term, in a thread of its own, so that targets spread over the
workers that are there. Where the store goes away, the job queue ends with an error; the threads
stay, and are taken up again by whoever gets the job of their target: this worker goes on with
them, and where it is another, they read its name in the store and end.
"""

import asyncio
import logging
import math
import os
import random
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from pgadvisor import pipeline
from pgadvisor.config import Settings
from pgadvisor.errors import AdvisorError, StoreUnavailable
from pgadvisor.jobs.dispatch import (
    HEARTBEAT_SECONDS,
    MAINTAIN,
    STUDY,
    WATCH,
    Fleet,
    dispatch,
    live_workers,
    stall_limit,
)
from pgadvisor.jobs.queue import ANALYSIS, COLLECT, UPKEEP, open_queue
from pgadvisor.jobs.threads import in_thread
from pgadvisor.jobs.watchers import Watchers
from pgadvisor.store import Store, jobs_schema
from pgadvisor.store.retention import maintain
from pgadvisor.store.targets import (
    DueDatabase,
    claim_target,
    due_databases,
    list_targets,
    target_by_id,
)

__all__ = ["POOL_SECONDS", "Worker"]

#: hundreds of threads take turns at the store's few connections
POOL_SECONDS = 30.0

#: looks at the store for each heartbeat
_TICKS_PER_HEARTBEAT = 1.5
#: a look at the store that takes longer means that it is not there
_TICK_TIMEOUT = 15.0
#: how long one job watches a target, give or take a fifth
_TERM_SECONDS = 600.0
_LONGEST_WAIT = 15.0
#: for readings under way when the worker is told to stop
_END_SECONDS = 10.0
_STORE_ERRORS = (
    ConnectorException,
    psycopg.Error,
    StoreUnavailable,
    TimeoutError,
    OSError,
)

log = structlog.get_logger()


class Worker:
    """Collects from its share of all targets, and studies their databases.

    `dsns` has the connection strings of targets by id that come with a password, for this
    process alone; all others are connected to as the store says.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        seed: int = 0,
        dsns: Mapping[int, str] | None = None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._random = random.Random(seed)
        self._heartbeat = heartbeat_seconds
        self._dsns = dict(dsns or {})
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._watchers = Watchers(store, settings, name=self.name, clock=clock, dsns=self._dsns)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._was_stopped = False
        self._share = 0
        #: jobs of each queue that this worker has at the moment
        self._held = {COLLECT: 0, ANALYSIS: 0, UPKEEP: 0}

    def check(self) -> None:
        """Raise `SchemaOutdated` where the store has no job queue that fits."""
        with self._store.transaction() as conn:
            jobs_schema.check(conn)

    def stop(self) -> None:
        """End in an orderly way; may be called from any thread, before `run` too."""
        self._was_stopped = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def run(self) -> None:
        """Work until stopped. Raises `SchemaOutdated` where the store has no job queue."""
        self.check()
        self._loop = asyncio.get_running_loop()
        if self._was_stopped:
            return
        self._loop.set_exception_handler(_unobserved)
        # they tell at length of each lost connection, which we tell in one line
        for library in ("procrastinate", "psycopg.pool"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                await self._session()
            except _STORE_ERRORS as exc:
                log.warning("the job queue was lost", error=_words(exc))
            failures = failures + 1 if time.monotonic() - started < 60 else 0
            wait = min(2.0**failures / 2, _LONGEST_WAIT) * self._random.uniform(0.5, 1.0)
            await _either(self._stopping, wait)
        await self._end_watches()

    async def _session(self) -> None:
        """One connection to the job queue, until it is lost or the worker is stopped."""
        app = open_queue(self._store, self._queues_with_room)
        maintenance = self._add_tasks(app)
        async with app.open_async():
            with suppress(AlreadyEnqueued):
                await maintenance.defer_async(timestamp=0)
            taking = asyncio.create_task(
                app.run_worker_async(
                    queues=[COLLECT, ANALYSIS, UPKEEP],
                    name=self.name,
                    concurrency=100_000,  # what there is room for is said by _queues_with_room
                    fetch_job_polling_interval=1.0,
                    abort_job_polling_interval=60.0,
                    shutdown_graceful_timeout=0.5,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._heartbeat,
                    stalled_worker_timeout=3600.0,
                )
            )
            looking = asyncio.create_task(self._look_after(app))
            try:
                await asyncio.wait({taking, looking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                looking.cancel()
                taking.cancel()
                await asyncio.wait({taking, looking}, timeout=_TICK_TIMEOUT)
        for task in (looking, taking):
            if task.done() and not task.cancelled():
                task.result()

    async def _look_after(self, app: procrastinate.App) -> None:
        while not self._stopping.is_set():
            await asyncio.wait_for(self._tick(app), _TICK_TIMEOUT)
            await _either(self._stopping, self._heartbeat / _TICKS_PER_HEARTBEAT)
        await self._end_watches()  # their jobs end with them, and others take over at once

    async def _tick(self, app: procrastinate.App) -> None:
        fleet = await in_thread(self._fleet)
        workers = max(await live_workers(app, fleet.stall_seconds), 1)
        self._share = math.ceil(len(fleet.targets) / workers)
        self._shed()
        await dispatch(app, fleet)

    def _fleet(self) -> Fleet:
        with self._store.transaction() as conn:
            targets = tuple(one for one in list_targets(conn) if one.is_watched)
            due = due_databases(
                conn, catalog_interval=self._settings.catalog_interval, now=self._clock()
            )
        usual = self._settings.interval.total_seconds()
        stall = stall_limit((one.interval_seconds or usual for one in targets), self._heartbeat)
        return Fleet(targets=targets, due=tuple(due), stall_seconds=stall)

    def _shed(self) -> None:
        """Leave to others what is over the share, with some slack so that nothing swings."""
        running = [watch for watch in self._watchers.all() if not watch.stop.is_set()]
        if len(running) > self._share + max(1, self._share // 10):
            self._watchers.stop(running[: len(running) - self._share])

    def _queues_with_room(self) -> list[str]:
        if self._stopping.is_set():
            return []
        most = {COLLECT: self._share, ANALYSIS: self._settings.max_workers, UPKEEP: 1}
        return [queue for queue, held in self._held.items() if held < most[queue]]

    def _add_tasks(self, app: procrastinate.App) -> Any:
        """Returns the task of maintenance, which is also done at the start."""
        app.task(name=WATCH, queue=COLLECT)(self._watch)
        app.task(name=STUDY, queue=ANALYSIS)(self._study)
        upkeep = app.task(name=MAINTAIN, queue=UPKEEP, lock=MAINTAIN, queueing_lock=MAINTAIN)
        return app.periodic(cron="7 * * * *")(upkeep(self._maintain))

    async def _watch(self, target_id: int) -> None:
        """Job: collect from a target for a term."""
        with self._holding(COLLECT):
            if not await in_thread(lambda: self._claim(target_id)):
                return
            watch = self._watchers.start(target_id)
            term = _TERM_SECONDS * self._random.uniform(0.8, 1.2)
            try:
                await asyncio.wait_for(watch.ended.wait(), term)
            except TimeoutError:
                self._watchers.stop([watch])
                await watch.ended.wait()

    def _claim(self, target_id: int) -> bool:
        with self._store.transaction() as conn:
            return claim_target(conn, target_id, self.name)

    async def _study(self, target_id: int, dbid: int, datname: str) -> None:
        """Job: catalog, plans and advice of one database."""
        database = DueDatabase(target_id, dbid, datname)
        with self._holding(ANALYSIS):
            await in_thread(lambda: self._study_database(database))

    def _study_database(self, database: DueDatabase) -> None:
        which = {"target": database.target_id, "database": database.datname}
        try:
            dsn = self._dsns.get(database.target_id)
            if dsn is None:
                with self._store.transaction() as conn:
                    dsn = target_by_id(conn, database.target_id).conninfo
            pipeline.study_database(dsn, self._store, self._settings, database, now=self._clock())
        except AdvisorError as exc:
            log.warning("database not read", reason=exc.message, **which)
        except Exception:
            log.exception("a bug in pgadvisor, please report it", **which)

    async def _maintain(self, timestamp: int) -> None:
        """Job, once an hour for all workers: make partitions, drop what is past its time."""
        with self._holding(UPKEEP):
            await in_thread(self._maintain_store)

    def _maintain_store(self) -> None:
        try:
            done = maintain(self._store, self._settings, now=self._earlier_now())
            log.info(
                "maintenance", made=done.made, dropped=done.dropped, deleted=dict(done.deleted)
            )
        except AdvisorError as exc:
            log.warning("maintenance failed", reason=exc.message)
        except Exception:
            log.exception("a bug in pgadvisor, please report it")

    def _earlier_now(self) -> datetime:
        """Our clock or the store's: one that has jumped ahead must not drop what is young."""
        with self._store.transaction() as conn:
            row = conn.execute("select now()").fetchone()
        assert row is not None  # a function call returns one row
        theirs: datetime = row[0]
        return min(self._clock(), theirs)

    @contextmanager
    def _holding(self, queue: str) -> Iterator[None]:
        self._held[queue] += 1
        try:
            yield
        finally:
            self._held[queue] -= 1

    async def _end_watches(self) -> None:
        """Tell all loops to end and wait for them; not for ever: a target may hang."""
        watches = self._watchers.all()
        self._watchers.stop(watches)
        if watches:
            ending = [asyncio.ensure_future(watch.ended.wait()) for watch in watches]
            await asyncio.wait(ending, timeout=_END_SECONDS)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _words(exc: BaseException) -> str:
    cause = exc.__cause__ or exc
    return " ".join(str(cause).split()) or type(cause).__name__


def _unobserved(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What went wrong in a task that nobody waits for: jobs that others ended meanwhile."""
    exc = context.get("exception")
    if exc is None or isinstance(exc, _STORE_ERRORS):
        log.debug("a job could not be ended", error=context.get("message"), cause=str(exc))
    else:
        loop.default_exception_handler(context)
