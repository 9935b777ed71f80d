"""What a watched server wrote to its log, into the store."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from pgadvisor.collect.find_log import find_log, log_folder
from pgadvisor.collect.logs import MAX_BYTES, read_log
from pgadvisor.collect.logs.sampling import log_sampling
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import LogUnreadable
from pgadvisor.pipeline.log_intake import LogIntake, LogReading
from pgadvisor.pipeline.privacy import privacy_of
from pgadvisor.store import Store
from pgadvisor.store.logs import save_log_problem

__all__ = ["LogReading", "observe_logs"]

#: read in one round, in pieces of 4 MiB or so each: the rest waits for the next round
_MOST_BYTES = 32 * 1024 * 1024
#: and where the server has to read it for us, in smaller ones
_MOST_SQL_BYTES = 10 * 1000 * 1000
_SQL_PIECE_BYTES = 2 * 1000 * 1000
#: hourly roll-ups are kept for so long; older entries of a log would be dropped again
_KEPT = timedelta(days=400)


def _all_databases(datname: str) -> bool:
    return True


def observe_logs(
    target: Target,
    store: Store,
    target_id: int,
    *,
    now: datetime,
    from_end: bool = True,
    settings: Mapping[str, str] | None = None,
    watches: Callable[[str], bool] = _all_databases,
    started: Started | None = None,
) -> LogReading:
    """Read what the server logged since the last time: its files, where they are on this machine,
    else through the server itself.

    What was read and the position behind it are saved together: nothing is lost, nothing counted
    twice. A log never read before is begun `from_end`, because what is older was not observed.
    `settings` are names and values of pg_settings, fetched if left out: they say where the log is,
    and which executions it shows. Entries of databases that `watches` refuses are left out.
    `started`, kept from one call to the next, joins statements with durations that are logged
    much later (log_statement). Why the log cannot be read is in the result, and saved with the
    target.
    """
    whole = LogReading()
    try:
        if settings is None:
            settings = {setting.name: setting.setting for setting in fetch_settings(target)}
        source = find_log(target, settings)
        whole = LogReading(notes=source.notes)
        intake = LogIntake(
            store=store,
            target_id=target_id,
            source=f"{source.format}:{source.path}",
            privacy=privacy_of(store),
            sampling=log_sampling(settings),
            now=now,
            kept=_KEPT,
            watches=watches,
        )
        is_local = source.over_sql is None
        left = _MOST_BYTES if is_local else _MOST_SQL_BYTES
        folder = log_folder(target, source)
        while left > 0:
            position = intake.position()
            batch = read_log(
                source,
                position,
                folder=folder,
                started=started,
                max_bytes=min(left, MAX_BYTES if is_local else _SQL_PIECE_BYTES),
                from_end=from_end,
            )
            saved = intake.save(batch, position)
            if saved is None:  # another collector has taken over
                break
            whole += saved
            left -= max(1, batch.bytes_read)
            if batch.at_end:
                break
    except LogUnreadable as exc:
        whole = replace(whole, problem=f"{exc.message}. {exc.hint}")
    with store.transaction() as conn:
        save_log_problem(conn, target_id, whole.problem)
    return whole
