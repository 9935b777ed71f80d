"""What a fall of the planner's cost is worth in time, and how sure that is.

Cost is not time. The share of the cost that goes away is the best guess of the share of the
time that goes away, and its error is large: over a workload, the logarithm of time per unit of
cost scatters. That scatter, measured on the queries at hand, is the width of the interval.
"""

import math
from collections.abc import Iterable
from statistics import median

__all__ = ["SIGMA_FLOOR", "confidence", "improvement_interval", "scatter"]

#: Scatter of ln(time / cost) that is assumed where the workload has too few queries to measure
#: it. Published plans of real workloads: cost alone is off by a median factor of 1.4 to 7
#: (TPC-H to JOB), that is 0.35 to 1.9 in logarithms.
SIGMA_FLOOR = 0.7
_FEWEST_QUERIES = 8
#: 95 % point of the normal distribution: 5 % on either side make a 90 % interval
_Z90 = 1.6449
#: Below this share of time saved a change is not worth having.
_WORTH = 0.05
#: The planner alone, without a measurement, is never believed more than this.
_COSTED_CEILING = 0.9


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


def improvement_interval(ratio_after: float, sigma: float) -> tuple[float, float, float]:
    """(improvement, low, high) as shares of the time, from cost after / cost before.

    >>> [round(x, 2) for x in improvement_interval(0.1, 0.7)]
    [0.9, 0.68, 0.97]
    """
    spread = math.exp(_Z90 * sigma)
    after = max(ratio_after, 1e-6)
    return 1 - after, max(1 - after * spread, -1.0), 1 - after / spread


def confidence(ratio_after: float, sigma: float) -> float:
    """The probability that the time falls by at least 5 %, at most 0.9 without a measurement.

    >>> confidence(0.01, 0.7) > confidence(0.8, 0.7)
    True
    """
    margin = (math.log(1 - _WORTH) - math.log(max(ratio_after, 1e-6))) / sigma
    return _COSTED_CEILING * 0.5 * (1 + math.erf(margin / math.sqrt(2)))
