"""What a fall of the planner's cost is worth in time, and how sure that is.

Cost is not time. The share of the cost that goes away is the best guess of the share of the
time that goes away, and its error is large: over a workload, the logarithm of time per unit of
cost scatters. That scatter, measured on the queries at hand, is the width of the interval.

The time of today's plan is known, so only the new plan's error counts; two plans of one query
share data, caches and a part of their errors, which is why the scatter between queries is taken
for it and not its double variance. docs/methods/roi.md has the arithmetic and where it fails.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

__all__ = [
    "COSTED_CEILING",
    "SIGMA_FLOOR",
    "TODAY",
    "Z90",
    "Remaining",
    "confidence",
    "improvement",
    "probability_of_worth",
    "scatter",
]

#: Scatter of ln(time / cost) that is assumed where the workload has too few queries to measure
#: it. Published plans of real workloads: cost alone is off by a median factor of 1.4 to 7
#: (TPC-H to JOB), that is 0.35 to 1.9 in logarithms.
SIGMA_FLOOR = 0.7
_FEWEST_QUERIES = 8
#: 95 % point of the normal distribution: 5 % on either side make a 90 % interval
Z90 = 1.6449
#: Below this share of time saved a change is not worth having.
_WORTH = 0.05
#: The planner charges a page as if it came from disk half of the time; from memory it takes a
#: tenth or less. At its best the new plan finds all its few pages in memory: in 28 measurements
#: on cached tables 13 were faster than a symmetric interval said, and none was slower.
_IN_MEMORY = 10
#: The planner alone, without a measurement, is never believed more than this.
COSTED_CEILING = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What remains of a query's time with some new indexes, as a share of today's.

    A new plan has nodes that today's plan has too: they keep the time that was measured
    (`kept`, certain). The others are known by their cost only (`costed`). Without a measured
    plan all of it is costed.
    """

    kept: float = 0.0
    costed: float = 1.0
    #: the planner's cost of the new plan
    cost: float = 0.0
    #: the share when an index under LIMIT has to be read to its end; `share` where none is
    at_worst: float = 0.0
    #: by which factor the planner misjudged rows, where that matters; at least 1
    row_error: float = 1.0

    @property
    def share(self) -> float:
        """0 when nothing remains, 1 when nothing changes, above 1 when it gets slower."""
        return self.kept + self.costed

    @property
    def is_gamble(self) -> bool:
        """It may well get slower than today: that counts as no gain, and as no loss either."""
        return self.at_worst > 1.1 and self.at_worst > self.share

    def sigma(self, sigma: float) -> float:
        """The scatter, wider where row estimates were wrong.

        Cost grows with the rows to a power between 0 and 1: one half is taken of ln(q-error).
        """
        return math.hypot(sigma, math.log(max(self.row_error, 1.0)) / 2)


#: what is left when nothing is done: all of it, and that is measured
TODAY = Remaining(kept=1.0, costed=0.0)


def scatter(times_and_costs: Iterable[tuple[float, float]]) -> float:
    """The spread of ln(time per cost) over queries, robustly (1.4826 x median deviation).

    >>> scatter([(1.0, 10.0)])
    0.7
    """
    logs = [math.log(time / cost) for time, cost in times_and_costs if time > 0 and cost > 0]
    if len(logs) < _FEWEST_QUERIES:
        return SIGMA_FLOOR
    middle = median(logs)
    return max(SIGMA_FLOOR, 1.4826 * median(abs(log - middle) for log in logs))


def improvement(before: Remaining, after: Remaining, sigma: float) -> tuple[float, float, float]:
    """(improvement, low, high): what goes away, as a share of today's time, with a 90 % interval.

    `before` is `TODAY`, known exactly, or what earlier advice leaves, which is as uncertain as
    `after`; their errors are taken as independent.

    >>> [round(x, 3) for x in improvement(TODAY, Remaining(costed=0.1), 0.7)]
    [0.9, 0.684, 0.997]
    >>> [round(x, 3) for x in improvement(TODAY, Remaining(kept=0.5, costed=0.1), 0.7)]
    [0.4, 0.184, 0.497]
    """
    estimate = before.share - after.share
    before_low, before_high = _interval(before, sigma)
    after_low, after_high = _interval(after, sigma)
    low = estimate - math.hypot(before.share - before_low, after_high - after.share)
    high = estimate + math.hypot(before_high - before.share, after.share - after_low)
    return estimate, max(low, min(-1.0, estimate)), min(high, max(1.0, estimate))


def _interval(remaining: Remaining, sigma: float) -> tuple[float, float]:
    spread = math.exp(Z90 * remaining.sigma(sigma))
    low = remaining.kept + remaining.costed / spread / _IN_MEMORY
    return low, remaining.kept + remaining.costed * spread


def confidence(before: Remaining, after: Remaining, sigma: float) -> float:
    """The probability that the time falls by at least 5 %, at most 0.9 without a measurement.

    >>> sure, unsure = Remaining(costed=0.01), Remaining(costed=0.8)
    >>> confidence(TODAY, sure, 0.7) > confidence(TODAY, unsure, 0.7)
    True
    """
    room = before.share * (1 - _WORTH) - after.kept
    if room <= 0:
        return 0.0
    of_before = before.sigma(sigma) * before.costed / before.share
    deviation = math.hypot(after.sigma(sigma), of_before)
    return COSTED_CEILING * _normal(math.log(room / max(after.costed, 1e-9)) / deviation)


def probability_of_worth(share: float, deviation: float) -> float:
    """The probability that a normally distributed improvement is at least 5 %, at most 0.9."""
    return COSTED_CEILING * _normal((share - _WORTH) / deviation)


def _normal(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))
