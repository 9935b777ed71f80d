"""A network that can be cut: a Unix socket that passes bytes on to another one."""

import asyncio
import contextlib
import threading
from enum import Enum
from pathlib import Path

__all__ = ["Network", "Proxy"]


class Network(Enum):
    """What the wire does."""

    UP = "up"
    #: connections end at once
    REFUSED = "refused"
    #: connections stand, and no byte arrives
    SILENT = "silent"


class Proxy:
    """Listens in a folder of its own as a server of PostgreSQL would; a thread runs it."""

    def __init__(self, folder: Path, upstream: Path) -> None:
        self.folder = folder
        self._upstream = upstream
        self._network = Network.UP
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"proxy {folder.name}", daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        """Begin to listen."""
        self.folder.mkdir(parents=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the proxy did not start")

    def close(self) -> None:
        """End all connections and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def set(self, network: Network) -> None:
        """Change what the wire does; all but SILENT end the connections that stand."""
        asyncio.run_coroutine_threadsafe(self._set(network), self._loop).result(10)

    def dsn(self, dbname: str, user: str = "postgres") -> str:
        """How to connect through it."""
        return f"host={self.folder} port=5432 user={user} dbname={dbname}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._flowing.set()
        listening = asyncio.start_unix_server(self._serve, self.folder / ".s.PGSQL.5432")
        self._loop.run_until_complete(listening)
        self._ready.set()
        self._loop.run_forever()

    async def _set(self, network: Network) -> None:
        self._network = network
        if network is Network.SILENT:
            self._flowing.clear()
            return
        for writer in list(self._writers):
            writer.transport.abort()
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._network is Network.REFUSED:
            writer.transport.abort()
            return
        try:
            other_reader, other_writer = await asyncio.open_unix_connection(
                self._upstream / ".s.PGSQL.5432"
            )
        except OSError:  # the server is down
            writer.transport.abort()
            return
        self._writers |= {writer, other_writer}
        pumps = [self._pump(reader, other_writer), self._pump(other_reader, writer)]
        await asyncio.gather(*pumps)
        self._writers -= {writer, other_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
