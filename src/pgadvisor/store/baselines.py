"""The last snapshot of each target, kept in memory between two readings.

A baseline as Python objects takes about a kilobyte a statement, a packed one about 200 bytes:
what was used last stays as it is, the rest is packed. Beyond the second limit the one not used
for longest is forgotten; whoever misses a baseline loads it from the store.
"""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat
from typing import Any

from pgadvisor.records.statement import (
    Counters,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)
from pgadvisor.store.columns import instant_of, microseconds, used_columns

__all__ = ["Baseline", "Baselines"]

#: statements of all targets together
_MOST_AS_OBJECTS = 100_000
_MOST_PACKED = 2_000_000


@dataclass(frozen=True, slots=True)
class Baseline:
    """A snapshot as the store has it, with the ids of its statements."""

    snapshot_id: int
    snapshot: StatementSnapshot
    ids: dict[StatementKey, int]


class Baselines:
    """Baselines by target id, bounded; any thread may use it."""

    def __init__(
        self, *, most_as_objects: int = _MOST_AS_OBJECTS, most_packed: int = _MOST_PACKED
    ) -> None:
        self._most_as_objects, self._most_packed = most_as_objects, most_packed
        self._objects: OrderedDict[int, Baseline] = OrderedDict()
        self._packed: OrderedDict[int, _Packed] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, target_id: int) -> Baseline | None:
        """The baseline put last, None where there is none or it was forgotten."""
        with self._lock:
            found = self._objects.get(target_id)
            packed = self._packed.get(target_id)
        return found if packed is None else packed.unpacked()

    def put(self, target_id: int, baseline: Baseline) -> None:
        """Keep it in place of the one before."""
        self.discard(target_id)
        with self._lock:
            self._objects[target_id] = baseline
            while _statements(self._objects.values()) > self._most_as_objects:
                oldest, found = self._objects.popitem(last=False)
                self._packed[oldest] = _pack(found)
            while _statements(self._packed.values()) > self._most_packed:
                self._packed.popitem(last=False)

    def discard(self, target_id: int) -> None:
        """Forget it."""
        with self._lock:
            self._objects.pop(target_id, None)
            self._packed.pop(target_id, None)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A baseline as columns; `head` is its snapshot without statements."""

    snapshot_id: int
    head: StatementSnapshot
    keys: "tuple[array[int], ...]"
    ids: "array[int]"
    extremes: "tuple[array[float], array[float]]"
    stats_since: "array[int] | None"
    counters: "dict[str, array[Any]]"

    def unpacked(self) -> Baseline:
        dbids, userids, queryids, toplevels = self.keys
        keys = [
            StatementKey(dbid, userid, QueryId(queryid), bool(toplevel))
            for dbid, userid, queryid, toplevel in zip(
                dbids, userids, queryids, toplevels, strict=True
            )
        ]
        columns = [
            self.counters.get(name) or repeat(zero, len(keys))
            for name, zero in Counters()._asdict().items()
        ]
        since: Iterable[datetime | None] = repeat(None, len(keys))
        if self.stats_since is not None:
            since = map(instant_of, self.stats_since)
        statements = {
            key: StatementCounters(
                key=key,
                counters=Counters._make(row),
                min_exec_time=least,
                max_exec_time=most,
                stats_since=began,
            )
            for key, row, least, most, began in zip(
                keys, zip(*columns, strict=True), *self.extremes, since, strict=True
            )
        }
        ids = dict(zip(keys, self.ids, strict=True))
        return Baseline(self.snapshot_id, replace(self.head, statements=statements), ids)


def _pack(baseline: Baseline) -> _Packed:
    entries = list(baseline.snapshot.statements.values())
    keys = [entry.key for entry in entries]
    has_since = any(entry.stats_since for entry in entries)
    return _Packed(
        snapshot_id=baseline.snapshot_id,
        head=replace(baseline.snapshot, statements={}),
        keys=tuple(array(kind, (key[place] for key in keys)) for place, kind in enumerate("qqqb")),
        ids=array("q", map(baseline.ids.__getitem__, keys)),
        extremes=(
            array("d", (entry.min_exec_time for entry in entries)),
            array("d", (entry.max_exec_time for entry in entries)),
        ),
        stats_since=array("q", (microseconds(entry.stats_since) for entry in entries))
        if has_since
        else None,
        counters={
            column.name: array(column.kind, column.values)
            for column in used_columns(entry.counters for entry in entries)
        },
    )


def _statements(baselines: Iterable[Baseline | _Packed]) -> int:
    return sum(len(baseline.ids) for baseline in baselines)
