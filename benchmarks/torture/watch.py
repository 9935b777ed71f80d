"""Memory of the workers, and connections of ours, while it runs."""

import threading
from collections import defaultdict
from pathlib import Path

import psycopg
from benchmarks.torture.world import World

__all__ = ["Watcher"]

_OURS = """
select count(*) from pg_stat_activity where application_name in ('pgadvisor', 'pgadvisor store')
"""


class Watcher(threading.Thread):
    """Notes every few seconds."""

    def __init__(self, world: World, stop: threading.Event) -> None:
        super().__init__(name="watcher", daemon=True)
        self._world = world
        self._stop_event = stop
        #: resident MiB by process id, in order of time
        self.memory: dict[int, list[float]] = defaultdict(list)
        #: connections of ours by server, in order of time
        self.connections: dict[str, list[int]] = defaultdict(list)

    def run(self) -> None:
        """Until told to stop."""
        while not self._stop_event.wait(3):
            for worker in list(self._world.workers.values()):
                self._note_memory(worker.pid)
            for target in self._world.targets:
                self._note_connections(target.name, target.cluster.dsn())
            self._note_connections("store", self._world.store.dsn())

    def _note_memory(self, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return  # it was killed
        found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
        self.memory[pid] += [int(kb) / 1024 for kb in found]

    def _note_connections(self, name: str, dsn: str) -> None:
        try:
            with psycopg.connect(dsn, autocommit=True, connect_timeout=2) as conn:
                row = conn.execute(_OURS).fetchone()
        except psycopg.Error:
            return  # it restarts
        assert row is not None
        self.connections[name].append(int(row[0]))
