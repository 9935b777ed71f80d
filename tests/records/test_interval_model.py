"""A model of pg_stat_statements tries to make `interval_between` count wrong.

The model knows what really ran. After every snapshot it is compared with the interval:

- no delta is more than what ran in the interval, nor more than the entry's present life;
- a delta is all of that life, but where an entry overtook itself unseen (before 17);
- what was lost has a gap, but where the module's docstring says that PostgreSQL shows nothing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from pgadvisor.records.interval import interval_between
from pgadvisor.records.statement import (
    Counters,
    GapReason,
    Interval,
    QueryId,
    StatementCounters,
    StatementKey,
    StatementSnapshot,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
USERS = (1, 2, 3)
KEYS = tuple(StatementKey(5, user, QueryId(n), True) for user in USERS for n in range(3))
Action = tuple[str, int, float]


@dataclass
class Entry:
    """Counters of one life of an entry; times are dyadic, so that sums are exact."""

    life: int
    born_at: datetime
    born_after_snapshot: int
    calls: int = 0
    plans: int = 0
    time: float = 0.0
    fastest: float = 0.0
    slowest: float = 0.0

    def call(self, ms: float) -> None:
        """As pgss_store does, after a reset of minimum and maximum too."""
        self.calls += 1
        self.time += ms
        if self.calls == 1 or self.fastest == self.slowest == 0.0:
            self.fastest = self.slowest = ms
        self.fastest, self.slowest = min(self.fastest, ms), max(self.slowest, ms)

    def overtook(self, then: "Entry") -> bool:
        """True where no counter tells that this is not the entry of then."""
        fits = not then.calls or (self.fastest <= then.fastest and self.slowest >= then.slowest)
        return fits and (
            self.calls >= then.calls and self.plans >= then.plans and self.time >= then.time
        )


@dataclass
class Server:
    """One instance: its own statistics, maybe the system identifier of another."""

    started_at: datetime
    reset_at: datetime
    dealloc: int = 0
    entries: dict[StatementKey, Entry] = field(default_factory=dict)


class World:
    """Two servers of one cluster, what ran on them, and a collector that looks at one."""

    def __init__(self, extension: tuple[int, int]) -> None:
        self.extension = extension
        self.ticks: Iterator[int] = count(1)
        self.lives: Iterator[int] = count()
        self.offset = timedelta(0)
        self.snapshots = 0
        self.active, self.standby = self._server(), self._server()
        self.hides_others, self.me = False, 1
        self.ran: Counter[StatementKey] = Counter()
        self.ran_ms: Counter[StatementKey] = Counter()
        #: lost in a way that PostgreSQL does not show
        self.unseen: set[StatementKey] = set()
        self.lost: set[StatementKey] = set()

    def now(self) -> datetime:
        """Unique to the microsecond, whatever the clock was set to."""
        tick = next(self.ticks)
        return START + self.offset + tick * timedelta(milliseconds=10, microseconds=1)

    def _server(self) -> Server:
        return Server(started_at=self.now(), reset_at=self.now())

    # what happens to the server

    def call(self, n: int, ms: float) -> None:
        self._entry(KEYS[n]).call(ms)
        self.ran[KEYS[n]] += 1
        self.ran_ms[KEYS[n]] += ms  # type: ignore[assignment]  # a Counter of floats

    def plan(self, n: int, ms: float) -> None:
        self._entry(KEYS[n]).plans += 1

    def _entry(self, key: StatementKey) -> Entry:
        if key not in self.active.entries:
            self.active.entries[key] = Entry(next(self.lives), self.now(), self.snapshots)
        return self.active.entries[key]

    def _remove(self, keys: list[StatementKey], *, shows: bool) -> None:
        for key in keys:
            entry = self.active.entries.pop(key)
            self.lost.add(key)
            is_new = entry.born_after_snapshot == self.snapshots
            if not shows and (is_new or self.extension < (1, 11)):
                self.unseen.add(key)

    def evict(self, n: int, ms: float) -> None:
        rarest = sorted(self.active.entries, key=lambda key: self.active.entries[key].calls)
        if rarest:
            self.active.dealloc += 1
            self._remove(rarest[: 1 + n % 3], shows=self.extension >= (1, 9))

    def reset_all(self, n: int, ms: float) -> None:
        self._remove(list(self.active.entries), shows=self.extension >= (1, 9))
        self.active.dealloc, self.active.reset_at = 0, self.now()

    def reset_one(self, n: int, ms: float) -> None:
        self._reset_some([key for key in self.active.entries if key == KEYS[n]])

    def reset_user(self, n: int, ms: float) -> None:
        self._reset_some([key for key in self.active.entries if key.userid == KEYS[n].userid])

    def _reset_some(self, keys: list[StatementKey]) -> None:
        if keys and len(keys) == len(self.active.entries):
            self.reset_all(0, 0.0)  # entry_reset sets stats_reset when nothing is left
        else:
            self._remove(keys, shows=False)

    def reset_extremes(self, n: int, ms: float) -> None:
        if self.extension >= (1, 11):
            for entry in self.active.entries.values():
                entry.fastest = entry.slowest = 0.0

    def restart(self, n: int, ms: float) -> None:
        self.active.started_at = self.now()

    def crash(self, n: int, ms: float) -> None:
        self.reset_all(n, ms)
        self.active.started_at = self.now()

    def backend_crash(self, n: int, ms: float) -> None:
        self.reset_all(n, ms)  # shared memory is made anew, the postmaster lives on

    def fail_over(self, n: int, ms: float) -> None:
        self.active, self.standby = self.standby, self.active
        self.unseen |= set(KEYS)  # what runs there until a failover back

    def hide(self, n: int, ms: float) -> None:
        self.hides_others = not self.hides_others

    def change_role(self, n: int, ms: float) -> None:
        self.me = KEYS[n].userid

    def set_clock_back(self, n: int, ms: float) -> None:
        self.offset -= timedelta(hours=n + 1)

    def update_extension(self, n: int, ms: float) -> None:
        newer = {(1, 8): (1, 9), (1, 9): (1, 11)}
        self.extension = newer.get(self.extension, self.extension)

    # what the collector sees

    def snapshot(self, evict_before: bool, evict_after: bool) -> StatementSnapshot:
        """Reads dealloc, entries, dealloc again; evictions may come in between."""
        dealloc = self.active.dealloc
        if evict_before:
            self.evict(0, 0.0)
        visible = self.visible()
        hidden = len(self.active.entries) - len(visible)
        counted = {
            key: StatementCounters(
                key=key,
                counters=Counters(
                    calls=one.calls, plans=one.plans, total_exec_time=one.time, rows=one.calls
                ),
                min_exec_time=one.fastest,
                max_exec_time=one.slowest,
                stats_since=one.born_at if self.extension >= (1, 11) else None,
            )
            for key, one in visible.items()
        }
        self.read = {key: Entry(**vars(one)) for key, one in visible.items()}
        self.lost_before_read, self.unseen_before_read = set(self.lost), set(self.unseen)
        self.lost, self.unseen = set(), set()
        self.snapshots += 1
        if evict_after:
            self.evict(0, 0.0)
        knows = self.extension >= (1, 9)
        return StatementSnapshot(
            captured_at=self.now(),
            system_identifier="7",
            postmaster_start_at=self.active.started_at,
            stats_reset=self.active.reset_at if knows else None,
            dealloc=dealloc if knows else None,
            dealloc_after=self.active.dealloc if knows else None,
            hidden=hidden,
            extension_version=".".join(str(part) for part in self.extension),
            statements=counted,
        )

    def visible(self) -> dict[StatementKey, Entry]:
        return {
            key: one
            for key, one in self.active.entries.items()
            if not self.hides_others or key.userid == self.me
        }


NAMES = (
    *("evict", "reset_all", "reset_one", "reset_user", "reset_extremes", "restart", "crash"),
    *("backend_crash", "fail_over", "hide", "change_role", "set_clock_back", "update_extension"),
)
_number = st.integers(0, len(KEYS) - 1)
_ms = st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0])
_call: st.SearchStrategy[Action] = st.tuples(st.sampled_from(["call"] * 6 + ["plan"]), _number, _ms)
_disturb: st.SearchStrategy[Action] = st.tuples(st.sampled_from(NAMES), _number, _ms)
#: what happens between two snapshots, and whether evictions come while the second is read
_rounds = st.lists(
    st.tuples(
        st.lists(_call, max_size=8),
        st.lists(st.one_of(_call, _call, _disturb), max_size=5),
        st.lists(_call, max_size=8),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=2,
    max_size=6,
)
Rounds = list[tuple[list[Action], list[Action], list[Action], bool, bool]]


def check_interval(
    world: World, then: dict[StatementKey, Entry], ran: Counter[StatementKey], interval: Interval
) -> None:
    calls = {delta.key: delta.counters.calls for delta in interval.deltas}
    times = {delta.key: delta.counters.total_exec_time for delta in interval.deltas}
    reasons = {gap.reason for gap in interval.gaps}
    assert interval.since < interval.until
    assert all(d.counters.calls >= 0 and d.counters.plans >= 0 for d in interval.deltas)
    skipped = reasons & {GapReason.OTHER_CLUSTER, GapReason.FIRST_SIGHT}
    skipped |= reasons & {GapReason.RESTART} if world.extension < (1, 9) else set()
    for key, entry in world.read.items():
        old = then.get(key)
        same = old is not None and old.life == entry.life
        life_calls = entry.calls - (old.calls if same and old else 0)
        life_time = entry.time - (old.time if same and old else 0.0)
        found = calls.get(key, 0)
        assert found <= ran[key], "more than ran"
        if skipped:
            continue
        is_unseen = old is not None and not same and entry.overtook(old)
        assert found <= life_calls and times.get(key, 0.0) <= life_time
        if world.extension >= (1, 11) or not is_unseen:
            assert (found, times.get(key, 0.0)) == (life_calls, life_time)
            event("exact")
        else:
            event("overtaken unseen")
    if not interval.gaps:
        check_nothing_lost(world, then, ran, calls)
    assert calls.keys() <= world.read.keys()


def check_nothing_lost(
    world: World,
    then: dict[StatementKey, Entry],
    ran: Counter[StatementKey],
    calls: dict[StatementKey, int],
) -> None:
    """No gap: every call is counted, of all users that both snapshots may see."""
    event("no gap")
    for key in KEYS:
        if world.hides_others and key.userid != world.me:
            continue
        if key in world.unseen_before_read:
            event("lost where PostgreSQL shows nothing")
            continue
        assert calls.get(key, 0) == ran[key], "lost without a gap"


@pytest.mark.parametrize("extension", [(1, 8), (1, 9), (1, 11)], ids=["13", "14", "17"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rounds=_rounds)
def test_deltas_are_never_more_than_what_ran_and_losses_are_gaps(
    extension: tuple[int, int], rounds: Rounds
) -> None:
    world = World(extension)
    before: StatementSnapshot | None = None
    then: dict[StatementKey, Entry] = {}
    ran: Counter[StatementKey] = Counter()
    counted: Counter[StatementKey] = Counter()
    counted_ms: Counter[StatementKey] = Counter()
    for first, disturbances, last, evict_before, evict_after in rounds:
        for name, number, ms in (*first, *disturbances, *last):
            getattr(world, name)(number, ms)
        after = world.snapshot(evict_before, evict_after)
        ran_meanwhile = world.ran - ran
        if before is not None:
            interval = interval_between(before, after)
            check_interval(world, then, ran_meanwhile, interval)
            for delta in interval.deltas:
                counted[delta.key] += delta.counters.calls
                counted_ms[delta.key] += delta.counters.total_exec_time  # type: ignore[assignment]
        before, then, ran = after, world.read, world.ran.copy()
    assert all(counted[key] <= world.ran[key] for key in KEYS)
    assert all(counted_ms[key] <= world.ran_ms[key] for key in KEYS)
