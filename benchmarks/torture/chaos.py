"""What goes wrong, one thing after the other, at moments that a seed decides."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import psycopg
from benchmarks.torture.proxy import Network
from benchmarks.torture.world import TargetUnderTorture, World

__all__ = ["Chaos"]


class Chaos:
    """Picks an event, lets it happen, waits, picks the next."""

    def __init__(
        self,
        world: World,
        *,
        seed: int,
        pause: float,
        stop: threading.Event,
        say: Callable[[str], None],
        only: str = "",
    ) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._pause = pause
        self._stop = stop
        self._say = say
        self._only = only
        self.happened: Counter[str] = Counter()
        self._events: dict[str, tuple[Callable[[TargetUnderTorture], None], float]] = {
            "reset of all": (self._reset, 3),
            "reset of one statement": (self._reset_one, 2),
            "evictions": (self._evict, 2),
            "clean restart of a target": (self._restart, 2),
            "crash of a target": (self._crash, 2),
            "target refuses": (self._refuse, 2),
            "target silent": (self._silent, 2),
            "store restart": (self._restart_store, 2),
            "crash of the store": (self._crash_store, 1),
            "store cut off": (self._cut_store, 2),
            "worker kill -9": (self._kill_worker, 4),
            "worker frozen": (self._freeze_worker, 2),
            "worker stopped and started": (self._stop_worker, 1),
            "clock jump": (self._jump, 2),
            "database made and dropped": (self._database, 1),
        }

    def run(self) -> None:
        """Until told to stop."""
        names = [name for name in self._events if self._only in name]
        weights = [self._events[name][1] for name in names]
        while not self._stop.wait(self._pause * self._random.uniform(0.5, 1.5)):
            name = self._random.choices(names, weights)[0]
            target = self._random.choice(self._world.targets)
            self._say(f"{name} ({target.name})")
            self._events[name][0](target)
            self.happened[name] += 1

    def _direct(self, target: TargetUnderTorture) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(target.cluster.dsn(), autocommit=True)

    def _reset(self, target: TargetUnderTorture) -> None:
        with self._direct(target) as conn:
            conn.execute("select pg_stat_statements_reset()")

    def _reset_one(self, target: TargetUnderTorture) -> None:
        with self._direct(target) as conn:
            conn.execute(
                """select pg_stat_statements_reset(userid, dbid, queryid) from pg_stat_statements
                   where query like '%tort_seldom%' limit 1"""
            )

    def _evict(self, target: TargetUnderTorture) -> None:
        target.load.churn("app", 300)

    def _restart(self, target: TargetUnderTorture) -> None:
        target.cluster.stop("fast")
        self._sleep(1, 4)
        target.start()

    def _crash(self, target: TargetUnderTorture) -> None:
        # not an immediate stop: even that one lets pg_stat_statements write its file
        pid = int((target.cluster.data_dir / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self._sleep(1, 4)
        target.start()

    def _refuse(self, target: TargetUnderTorture) -> None:
        target.proxy.set(Network.REFUSED)
        self._sleep(3, 40)
        target.proxy.set(Network.UP)

    def _silent(self, target: TargetUnderTorture) -> None:
        target.proxy.set(Network.SILENT)
        self._sleep(3, 40)
        # what was on its way arrives, then the connections break, or they simply go on
        target.proxy.set(Network.REFUSED if self._random.random() < 0.5 else Network.UP)
        target.proxy.set(Network.UP)

    def _restart_store(self, _: TargetUnderTorture) -> None:
        self._world.store.stop("fast")
        self._sleep(1, 20)
        self._world.store.start()

    def _crash_store(self, _: TargetUnderTorture) -> None:
        self._world.store.stop("immediate")
        self._sleep(1, 5)
        self._world.store.start()

    def _cut_store(self, _: TargetUnderTorture) -> None:
        proxy = self._world.store_proxy
        proxy.set(self._random.choice([Network.REFUSED, Network.SILENT]))
        self._sleep(3, 30)
        proxy.set(Network.REFUSED)
        proxy.set(Network.UP)

    def _kill_worker(self, _: TargetUnderTorture) -> None:
        name = self._random.choice(sorted(self._world.workers))
        self._world.kill_worker(name)
        self._sleep(1, 40)  # the other one takes over meanwhile
        self._world.start_worker(name)

    def _freeze_worker(self, _: TargetUnderTorture) -> None:
        worker = self._world.workers[self._random.choice(sorted(self._world.workers))]
        worker.send_signal(signal.SIGSTOP)
        self._sleep(5, 45)
        worker.send_signal(signal.SIGCONT)

    def _stop_worker(self, _: TargetUnderTorture) -> None:
        name = self._random.choice(sorted(self._world.workers))
        self._world.kill_worker(name, signal.SIGTERM)
        self._world.start_worker(name)

    def _jump(self, target: TargetUnderTorture) -> None:
        target = next((one for one in self._world.targets if one.clock_file), target)
        if target.clock_file is not None:
            now = target.clock_offsets[-1][1]
            target.set_clock(self._random.choice([0.0, now + 90, now - 45, now + 3600, now - 1800]))

    def _database(self, target: TargetUnderTorture) -> None:
        with self._direct(target) as conn:
            conn.execute("create database passing")
            self._sleep(1, 20)
            conn.execute("drop database passing with (force)")

    def _sleep(self, least: float, most: float) -> None:
        time.sleep(self._random.uniform(least, most))
