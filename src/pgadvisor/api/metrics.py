"""Prometheus metrics, read from the store when Prometheus asks, at most every few seconds."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pgadvisor.errors import AdvisorError
from pgadvisor.records.advice import RecommendationState
from pgadvisor.store import Store
from pgadvisor.store.connection import Connection
from pgadvisor.store.status import (
    TargetState,
    gap_counts,
    recommendation_counts,
    store_bytes,
    target_states,
)

__all__ = ["StoreCollector", "metrics_registry"]

_CACHE_SECONDS = 5.0
_CIRCUITS = {"open": 1.0, "half-open": 0.5}


def metrics_registry(
    store: Store, clock: Callable[[], datetime], *, interval: timedelta = timedelta(seconds=60)
) -> CollectorRegistry:
    """A registry of its own, so that two applications in one process do not collide.

    `interval` is how often a target is read that says nothing else.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(StoreCollector(store, clock, interval))
    return registry


class StoreCollector(Collector):
    """Reads targets, gaps and recommendations; several scrapers share one reading."""

    def __init__(self, store: Store, clock: Callable[[], datetime], interval: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._interval = interval
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._metrics: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics, newly read unless they were a few seconds ago."""
        now = self._clock()
        with self._lock:
            if self._read_at is None or not (
                0 <= (now - self._read_at).total_seconds() < _CACHE_SECONDS
            ):
                self._metrics = self._read(now)
                self._read_at = now
            found = list(self._metrics)
        yield from found

    def _read(self, now: datetime) -> list[Metric]:
        up = GaugeMetricFamily("pgadvisor_store_up", "1 while the store answers.")
        try:
            with self._store.transaction() as conn:
                found = [
                    *_target_metrics(target_states(conn), now, self._interval),
                    *_store_metrics(conn),
                ]
        except AdvisorError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *found]


def _target_metrics(
    targets: list[TargetState], now: datetime, interval: timedelta
) -> Iterator[Metric]:
    def gauge(name: str, about: str, value: Callable[[TargetState], float | None]) -> Metric:
        family = GaugeMetricFamily(f"pgadvisor_{name}", about, labels=["target"])
        for target in targets:
            if (number := value(target)) is not None:
                family.add_metric([target.target], number)
        return family

    yield gauge(
        "target_up",
        "1 when the last attempt to read the target succeeded.",
        lambda target: float(target.last_error is None and target.last_seen_at is not None),
    )
    yield gauge(
        "target_last_snapshot_age_seconds",
        "Time since the counters of the target were last read.",
        lambda target: (
            None
            if target.last_snapshot_at is None
            else max((now - target.last_snapshot_at).total_seconds(), 0.0)
        ),
    )
    yield gauge("target_snapshots", "Snapshots in the store.", lambda target: target.snapshots)
    yield gauge(
        "target_statements",
        "Entries of pg_stat_statements in the last snapshot.",
        lambda target: target.statements,
    )
    yield gauge(
        "target_hidden_statements",
        "Entries of the last snapshot that our role may not see.",
        lambda target: target.hidden,
    )
    yield gauge(
        "target_hidden_time_ratio",
        "Their share of the time of all statements since the counters were reset.",
        lambda target: target.hidden_ratio,
    )
    yield gauge(
        "target_lag_seconds",
        "Time by which the next reading of the counters is overdue.",
        lambda target: target.lag(now, interval),
    )
    yield gauge(
        "target_circuit_open",
        "1 while a failing target is left alone, 0.5 while the next try decides.",
        lambda target: _CIRCUITS.get(target.circuit, 0.0),
    )
    yield gauge("target_failures", "Failures in a row.", lambda target: target.failures)
    yield gauge(
        "target_paused", "1 while it is paused.", lambda target: float(target.paused_at is not None)
    )
    yield gauge(
        "target_log_problem",
        "1 while its log cannot be read.",
        lambda target: float(target.log_problem is not None),
    )
    yield gauge(
        "target_clock_skew_seconds",
        "Its clock minus ours.",
        lambda target: None if target.clock_skew_ms is None else target.clock_skew_ms / 1000,
    )


def _store_metrics(conn: Connection) -> Iterator[Metric]:
    gaps = GaugeMetricFamily(
        "pgadvisor_target_gaps",
        "Spans in which calls may be missing from the history.",
        labels=["target", "reason"],
    )
    for target, reason, count in gap_counts(conn):
        gaps.add_metric([target, reason], count)
    yield gaps
    advice = GaugeMetricFamily(
        "pgadvisor_recommendations_open",
        "Recommendations that nobody has decided on or carried out yet.",
        labels=["target", "database", "state"],
    )
    for target, database, state, count in recommendation_counts(conn):
        if state in (RecommendationState.PROPOSED, RecommendationState.ACCEPTED):
            advice.add_metric([target, database, state], count)
    yield advice
    size = GaugeMetricFamily("pgadvisor_store_size_bytes", "The store's database on disk.")
    size.add_metric([], store_bytes(conn))
    yield size
