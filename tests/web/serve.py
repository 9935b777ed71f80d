"""Serves API and pages over a store: python tests/web/serve.py DATABASE_URL SOCKET_FD NOW.

A process of its own, as in real life: NiceGUI keeps its pages in the process, so two servers in
one would share them. The listening socket is inherited; NOW may be left out for the real clock.
"""

import socket
import sys
from datetime import UTC, datetime

import uvicorn

from pgadvisor.api import create_app
from pgadvisor.config import Settings
from pgadvisor.store import open_store
from pgadvisor.web import mount


def main() -> None:
    """Serve until the process is ended."""
    url, descriptor = sys.argv[1], int(sys.argv[2])
    fixed = datetime.fromisoformat(sys.argv[3]) if len(sys.argv) > 3 else None

    def clock() -> datetime:
        return fixed or datetime.now(UTC)

    settings = Settings(database_url=url)
    with open_store(settings, now=clock(), upgrade=True) as store:
        app = create_app(store, settings, clock=clock)
        mount(app, store, settings, clock=clock)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main()
