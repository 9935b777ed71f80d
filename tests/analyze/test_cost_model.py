"""Intervals and confidence from costs: coherent for every input."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.analyze.cost_model import (
    COSTED_CEILING,
    SIGMA_FLOOR,
    TODAY,
    Remaining,
    confidence,
    improvement,
    scatter,
)

SHARES = st.floats(0, 2)
SIGMAS = st.floats(SIGMA_FLOOR, 3)


@given(st.tuples(SHARES, SHARES), st.tuples(SHARES, SHARES), SIGMAS, st.floats(1, 1e6))
def test_the_interval_holds_the_estimate(
    first: tuple[float, float], second: tuple[float, float], sigma: float, row_error: float
) -> None:
    before = Remaining(kept=first[0], costed=first[1])
    after = Remaining(kept=second[0], costed=second[1], row_error=row_error)
    estimate, low, high = improvement(before, after, sigma)
    assert low <= estimate <= high
    assert estimate == pytest.approx(before.share - after.share)
    assert 0 <= confidence(before, after, sigma) <= COSTED_CEILING


@given(SHARES, st.floats(0, 0.5), st.floats(0.01, 2), SIGMAS)
def test_of_todays_time_no_more_than_all_goes_away(
    kept: float, earlier: float, costed: float, sigma: float
) -> None:
    after = Remaining(kept=kept, costed=costed)
    assert improvement(TODAY, after, sigma)[2] <= 1 - kept + 1e-9
    certain = improvement(Remaining(kept=0.5), after, sigma)
    unsure = improvement(Remaining(kept=0.5 - earlier, costed=earlier), after, sigma)
    assert unsure[1] <= certain[1] + 1e-9, "what earlier advice leaves is uncertain too"


@given(st.floats(0.001, 1), SIGMAS)
def test_more_saved_is_surer(costed: float, sigma: float) -> None:
    less, more = Remaining(costed=costed), Remaining(costed=costed / 2)
    assert confidence(TODAY, more, sigma) >= confidence(TODAY, less, sigma)


@given(st.floats(0.01, 0.9), SIGMAS, st.floats(1, 1e4))
def test_wrong_row_estimates_widen_the_interval(costed: float, sigma: float, error: float) -> None:
    sure = improvement(TODAY, Remaining(costed=costed), sigma)
    unsure = improvement(TODAY, Remaining(costed=costed, row_error=error), sigma)
    assert unsure[1] <= sure[1] <= sure[0] <= sure[2] <= unsure[2]


def test_what_was_measured_to_stay_bounds_the_gain() -> None:
    estimate, _, high = improvement(TODAY, Remaining(kept=0.6, costed=0.001), 0.7)
    assert estimate == pytest.approx(0.399)
    assert high <= 0.4


def test_the_interval_covers_nine_of_ten_or_more_where_its_assumption_holds() -> None:
    random.seed(7)
    sigma, covered = 0.9, 0
    for _ in range(4000):
        after = Remaining(kept=random.uniform(0, 0.3), costed=random.uniform(0.01, 0.3))
        _, low, high = improvement(TODAY, after, sigma)
        real = 1 - after.kept - after.costed * math.exp(random.gauss(0, sigma))
        covered += low <= real <= high or (low == -1 and real < -1)
    assert 0.93 <= covered / 4000 <= 0.97, "5 % below; the upper end is wider"


def test_confidence_is_the_chance_of_five_percent() -> None:
    random.seed(7)
    after = Remaining(kept=0.2, costed=0.5)
    worth = sum(1 - 0.2 - 0.5 * math.exp(random.gauss(0, 0.8)) >= 0.05 for _ in range(4000)) / 4000
    assert confidence(TODAY, after, 0.8) == pytest.approx(COSTED_CEILING * worth, abs=0.02)


def test_scatter_is_measured_where_there_are_enough_queries() -> None:
    random.seed(7)
    pairs = [(10 * math.exp(random.gauss(0, 1.4)), 100.0) for _ in range(400)]
    assert scatter(pairs) == pytest.approx(1.4, rel=0.15)
    assert scatter([*pairs, (1e9, 1e-3)]) == pytest.approx(1.4, rel=0.15), "outliers do not count"
    assert scatter(pairs[:7]) == SIGMA_FLOOR
    assert scatter((cost, cost) for cost in range(1, 100)) == SIGMA_FLOOR
    assert scatter([(0.0, 1.0)] * 20) == SIGMA_FLOOR
