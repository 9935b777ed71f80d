"""Samples of what the backends of a target were doing."""

from collections.abc import Iterable

from pgadvisor.records.server import ActivitySample
from pgadvisor.store.connection import Connection

__all__ = ["save_activity"]


def save_activity(conn: Connection, target_id: int, samples: Iterable[ActivitySample]) -> None:
    """Append the groups of one sample."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into activity_samples (target_id, captured_at, datname, usename, state,
                   wait_event_type, wait_event, queryid, backends, longest_ms)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (
                    *(target_id, one.captured_at, one.datname, one.usename, one.state),
                    *(one.wait_event_type, one.wait_event, one.queryid, one.backends),
                    one.longest_ms,
                )
                for one in samples
            ],
        )
