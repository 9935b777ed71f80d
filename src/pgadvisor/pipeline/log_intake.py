"""What a piece of a log holds, checked, masked and saved with the position behind it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from pgadvisor.collect.logs.sampling import plan_sampling, statement_sampling
from pgadvisor.pipeline.log_history import LogHistory
from pgadvisor.pipeline.privacy import Privacy
from pgadvisor.records.log import (
    Execution,
    LogBatch,
    LoggedStatement,
    LogPosition,
    LogSampling,
    LogSkip,
)
from pgadvisor.records.workload import PlanCapture
from pgadvisor.store import Connection, Store
from pgadvisor.store.executions import save_executions
from pgadvisor.store.logs import load_log_position, save_log_position
from pgadvisor.store.plans import save_plans
from pgadvisor.store.targets import lock_target

__all__ = ["LogIntake", "LogReading"]

#: a server's clock may be ahead of ours, not by more
_FUTURE = timedelta(days=1)
#: PostgreSQL's own limit is 63 bytes, and an index takes no key over 2,700
_LONGEST_NAME = 128
_LARGEST_PID = 2**31

_Logged = TypeVar("_Logged", PlanCapture, LoggedStatement)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What one reading of a log brought."""

    plans: int = 0
    statements: int = 0
    lines: int = 0
    bytes_read: int = 0
    #: entries left out, by reason
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: what the log cannot tell
    notes: tuple[str, ...] = ()
    #: why the log could not be read at all
    problem: str | None = None

    def __add__(self, other: "LogReading") -> "LogReading":
        return LogReading(
            plans=self.plans + other.plans,
            statements=self.statements + other.statements,
            lines=self.lines + other.lines,
            bytes_read=self.bytes_read + other.bytes_read,
            skipped=Counter(self.skipped) + Counter(other.skipped),
            notes=other.notes or self.notes,
            problem=other.problem,
        )


def _all_databases(datname: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIntake:
    """Where the pieces of one log go to."""

    store: Store
    target_id: int
    #: what the log is called among those of the target
    source: str
    privacy: Privacy
    sampling: LogSampling
    now: datetime
    #: older entries are left out: their partitions would be dropped again
    kept: timedelta
    watches: Callable[[str], bool] = _all_databases
    #: makes counters of the executions, where the log shows all of them and nothing else counts
    history: LogHistory | None = None

    def position(self) -> LogPosition | None:
        """How far the log was read; None when it never was."""
        with self.store.transaction() as conn:
            return load_log_position(conn, self.target_id, self.source)

    def save(self, batch: LogBatch, expected: LogPosition | None) -> LogReading | None:
        """Save a piece and the position behind it in one transaction: none is counted twice.

        `expected` is the position that the piece was read from; None is returned and nothing
        saved where another reader has moved it meanwhile.
        """
        skipped = Counter(batch.skipped)
        skipped.update(f"log file {gap.reason} before its end was read" for gap in batch.gaps)
        captures = self._usable(batch.captures, skipped)
        executions = [self._execution(one) for one in self._usable(batch.statements, skipped)]
        with self.store.transaction() as conn:
            lock_target(conn, self.target_id)
            if load_log_position(conn, self.target_id, self.source) != expected:
                return None
            unread = self._save_records(conn, captures, executions)
            skipped.update({LogSkip.INVALID.value: unread} if unread else {})
            if batch.position is not None:
                save_log_position(
                    conn,
                    self.target_id,
                    self.source,
                    batch.position,
                    lines=batch.lines,
                    skipped=skipped,
                    now=self.now,
                )
        return LogReading(
            plans=len(captures) - unread,
            statements=len(executions),
            lines=batch.lines,
            bytes_read=batch.bytes_read,
            skipped=dict(skipped),
        )

    def _save_records(
        self, conn: Connection, captures: list[PlanCapture], executions: list[Execution]
    ) -> int:
        unread = save_plans(
            conn,
            self.target_id,
            captures,
            mask=self.privacy.plan,
            sampled=partial(plan_sampling, self.sampling),
        )
        save_executions(conn, self.target_id, executions)
        if self.history is not None:
            self.history.save(conn, self.target_id, executions, now=self.now)
        return unread

    def _execution(self, logged: LoggedStatement) -> Execution:
        threshold_ms, sample_rate = statement_sampling(self.sampling, logged.duration_ms)
        return self.privacy.execution(logged, threshold_ms=threshold_ms, sample_rate=sample_rate)

    def _usable(self, entries: tuple[_Logged, ...], skipped: Counter[str]) -> list[_Logged]:
        """Those of watched databases that can be stored; a log may be anybody's bytes."""
        usable = []
        earliest, latest = self.now - self.kept, self.now + _FUTURE
        for entry in entries:
            at = entry.captured_at if isinstance(entry, PlanCapture) else entry.logged_at
            if not earliest <= at <= latest:
                skipped[LogSkip.OUT_OF_RANGE.value] += 1
            elif len(entry.database) > _LONGEST_NAME:
                skipped[LogSkip.MALFORMED.value] += 1
            elif self.watches(entry.database):
                usable.append(_named(entry))
        return usable


def _named(entry: _Logged) -> _Logged:
    """The entry with names and process id that fit their columns."""
    user, application_name, pid = entry.user, entry.application_name, entry.pid
    if (
        len(user or "") <= _LONGEST_NAME
        and len(application_name or "") <= _LONGEST_NAME
        and (pid is None or 0 <= pid < _LARGEST_PID)
    ):
        return entry
    return replace(
        entry,
        user=user and user[:_LONGEST_NAME],
        application_name=application_name and application_name[:_LONGEST_NAME],
        pid=pid if pid is not None and 0 <= pid < _LARGEST_PID else None,
    )
