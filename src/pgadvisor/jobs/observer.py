"""The collecting loop of one target: what is due, again and again, whatever goes wrong.

A target or store that is away costs nothing but time: counters stay on the target, and the next
interval spans the gap. Retries wait longer and longer, up to a minute, with some chance in it,
so that many collectors do not come back in step. What is due goes by a clock that nobody sets.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from pgadvisor import pipeline
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.collect.target import Target
from pgadvisor.config import Settings
from pgadvisor.errors import AdvisorError, NotFound, StoreUnavailable
from pgadvisor.records.database_filter import DatabaseFilter
from pgadvisor.sql import mask_message
from pgadvisor.store import Store
from pgadvisor.store.retention import maintain
from pgadvisor.store.targets import StoredTarget, save_failure, target_by_id

__all__ = ["Observer", "Progress"]

_LONGEST_WAIT = 60.0
#: failures in a row after which the circuit of a target is open
_CIRCUIT_FAILURES = 5
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


Step = Callable[[Target, int, datetime], None]


class Observer:
    """Collects from one target until told to stop; one thread calls `run`.

    Alone it does everything: maintenance of the store and the catalogs of all databases too.
    For a worker, which gives `watcher` and the id of a registered target, it reads what belongs
    to the server, and ends by itself when the target is paused, removed or somebody else's.
    """

    def __init__(
        self,
        dsn: str | None,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        seed: int = 0,
        analyze: bool = False,
        report: Report = lambda progress: None,
        target_id: int | None = None,
        watcher: str | None = None,
    ) -> None:
        self._dsn = dsn
        self._store = store
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._random = random.Random(seed)
        self._report = report
        self._analyze = analyze
        self._watcher = watcher
        self._due: dict[str, float] = {}
        self._not_before = 0.0
        self._target: Target | None = None
        self._conninfo: str | None = None
        self._target_id = target_id
        self._target_failures: int | None = None
        self._is_noted = False
        self._watched = pipeline.Watched(DatabaseFilter())
        self._log_was_read = False
        self._log_settings: dict[str, str] | None = None
        self._started = Started()
        self._retry_hidden = False
        self._steps: dict[str, Step] = {
            "statements": self._statements,
            "activity": self._activity,
            "logs": self._logs,
            "server": self._server,
        }
        if watcher is None:
            self._steps |= {"databases": self._databases, "maintenance": self._maintenance}
        self.progress = Progress()
        #: set when `run` has ended; in Python 3.11 a join that Ctrl-C interrupts says so too soon
        self.ended = threading.Event()

    def connect(self) -> None:
        """Connect and register the target now; errors reach the caller.

        Raises `TargetUnreachable`, or `ExtensionMissing` with what has to be installed.
        """
        try:
            pipeline.require_usable(self._connected(None)[0])
        except AdvisorError:
            self.close()
            raise

    def run(self) -> None:
        """Collect until the stop event is set; errors are noted and tried again."""
        wait: float | None = 0.0
        while wait is not None and not self._stop.wait(wait):
            wait = self._turn()
            self._report(self.progress)
        self.close()
        self.ended.set()

    def run_once(self) -> None:
        """Take one last reading of counters and logs; errors reach the caller."""
        target, target_id = self._connected(None)
        now = self._clock()
        self._logs(target, target_id, now)
        self._statements(target, target_id, now)
        self._report(self.progress)

    def close(self) -> None:
        """Close the connection to the target."""
        if self._target is not None:
            self._target.close()
            self._target = None

    def _turn(self) -> float | None:
        """Do what is due; returns the seconds until something is, None when all is over."""
        try:
            row = self._row()
            if self._watcher is not None and not self._is_ours(row):
                return None
            pause = self._not_before - time.monotonic()
            if pause > 0:
                return min(pause, self._interval("statements", row))
            wait = self._round(row)
            self.progress.failures = 0
            self._target_failures, self._is_noted = 0, False
            return wait
        except AdvisorError as exc:
            return self._failed(exc)
        except Exception as exc:
            log.exception("a bug in pgadvisor, please report it")
            return self._failed(AdvisorError(mask_message(f"{type(exc).__name__}: {exc}")))

    def _row(self) -> StoredTarget | None:
        """The target as the store has it now; None where it is not there."""
        if self._target_id is None:
            return None
        try:
            with self._store.transaction() as conn:
                row = target_by_id(conn, self._target_id)
        except NotFound:
            if self._watcher is None:
                self._target_id = None  # somebody deleted it: it is registered anew
            return None
        if self._target_failures is None:  # taken over from another worker, with its circuit
            self._target_failures = row.failures
            self._not_before = time.monotonic() + min(row.retry_in_seconds or 0.0, _LONGEST_WAIT)
        elif self._is_noted and not row.failures:  # somebody has resumed it
            self._target_failures, self._not_before, self._is_noted = 0, 0.0, False
        return row

    def _is_ours(self, row: StoredTarget | None) -> bool:
        return row is not None and row.is_watched and row.watcher == self._watcher

    def _round(self, row: StoredTarget | None) -> float:
        target, target_id = self._connected(row)
        if row is not None and row.database_filter != self._watched.chosen:
            self._watched = pipeline.Watched(row.database_filter)
        for name, step in self._steps.items():
            started = time.monotonic()
            if self._due.get(name, started) <= started:
                step(target, target_id, self._clock())
                self._due[name] = self._next(name, started, self._interval(name, row))
                self._report(self.progress)
            if self._stop.is_set():
                break
        return max(min(self._due.values()) - time.monotonic(), 0.0)

    def _next(self, name: str, started: float, interval: float) -> float:
        if name not in self._due:  # the first: from here on not in step with all others
            return started + interval * self._random.uniform(0.5, 1.0)
        return max(self._due[name] + interval, started + interval / 2)

    def _interval(self, name: str, row: StoredTarget | None) -> float:
        """Seconds: the target's own interval, or that of the settings."""
        settings = self._settings
        match name:
            case "activity":
                own, common = row and row.activity_interval_seconds, settings.activity_interval
            case "server":
                own, common = row and row.catalog_interval_seconds, settings.catalog_interval
            case "databases":
                own, common = 1.0, settings.interval  # one a second until none is due
            case "maintenance":
                own, common = None, _MAINTENANCE_INTERVAL
            case _:
                own, common = row and row.interval_seconds, settings.interval
        return own or common.total_seconds()

    def _connected(self, row: StoredTarget | None) -> tuple[Target, int]:
        if row is not None and self._conninfo not in (None, row.conninfo):
            self.close()  # the target was changed
        dsn = self._dsn if self._dsn is not None or row is None else row.conninfo
        assert dsn is not None  # without a DSN there is a target_id, and so a row
        if self._target is None or self._target.closed:
            self._target = pipeline.connect_target(dsn, self._settings)
            self._conninfo = row.conninfo if row is not None else None
        if self._target_id is None:
            self._target_id = pipeline.register_target(
                self._store, self._target, dsn, now=self._clock()
            )
        return self._target, self._target_id

    def _failed(self, exc: AdvisorError) -> float:
        if not isinstance(exc, StoreUnavailable):
            self.close()
        self.progress.failures += 1
        self.progress.last_error = exc.message
        log.warning("collecting failed", error=exc.message, hint=exc.hint, target=self._target_id)
        wait = _back_off(self.progress.failures, self._random)
        if not isinstance(exc, StoreUnavailable):
            self._target_failures = (self._target_failures or 0) + 1
            wait = _back_off(self._target_failures, self._random)
            self._note(exc, wait)
        self._not_before = time.monotonic() + wait
        return min(wait, self._settings.interval.total_seconds())

    def _note(self, exc: AdvisorError, wait: float) -> None:
        """Save why the target could not be read, and from the fifth time on how long it rests."""
        if self._target_id is None:
            return
        failures = self._target_failures or 1
        is_open = failures >= _CIRCUIT_FAILURES
        self._is_noted = False
        try:
            with self._store.transaction() as conn:
                save_failure(
                    conn,
                    self._target_id,
                    exc.message,
                    now=self._clock(),
                    failures=failures,
                    retry_in=timedelta(seconds=wait) if is_open else None,
                )
            self._is_noted = True
        except StoreUnavailable as also:
            log.warning("the failure could not be noted", error=also.message)

    def _statements(self, target: Target, target_id: int, now: datetime) -> None:
        interval = pipeline.observe_statements(
            target,
            self._store,
            target_id,
            now=now,
            retry_hidden=self._retry_hidden,
            watched=self._watched,
        )
        pipeline.observe_state(target, self._store, target_id, now=now, clock=self._clock)
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
        pipeline.observe_activity(target, self._store, target_id, now=now, watched=self._watched)

    def _server(self, target: Target, target_id: int, now: datetime) -> None:
        settings = pipeline.observe_server(target, self._store, target_id, now=now)
        self._log_settings = {one.name: one.setting for one in settings}
        self._retry_hidden = True  # a right may have been granted since
        self._watched.forget()

    def _logs(self, target: Target, target_id: int, now: datetime) -> None:
        reading = pipeline.observe_logs(
            target,
            self._store,
            target_id,
            now=now,
            from_end=not self._log_was_read,
            settings=self._log_settings,
            watches=self._watched.watches,
            started=self._started,
        )
        self._log_was_read = reading.problem is None
        self.progress.plans += reading.plans
        self.progress.log_problem = reading.problem
        for reason, count in reading.skipped.items():
            self.progress.log_skipped[reason] = self.progress.log_skipped.get(reason, 0) + count

    def _databases(self, target: Target, target_id: int, now: datetime) -> None:
        """One database whose catalog is due; the next one a second later."""
        due = pipeline.due_databases(self._store, self._settings, now=now, target_id=target_id)
        if not due:
            return
        dsn = self._dsn or ""
        try:
            advice = pipeline.study_database(
                dsn, self._store, self._settings, due[0], now=now, analyze=self._analyze
            )
        except AdvisorError as exc:
            if isinstance(exc, StoreUnavailable) or target.closed:
                raise
            log.warning("database not read", database=due[0].datname, reason=exc.message)
            return
        if advice is not None:
            self.progress.recommendations = len(advice.recommendations)

    def _maintenance(self, target: Target, target_id: int, now: datetime) -> None:
        done = maintain(self._store, self._settings, now=now)
        log.info("maintenance", made=done.made, dropped=done.dropped, deleted=dict(done.deleted))


def _back_off(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(2.0 ** (failures - 1), _LONGEST_WAIT) * chance.uniform(0.5, 1.0)
