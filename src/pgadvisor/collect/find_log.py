"""Asks a target where its log is, and finds it on this machine."""

from pgadvisor.collect.failures import quoted
from pgadvisor.collect.logs.source import log_source
from pgadvisor.collect.settings import fetch_settings
from pgadvisor.collect.target import Target
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogSource

__all__ = ["find_log"]


def find_log(target: Target) -> LogSource:
    """The target's log, if it lies on this machine.

    A role that may not ask for the current files finds them by directory and name all the same.
    Raises `LogUnreadable` with what mends it: another machine, no rights, no log file at all.
    """
    settings = {setting.name: setting.setting for setting in fetch_settings(target)}
    if "data_directory" not in settings:
        raise LogUnreadable(
            "our role may not see where the server keeps its log",
            hint=f"GRANT pg_monitor TO {quoted(target.role)};",
        )
    current: dict[str, str | None] = {}
    if target.row("may_ask_for_log")[0]:
        current = dict(target.rows("current_logfiles"))
    return log_source(settings, settings["data_directory"], current)
