"""Statements and their counters as a busy server has them, made from a seed.

Three kinds of statements: point reads, writes, and reports. What a kind never does stays zero, and
what it does now and then (a block read, a page's first change after a checkpoint, a temporary
file) is in some of its intervals only, as in pg_stat_statements with track_io_timing on and
track_planning off.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from pgadvisor.records.statement import (
    Counters,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)

__all__ = ["Made", "snapshots"]

_READS, _WRITES = 0.6, 0.85


class Made:
    """The cumulative counters of one server, moved on a snapshot at a time."""

    def __init__(self, statements: int, *, seed: int, databases: int = 2, users: int = 3) -> None:
        self._random = random.Random(seed)
        self.keys = [
            StatementKey(
                16384 + number % databases,
                10 + number % users,
                QueryId(self._random.getrandbits(64) - 2**63),
                number % 10 != 0,
            )
            for number in range(statements)
        ]
        self._kinds = [self._random.random() for _ in self.keys]
        self._means = [self._random.lognormvariate(0.0, 1.5) for _ in self.keys]
        self._totals: list[dict[str, float]] = [{} for _ in self.keys]
        self._entries: dict[StatementKey, StatementCounters] = {}

    def active(self, share: float) -> list[int]:
        """The numbers of the statements that run in this interval."""
        if share >= 1:
            return list(range(len(self.keys)))
        return self._random.sample(range(len(self.keys)), round(len(self.keys) * share))

    def grown(self, number: int) -> dict[str, float]:
        """What one statement does in an interval; only what is not zero."""
        chance, kind = self._random.random, self._kinds[number]
        calls = 1 + int(self._random.expovariate(1 / 40))
        mean = self._means[number] * (0.8 + 0.4 * chance())
        more: dict[str, float] = {
            "calls": calls,
            "rows": calls * (1 + int(8 * chance())),
            "total_exec_time": calls * mean,
            "sum_squared_exec_time": calls * mean * mean * 1.3,
            "shared_blks_hit": calls * (3 + int(20 * chance())),
        }
        if kind >= _WRITES or chance() < 0.2:
            more["shared_blks_read"] = 1 + int(30 * chance())
            more["shared_blk_read_time"] = more["shared_blks_read"] * 0.11
        if _READS <= kind < _WRITES:
            more["shared_blks_dirtied"] = 1 + calls // 3
            more["wal_records"] = calls * 3
            more["wal_bytes"] = calls * 240
            if chance() < 0.3:
                more["wal_fpi"] = 1 + calls // 20
        if kind >= _WRITES and chance() < 0.1:
            more["temp_blks_read"] = more["temp_blks_written"] = 100 + int(900 * chance())
            more["temp_blk_write_time"] = more["temp_blks_written"] * 0.02
        return more

    def move_on(self, numbers: list[int]) -> None:
        """Add an interval to the counters of these statements."""
        for number in numbers:
            total = self._totals[number]
            for name, value in self.grown(number).items():
                total[name] = total.get(name, 0) + value
            key = self.keys[number]
            self._entries[key] = StatementCounters(
                key=key,
                counters=Counters(**total),  # type: ignore[arg-type]
                min_exec_time=0.01,
                max_exec_time=1e4,
            )

    def snapshot(self, at: datetime) -> StatementSnapshot:
        """All entries as they are now."""
        return StatementSnapshot(
            captured_at=at,
            system_identifier="7",
            postmaster_start_at=at.replace(year=2020),
            stats_reset=at.replace(year=2021, month=1, day=1, hour=0, minute=0, second=0),
            dealloc=0,
            extension_version="1.10",
            statements=dict(self._entries),
        )


def snapshots(
    made: Made, begin: datetime, every: timedelta, count: int, *, share: float = 1.0
) -> Iterator[StatementSnapshot]:
    """The baseline, and `count` snapshots after it in each of which a share has run."""
    made.move_on(made.active(1.0))
    fixed = made.snapshot(begin)
    yield fixed
    for number in range(1, count + 1):
        made.move_on(made.active(share))
        snapshot = made.snapshot(begin + number * every)
        yield StatementSnapshot(
            **{
                name: getattr(snapshot, name)
                for name in ("captured_at", "system_identifier", "dealloc", "statements")
            },
            postmaster_start_at=fixed.postmaster_start_at,
            stats_reset=fixed.stats_reset,
            extension_version=fixed.extension_version,
        )
