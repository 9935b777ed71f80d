"""A worker with a quick heartbeat, for tests that kill it. Arguments: the store, seconds."""

import asyncio
import sys
from datetime import UTC, datetime

from pgadvisor.config import load_settings
from pgadvisor.jobs import Worker
from pgadvisor.store import open_store


def now() -> datetime:
    return datetime.now(UTC)


def main(url: str, heartbeat: str) -> None:
    settings = load_settings(database_url=url)
    with open_store(settings, now=now()) as store:
        worker = Worker(store, settings, clock=now, heartbeat_seconds=float(heartbeat))
        asyncio.run(worker.run())


if __name__ == "__main__":
    main(*sys.argv[1:])
