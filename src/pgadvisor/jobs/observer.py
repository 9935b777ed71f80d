"""The collecting loop of one target: what is due, again and again, whatever goes wrong.

A target or store that is away costs nothing but time: counters stay on the target, and the next
interval spans the gap. Retries wait longer and longer, up to a minute, with some chance in it,
so that many collectors do not come back in step.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from pgadvisor import pipeline
from pgadvisor.collect.target import Target
from pgadvisor.config import Settings
from pgadvisor.errors import AdvisorError, NotFound, StoreUnavailable
from pgadvisor.store import Store
from pgadvisor.store.partitions import PARTITIONED, drop_partitions
from pgadvisor.store.targets import save_failure

__all__ = ["Observer", "Progress"]

_LONGEST_WAIT = 60.0
_MAINTENANCE_INTERVAL = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(slots=True)
class Progress:
    """What the loop has done so far; read by whoever shows it."""

    snapshots: int = 0
    calls: int = 0
    exec_time_ms: float = 0.0
    gaps: int = 0
    plans: int = 0
    log_problem: str | None = None
    log_skipped: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    last_error: str | None = None
    recommendations: int | None = None


class Report(Protocol):
    """Called after each step."""

    def __call__(self, progress: Progress) -> None:
        """Show or note how far it is."""


class Observer:
    """Collects from one target until told to stop; one thread calls `run`."""

    def __init__(
        self,
        dsn: str,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        seed: int = 0,
        analyze: bool = False,
        report: Report = lambda progress: None,
    ) -> None:
        self._dsn = dsn
        self._store = store
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._random = random.Random(seed)
        self._report = report
        self._due: dict[str, datetime] = {}
        self._target: Target | None = None
        self._target_id: int | None = None
        self._log_was_read = False
        self._retry_hidden = False
        self._steps: dict[str, tuple[timedelta, Callable[[Target, int, datetime], None]]] = {
            "catalog": (settings.catalog_interval, self._catalog),
            "activity": (settings.activity_interval, self._activity),
            "logs": (settings.interval, self._logs),
            "statements": (settings.interval, self._statements),
            "maintenance": (_MAINTENANCE_INTERVAL, self._maintenance),
        }
        if analyze:
            self._steps["advice"] = (settings.catalog_interval, self._advice)
        self.progress = Progress()
        #: set when `run` has ended; in Python 3.11 a join that Ctrl-C interrupts says so too soon
        self.ended = threading.Event()

    def connect(self) -> None:
        """Connect and register the target now; errors reach the caller.

        Raises `TargetUnreachable`, or `ExtensionMissing` with what has to be installed.
        """
        try:
            target, _ = self._connected()
            pipeline.require_usable(target)
        except AdvisorError:
            self.close()
            raise

    def run(self) -> None:
        """Collect until the stop event is set; errors are noted and tried again."""
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self._round()
                self.progress.failures = 0
            except AdvisorError as exc:
                wait = self._failed(exc)
            except Exception as exc:
                log.exception("a bug in pgadvisor, please report it")
                wait = self._failed(AdvisorError(f"{type(exc).__name__}: {exc}"))
            self._report(self.progress)
        self.close()
        self.ended.set()

    def run_once(self) -> None:
        """Take one last reading of counters and logs; errors reach the caller."""
        target, target_id = self._connected()
        now = self._clock()
        self._logs(target, target_id, now)
        self._statements(target, target_id, now)
        self._report(self.progress)

    def close(self) -> None:
        """Close the connection to the target."""
        if self._target is not None:
            self._target.close()
            self._target = None

    def _round(self) -> float:
        """Do what is due; returns the seconds until something is."""
        target, target_id = self._connected()
        for name, (interval, step) in self._steps.items():
            now = self._clock()
            if self._due.get(name, now) <= now:
                step(target, target_id, now)
                self._due[name] = max(self._due.get(name, now) + interval, now + interval / 2)
                self._report(self.progress)
            if self._stop.is_set():
                break
        return max((min(self._due.values()) - self._clock()).total_seconds(), 0.0)

    def _connected(self) -> tuple[Target, int]:
        if self._target is None or self._target.closed:
            self._target = pipeline.connect_target(self._dsn, self._settings)
        if self._target_id is None:
            self._target_id = pipeline.register_target(
                self._store, self._target, self._dsn, now=self._clock()
            )
        return self._target, self._target_id

    def _failed(self, exc: AdvisorError) -> float:
        self.close()
        self.progress.failures += 1
        self.progress.last_error = exc.message
        log.warning("collecting failed", error=exc.message, hint=exc.hint)
        if self._target_id is not None and not isinstance(exc, StoreUnavailable):
            try:
                with self._store.transaction() as conn:
                    save_failure(conn, self._target_id, exc.message, now=self._clock())
            except StoreUnavailable as also:
                log.warning("the failure could not be noted", error=also.message)
        wait = min(2.0 ** (self.progress.failures - 1), _LONGEST_WAIT)
        return wait * self._random.uniform(0.5, 1.0)

    def _statements(self, target: Target, target_id: int, now: datetime) -> None:
        interval = pipeline.observe_statements(
            target, self._store, target_id, now=now, retry_hidden=self._retry_hidden
        )
        self._retry_hidden = False
        self.progress.snapshots += 1
        self.progress.last_error = None
        if interval is not None:
            self.progress.calls += sum(delta.counters.calls for delta in interval.deltas)
            self.progress.exec_time_ms += sum(
                delta.counters.total_exec_time for delta in interval.deltas
            )
            self.progress.gaps += len(interval.gaps)

    def _activity(self, target: Target, target_id: int, now: datetime) -> None:
        pipeline.observe_activity(target, self._store, target_id, now=now)

    def _catalog(self, target: Target, target_id: int, now: datetime) -> None:
        pipeline.observe_catalog(target, self._store, target_id, now=now)
        self._retry_hidden = True  # a right may have been granted since

    def _logs(self, target: Target, target_id: int, now: datetime) -> None:
        reading = pipeline.observe_logs(
            target, self._store, target_id, now=now, from_end=not self._log_was_read
        )
        self._log_was_read = reading.problem is None
        self.progress.plans += reading.plans
        self.progress.log_problem = reading.problem
        for reason, count in reading.skipped.items():
            self.progress.log_skipped[reason] = self.progress.log_skipped.get(reason, 0) + count

    def _advice(self, target: Target, target_id: int, now: datetime) -> None:
        try:
            advice = pipeline.advise(target, self._store, target_id, now=now)
        except NotFound as exc:
            log.info("nothing to analyze yet", reason=exc.message)
            return
        self.progress.recommendations = len(advice.recommendations)

    def _maintenance(self, target: Target, target_id: int, now: datetime) -> None:
        """Drop what is past its time."""
        settings = self._settings
        with self._store.transaction() as conn:
            for table, is_raw in PARTITIONED.items():
                keep = settings.raw_retention if is_raw else settings.hourly_retention
                drop_partitions(conn, table, now - keep)
            conn.execute(
                "delete from running_statements where last_seen_at < %s",
                [now - settings.raw_retention],
            )
            conn.execute(
                "delete from activity_samples where captured_at < %s",
                [now - settings.raw_retention],
            )
            conn.execute(
                "delete from database_intervals where until < %s", [now - settings.hourly_retention]
            )
            conn.execute(
                """delete from relation_statistics r where captured_at < %s
                   and exists (select from relation_statistics newer
                               where (newer.target_id, newer.dbid, newer.oid)
                                   = (r.target_id, r.dbid, r.oid)
                                 and newer.captured_at > r.captured_at)""",
                [now - settings.raw_retention],
            )
