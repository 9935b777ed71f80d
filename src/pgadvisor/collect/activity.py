"""What the backends of a server do at this moment: pg_stat_activity, added up."""

from datetime import timedelta

from pgadvisor.collect.target import APPLICATION_NAME, Target
from pgadvisor.records.server import ActivitySample, RunningStatement

__all__ = ["fetch_activity", "fetch_running"]


def fetch_activity(target: Target) -> tuple[ActivitySample, ...]:
    """Client backends by database, role, state, wait and statement; our own left out.

    State and statement of other roles' backends are None without pg_read_all_stats.
    """
    rows = target.records("activity", ActivitySample, {"application_name": APPLICATION_NAME})
    return tuple(rows)


def fetch_running(target: Target, *, longer_than: timedelta) -> tuple[RunningStatement, ...]:
    """Statements that have been running for longer than that, with their texts.

    pg_stat_statements counts a statement when it ends; one that is always cancelled (or never
    ends) is seen here only. Texts that track_activity_query_size cut off are left out.
    """
    rows = target.records(
        "running",
        RunningStatement,
        {"application_name": APPLICATION_NAME, "longer_than": longer_than},
    )
    return tuple(rows)
