"""Clients that run known statements and keep the truth of what they ran."""

import random
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg

__all__ = ["LABELS", "Ledger", "Load"]

#: statements by the label that stands in their text, and every how manyth round runs one
STATEMENTS: dict[str, tuple[LiteralString, int]] = {
    "tort_often": ("select count(*) as tort_often from pg_class where oid = %s", 1),
    "tort_write": ("insert into tort_write select %s", 3),
    "tort_update": ("update tort_update set n = n + 1 where id = %s", 5),
    "tort_seldom": ("select sum(relpages) as tort_seldom from pg_class where relpages > %s", 40),
}
#: logged by auto_explain, so that the log has a truth as well
PLANNED: tuple[str, LiteralString, int] = (
    "tort_planned",
    "select max(oid) as tort_planned from pg_type where oid < %s",
    25,
)
LABELS = (*STATEMENTS, PLANNED[0])
SCHEMA: LiteralString = """
create table if not exists tort_write (n int);
create table if not exists tort_update (id int primary key, n int not null);
insert into tort_update select i, 0 from generate_series(1, 20) i on conflict do nothing
"""


class Ledger:
    """When each call began and ended, by database and label; an end of 0 is not known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: dict[tuple[str, str], tuple[array[float], array[float]]] = {}

    @contextmanager
    def call(self, database: str, label: str) -> Iterator[None]:
        """Note one call; one that fails may or may not have been counted by the server."""
        began, ended = time.time(), 0.0
        try:
            yield
            ended = time.time()
        finally:
            with self._lock:
                begins, ends = self.calls.setdefault((database, label), (array("d"), array("d")))
                begins.append(began)
                ends.append(ended)

    def between(self, database: str, label: str, since: float, until: float) -> tuple[int, int]:
        """The fewest and the most calls that a server can have counted in the span."""
        begins, ends = self.calls.get((database, label), (array("d"), array("d")))
        fewest = sum(
            began >= since and 0 < ended <= until for began, ended in zip(begins, ends, strict=True)
        )
        most = sum(
            began <= until and (ended >= since or (ended == 0 and began >= since - 60))
            for began, ended in zip(begins, ends, strict=True)
        )
        return fewest, most


class Load:
    """The clients of one target; they connect again after whatever happens."""

    def __init__(self, dsns: dict[str, str], *, clients: int, pause: float, seed: int) -> None:
        self.ledger = Ledger()
        self._stop = threading.Event()
        self._dsns = dsns
        self._pause = pause
        self._threads = [
            threading.Thread(target=self._client, args=(database, random.Random(f"{seed} {n}")))
            for database in dsns
            for n in range(clients)
        ]

    def prepare(self) -> None:
        """Make the tables."""
        for dsn in self._dsns.values():
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute(SCHEMA)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; every call has its end noted or is known as unknown."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def churn(self, database: str, count: int) -> None:
        """Run statements that each are seen once, so that entries are evicted."""
        with psycopg.connect(self._dsns[database], autocommit=True) as conn:
            for n in range(count):  # neither names nor constants make a queryid, columns do
                conn.execute(b"select " + b", ".join([b"1"] * (n + 1)))

    def _client(self, database: str, chance: random.Random) -> None:
        number = chance.randrange(1000)
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._dsns[database], autocommit=True) as conn:
                    conn.execute("set statement_timeout = '30s'")
                    while not self._stop.is_set():
                        number += 1
                        self._round(conn, database, number, chance)
                        self._stop.wait(self._pause * chance.uniform(0.5, 1.5))
            except psycopg.Error:
                self._stop.wait(0.2)  # it restarts

    def _round(
        self,
        conn: psycopg.Connection[tuple[object, ...]],
        database: str,
        number: int,
        chance: random.Random,
    ) -> None:
        for label, (query, every) in STATEMENTS.items():
            if number % every == 0:
                with self.ledger.call(database, label):
                    conn.execute(query, [chance.randint(1, 20)])
        label, query, every = PLANNED
        if number % every == 0:
            conn.execute("set auto_explain.log_min_duration = 0")
            with self.ledger.call(database, label):
                conn.execute(query, [chance.randint(1, 20)])
            conn.execute("set auto_explain.log_min_duration = -1")
