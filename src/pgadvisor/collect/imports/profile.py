"""What a source is like as a whole: its grid of times, and what its counters are.

Found by reading it once, before anything is stored. Each decision says what it rests on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import gcd

from pgadvisor.records.imported import Reading, SourceStatement

__all__ = ["Grid", "Profile", "Profiler"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
#: keys whose course is followed; enough to tell what the counters are
_MOST_KEYS = 50_000
_MOST_TIMES = 200_000
#: steps between times that are this near to the usual one are of the grid
_NEAR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The times of one database in a source."""

    first: datetime
    last: datetime
    #: distance between two times; None where there is only one time
    step: timedelta | None
    #: all times lie on whole multiples of the step from each other, and on whole minutes
    is_exact: bool
    times: int
    #: places where the next time is further away than the step
    holes: int

    @property
    def is_sparse(self) -> bool:
        """So many holes are no outages: there are only rows of times at which something ran."""
        return self.holes >= max(3, self.times // 10)


@dataclass(slots=True)
class Profile:
    """What one reading of a source showed."""

    rows: int = 0
    is_ordered: bool = True
    #: pairs of neighbours in the file whose second is older, newer
    falling: int = 0
    rising: int = 0
    grids: dict[str, Grid] = field(default_factory=dict)
    #: how often calls and times of a statement rose, fell or stayed from one time to the next
    rises: int = 0
    falls: int = 0
    #: how often a statement that was not shown for a while came back with counters kept, restarted
    kept: int = 0
    restarted: int = 0
    #: readings of a database that have as many statements as the largest of them
    full_readings: int = 0
    readings: int = 0
    largest_reading: int = 0
    has_users: bool = False
    statements: int = 0
    has_fractions: bool = False

    @property
    def is_newest_first(self) -> bool:
        """The file goes back in time."""
        return self.falling > self.rising

    @property
    def fall_share(self) -> float:
        """Of all changes of a counter, the share that were falls."""
        return self.falls / max(self.rises + self.falls, 1)


@dataclass(slots=True)
class _Course:
    """The last that was seen of one statement."""

    reading: int
    calls: int
    total_exec_time: float


@dataclass(slots=True)
class _Database:
    times: set[int] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    reading: int = 0
    at: datetime | None = None
    size: int = 0
    sizes: Counter[int] = field(default_factory=Counter)


class Profiler:
    """Is shown the readings of a source and tells what they are like."""

    def __init__(self) -> None:
        self.profile = Profile()
        self._databases: dict[str, _Database] = {}
        self._courses: dict[SourceStatement, _Course] = {}
        self._last: datetime | None = None

    def show(self, readings: Iterable[Reading]) -> None:
        """Take some readings into account."""
        profile = self.profile
        for reading in readings:
            profile.rows += 1
            at = reading.at
            instant = reading.instant
            if self._last is not None and instant != self._last:
                if instant < self._last:
                    profile.is_ordered = False
                    profile.falling += 1
                else:
                    profile.rising += 1
            self._last = instant
            place = self._databases.get(reading.statement.database)
            if place is None:
                place = self._databases[reading.statement.database] = _Database()
            if at != place.at:
                self._next_reading(place, at)
            place.size += 1
            self._follow(place, reading)

    def finish(self) -> Profile:
        """What was seen."""
        profile = self.profile
        for name, place in self._databases.items():
            self._end_reading(place)
            assert place.first is not None and place.last is not None
            profile.grids[name] = _grid(place)
            largest = max(place.sizes)
            if largest >= profile.largest_reading:
                profile.largest_reading = largest
                profile.full_readings = place.sizes[largest]
                profile.readings = sum(place.sizes.values())
        profile.statements = len(self._courses)
        return profile

    def _next_reading(self, place: _Database, at: datetime) -> None:
        self._end_reading(place)
        place.reading += 1
        place.at = at
        place.first = at if place.first is None else min(place.first, at)
        place.last = at if place.last is None else max(place.last, at)
        if len(place.times) < _MOST_TIMES:
            place.times.add((at - _EPOCH) // _SECOND)

    @staticmethod
    def _end_reading(place: _Database) -> None:
        if place.size:
            place.sizes[place.size] += 1
        place.size = 0

    def _follow(self, place: _Database, reading: Reading) -> None:
        profile, counters = self.profile, reading.counters
        statement = reading.statement
        if statement.userid is not None or statement.user is not None:
            profile.has_users = True
        if not counters.total_exec_time.is_integer():
            profile.has_fractions = True
        course = self._courses.get(statement)
        if course is None:
            if len(self._courses) < _MOST_KEYS:
                self._courses[statement] = _Course(
                    place.reading, counters.calls, counters.total_exec_time
                )
            return
        grew = counters.calls - course.calls or counters.total_exec_time - course.total_exec_time
        if course.reading != place.reading:
            profile.rises += grew > 0
            profile.falls += grew < 0
            if place.reading - course.reading > 1 and course.calls:
                profile.kept += grew >= 0
                profile.restarted += grew < 0
        course.reading = place.reading
        course.calls, course.total_exec_time = counters.calls, counters.total_exec_time


def _grid(place: _Database) -> Grid:
    times = sorted(place.times)
    steps = [later - earlier for earlier, later in pairwise(times)]
    step, is_exact = _step(steps, times)
    holes = sum(one > step * 1.5 for one in steps) if step else 0
    assert place.first is not None and place.last is not None
    return Grid(
        first=place.first,
        last=place.last,
        step=timedelta(seconds=step) if step else None,
        is_exact=is_exact,
        times=len(times),
        holes=holes,
    )


def _step(steps: list[int], times: list[int]) -> tuple[int, bool]:
    """The usual distance in seconds, 0 where none can be told, and whether the grid is exact.

    Times of a clock that runs late by a second or two have a usual distance, but no common
    divisor; times of a grid with many holes have a common divisor, but no usual distance.
    """
    if not steps:
        return 0, False
    divisor = gcd(*steps)
    usual, count = Counter(steps).most_common(1)[0]
    middle = sorted(steps)[len(steps) // 2]
    near = sum(abs(one - middle) <= middle * _NEAR for one in steps)
    on_minutes = all(time % 60 == 0 for time in times)
    if count * 2 >= len(steps):
        return usual, on_minutes and divisor % usual == 0
    if near * 2 >= len(steps):
        return middle, False
    if divisor >= 60:
        return divisor, on_minutes
    return middle, False
