"""Samples of what the backends of a target were doing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pgadvisor.errors import NotParsable
from pgadvisor.records.server import ActivitySample, RunningStatement
from pgadvisor.records.statement import QueryId, StatementText
from pgadvisor.sql import normalized_query
from pgadvisor.store.connection import Connection
from pgadvisor.store.texts import save_texts

__all__ = ["save_activity", "save_running"]


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


def save_running(
    conn: Connection, target_id: int, statements: Sequence[RunningStatement], *, now: datetime
) -> None:
    """Note long executions; one that is seen again has run on.

    Its text is saved normalized, like any other's, so that it has a page of its own.
    """
    texts = [
        StatementText(dbid=one.dbid, queryid=QueryId(one.queryid), query=normalized)
        for one in statements
        if (normalized := _normalized(one.query)) is not None
    ]
    save_texts(conn, target_id, texts, (), now=now)
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into running_statements (target_id, pid, started_at, last_seen_at, datname,
                   usename, queryid, query) values (%s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (target_id, pid, started_at) do update
               set last_seen_at = excluded.last_seen_at""",
            [
                (
                    *(target_id, one.pid, one.started_at, one.captured_at, one.datname),
                    *(one.usename, one.queryid, one.query.replace("\0", "")),
                )
                for one in statements
            ],
        )


def _normalized(query: str) -> str | None:
    try:
        return normalized_query(query)
    except NotParsable:
        return None  # it is still analyzed by the text itself, and the reason shown there
