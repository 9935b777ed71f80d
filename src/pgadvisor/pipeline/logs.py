"""What the server wrote to its log, into the store."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pgadvisor.collect.find_log import find_log
from pgadvisor.collect.logs import read_log
from pgadvisor.collect.target import Target
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogSource
from pgadvisor.store import Store
from pgadvisor.store import plans as stored_plans
from pgadvisor.store import targets as stored_targets

__all__ = ["LogReading", "observe_logs"]

#: pieces of a log read in one round, of 4 MiB or so each: the rest waits for the next round
_MOST_LOG_PIECES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What one reading of a server log brought."""

    plans: int = 0
    lines: int = 0
    #: entries left out, by reason
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: what the log cannot tell
    notes: tuple[str, ...] = ()
    #: why the log could not be read at all
    problem: str | None = None

    def __add__(self, other: "LogReading") -> "LogReading":
        return LogReading(
            plans=self.plans + other.plans,
            lines=self.lines + other.lines,
            skipped=Counter(self.skipped) + Counter(other.skipped),
            notes=other.notes,
            problem=other.problem,
        )


def observe_logs(
    target: Target, store: Store, target_id: int, *, now: datetime, from_end: bool = True
) -> LogReading:
    """Read what auto_explain wrote since the last time, where the log is on this machine.

    Plans and the position in the log are saved together: none is lost, none counted twice. A
    log never read before is begun `from_end`, because what is older was not observed.
    """
    whole = LogReading()
    try:
        source = find_log(target)
        for _ in range(_MOST_LOG_PIECES):
            piece, is_at_end = _read_piece(store, target_id, source, now=now, from_end=from_end)
            whole += piece
            if is_at_end:
                break
    except LogUnreadable as exc:
        return replace(whole, problem=f"{exc.message}. {exc.hint}")
    return whole


def _read_piece(
    store: Store, target_id: int, source: LogSource, *, now: datetime, from_end: bool
) -> tuple[LogReading, bool]:
    name = f"{source.format}:{source.path}"
    with store.transaction() as conn:
        # held from reading the position to saving the next one: two collectors take turns
        stored_targets.lock_target(conn, target_id)
        position = stored_plans.load_log_position(conn, target_id, name)
        batch = read_log(source, position, from_end=from_end)
        skipped = Counter(batch.skipped)
        skipped.update(f"log file {gap.reason} before its end was read" for gap in batch.gaps)
        unread = stored_plans.save_plans(conn, target_id, batch.captures)
        skipped.update({"invalid plan": unread} if unread else {})
        if batch.position is not None:
            stored_plans.save_log_position(
                conn,
                target_id,
                name,
                batch.position,
                lines=batch.lines,
                skipped=skipped,
                now=now,
            )
    reading = LogReading(
        plans=len(batch.captures) - unread,
        lines=batch.lines,
        skipped=dict(skipped),
        notes=source.notes,
    )
    return reading, batch.at_end
