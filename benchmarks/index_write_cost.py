"""What one more btree costs per inserted row, measured on a private server.

    python benchmarks/index_write_cost.py [--rounds 7]

Two copies of a table that fits into memory, one with the index and one without, get the same rows
in turn within one run: many rows by one INSERT ... SELECT, and one row a statement (in one
transaction, so that no commit is measured). The median over the rounds of the difference per row
is the cost. `INDEX_WRITE_MS` of pgadvisor.analyze.indexes.upkeep is the median of all of them.
Not in it: pages that are not in memory, WAL on a slow disk, VACUUM.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg

from pgadvisor.cluster import Cluster, find_binaries

ROWS = 300_000
BATCH = 50_000
SINGLES = 5_000

#: title: the indexed column
KEYS = {"int, random": "number", "int, ascending": "id", "text, random": "name"}

TABLE = """
create table {name} (id bigint, number int, name text, note text);
insert into {name} select g, random() * 1e9, md5(random()::text), repeat('x', 60)
from generate_series(1, {rows}) g;
"""


@dataclass(frozen=True)
class Measured:
    key: str
    mode: str
    #: ms a row
    without: float
    extra: float

    @property
    def ratio(self) -> float:
        return (self.without + self.extra) / self.without


def insert_batch(conn: psycopg.Connection[Any], table: str) -> float:
    """Ms a row."""
    statement = (
        f"insert into {table} select {ROWS} + g, random() * 1e9, md5(random()::text),"
        f" repeat('x', 60) from generate_series(1, {BATCH}) g"
    )
    started = time.perf_counter()
    conn.execute(statement.encode())
    return (time.perf_counter() - started) * 1000 / BATCH


def insert_singles(conn: psycopg.Connection[Any], table: str) -> float:
    """Ms a row: a loop in the server, so that the network is not measured."""
    statement = f"""
        do $$ begin
            for i in 1..{SINGLES} loop
                insert into {table}
                values ({ROWS} + i, random() * 1e9, md5(random()::text), repeat('x', 60));
            end loop;
        end $$"""
    started = time.perf_counter()
    conn.execute(statement.encode())
    return (time.perf_counter() - started) * 1000 / SINGLES


MODES: dict[str, Callable[[psycopg.Connection[Any], str], float]] = {
    "one INSERT ... SELECT": insert_batch,
    "a row a statement": insert_singles,
}


def measure(conn: psycopg.Connection[Any], rounds: int) -> list[Measured]:
    """Each key and mode, both tables in turn in every round, the order alternating."""
    found = []
    for key, column in KEYS.items():
        conn.execute(b"drop table if exists plain, indexed")
        for name in ("plain", "indexed"):
            conn.execute(TABLE.format(name=name, rows=ROWS).encode())
        conn.execute(f"create index on indexed ({column})".encode())
        conn.execute(b"checkpoint")
        for mode, insert in MODES.items():
            plain, extra = [], []
            for number in range(rounds + 1):
                order = ("plain", "indexed") if number % 2 else ("indexed", "plain")
                taken = {name: insert(conn, name) for name in order}
                if number:  # the first round warms up
                    plain.append(taken["plain"])
                    extra.append(taken["indexed"] - taken["plain"])
            found.append(Measured(key, mode, median(plain), median(extra)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    settings = {
        "shared_buffers": "512MB",
        "max_wal_size": "4GB",
        "synchronous_commit": "off",
        "autovacuum": "off",
    }
    with (
        Cluster.temporary(find_binaries(), settings=settings) as cluster,
        psycopg.connect(cluster.dsn(), autocommit=True) as conn,
    ):
        results = measure(conn, rounds)
        version = conn.info.server_version
    print(f"PostgreSQL {version // 10000}, {ROWS:,} rows at first, median of {rounds} rounds")
    print(f"{'key':16} {'mode':24} {'ms a row':>9} {'extra ms':>9} {'ratio':>6}")
    for one in results:
        print(f"{one.key:16} {one.mode:24} {one.without:9.4f} {one.extra:9.4f} {one.ratio:6.2f}")
    print(f"median of all: {median(one.extra for one in results):.4f} ms a row")
    print(f"largest: {max(one.extra for one in results):.4f} ms a row")


if __name__ == "__main__":
    main()
