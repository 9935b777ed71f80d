"""The job queue in the store: procrastinate, on its own schema, with room for so many jobs."""

from collections.abc import Callable, Iterable
from typing import Any

import procrastinate
import psycopg
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from pgadvisor.store import Store
from pgadvisor.store.connection import APPLICATION_NAME
from pgadvisor.store.jobs_schema import SCHEMA

__all__ = ["ANALYSIS", "COLLECT", "UPKEEP", "lock_of", "open_queue"]

#: queues; how many jobs of each a worker takes is its own affair
COLLECT, ANALYSIS, UPKEEP = "collect", "analysis", "upkeep"

_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "connect_timeout": 10,
}


class _Rationed(JobManager):
    """Takes jobs only from the queues that this worker has room for at the moment."""

    def __init__(self, connector: Any, queues_with_room: Callable[[], list[str]]) -> None:
        super().__init__(connector)
        self._queues_with_room = queues_with_room

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job that there is room for."""
        open_queues = self._queues_with_room()
        if not open_queues:
            return None
        return await super().fetch_job(queues=open_queues, worker_id=worker_id)


def open_queue(store: Store, queues_with_room: Callable[[], list[str]]) -> procrastinate.App:
    """The queue of that store, not yet connected."""
    connector = procrastinate.PsycopgConnector(
        conninfo=store.url,
        min_size=1,
        max_size=5,
        timeout=10.0,
        configure=_configure,
        kwargs={"application_name": APPLICATION_NAME, **_KEEPALIVES},
    )
    app = procrastinate.App(connector=connector)
    app.job_manager = _Rationed(connector, queues_with_room)
    return app


def lock_of(task: str, *ids: int) -> str:
    """The name of a lock: of two jobs with the same one only one runs."""
    return ":".join((task, *map(str, ids)))


async def _configure(conn: psycopg.AsyncConnection[Any]) -> None:
    # after connecting, never as startup options: poolers refuse those
    await conn.execute(
        """select set_config('search_path', %s, false),
               set_config('idle_in_transaction_session_timeout', '15s', false),
               set_config('statement_timeout', '30s', false)""",
        [SCHEMA],
    )
    if not conn.autocommit:
        await conn.commit()
