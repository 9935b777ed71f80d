"""Asks a target where its log is, and finds it on this machine."""

from pgadvisor.collect.logs.source import log_source
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogSource

__all__ = ["find_log"]


def find_log(target: Target) -> LogSource:
    """The target's log, if it lies on this machine.

    Raises `LogUnreadable` with what mends it: another machine, no rights, no log file at all.
    """
    settings = {setting.name: setting.setting for setting in fetch_settings(target)}
    current = target.rows("current_logfiles")
    if current and current[0][2] is False:
        raise LogUnreadable(
            "our role may not ask the server for its log file",
            hint=f"Run on the server: GRANT pg_monitor TO {target.role};",
        )
    return log_source(
        settings,
        settings.get("data_directory"),
        {format_: path for format_, path, _ in current},
    )
