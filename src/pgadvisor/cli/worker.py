"""pgadvisor worker: collect from the registered targets, beside any number of other workers."""

import asyncio
import signal

from pgadvisor.cli.options import Json
from pgadvisor.cli.output import errors, log_to_stderr, now
from pgadvisor.config import load_settings
from pgadvisor.jobs import POOL_SECONDS, Worker
from pgadvisor.store import open_store

__all__ = ["worker"]


def worker(as_json: Json = False) -> None:
    """Collect from all registered targets and analyze their databases, until Ctrl-C.

    Any number of workers on any number of machines share the targets of one store; the targets
    of one that dies are taken over by the others.
    """
    settings = load_settings()
    log_to_stderr(settings.log_level, as_json=as_json)
    with open_store(settings, now=now(), pool_seconds=POOL_SECONDS) as store:
        asyncio.run(_work(Worker(store, settings, clock=now)))


async def _work(one: Worker) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, one.stop)
    errors.print(f"worker {one.name} waits for targets; Ctrl-C ends it")
    await one.run()
