"""What the backends of a server do at this moment: pg_stat_activity, added up."""

from pgadvisor.collect.target import APPLICATION_NAME, Target
from pgadvisor.records.server import ActivitySample

__all__ = ["fetch_activity"]


def fetch_activity(target: Target) -> tuple[ActivitySample, ...]:
    """Client backends by database, role, state, wait and statement; our own left out.

    State and statement of other roles' backends are None without pg_read_all_stats.
    """
    rows = target.records("activity", ActivitySample, {"application_name": APPLICATION_NAME})
    return tuple(rows)
