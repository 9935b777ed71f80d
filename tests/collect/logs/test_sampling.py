"""What the settings say of an execution in the log, against check_log_duration itself."""

import math
import random
from typing import Any

import psycopg
from hypothesis import assume, given
from hypothesis import strategies as st

from pgadvisor.collect.logs.sampling import log_sampling, plan_sampling, statement_sampling
from pgadvisor.records.log import LogSampling

THRESHOLDS = st.sampled_from(["-1", "0", "1", "100", "250", "2147483647"])
RATES = st.sampled_from(["0", "0.25", "0.5", "1"])
DURATIONS = st.floats(0, 1000) | st.sampled_from([0.0, 99.999, 100.0, 249.999, 250.0])
SETTINGS = st.fixed_dictionaries(
    {
        "auto_explain.log_min_duration": THRESHOLDS,
        "auto_explain.sample_rate": RATES,
        "log_min_duration_statement": THRESHOLDS,
        "log_min_duration_sample": THRESHOLDS,
        "log_statement_sample_rate": RATES,
        "log_transaction_sample_rate": RATES,
        "log_statement": st.sampled_from(["none", "all"]),
        "log_duration": st.sampled_from(["off", "on"]),
    }
)


def is_logged(settings: dict[str, str], duration_ms: float, draw: random.Random) -> bool:
    """check_log_duration in postgres.c, and check_log_statement before it."""
    duration = int(duration_ms)
    least, least_sample = (
        int(settings[name]) for name in ("log_min_duration_statement", "log_min_duration_sample")
    )
    if settings["log_statement"] == "all" and settings["log_duration"] == "on":
        return True
    exceeded = least == 0 or (least > 0 and duration >= least)
    exceeded_sample = least_sample == 0 or (least_sample > 0 and duration >= least_sample)
    rate = float(settings["log_statement_sample_rate"])
    in_sample = exceeded_sample and rate != 0 and (rate == 1 or draw.random() <= rate)
    xact_is_sampled = draw.random() < float(settings["log_transaction_sample_rate"])
    return exceeded or in_sample or xact_is_sampled


@given(settings=SETTINGS, duration_ms=DURATIONS)
def test_rate_is_the_one_check_log_duration_logs_at(
    settings: dict[str, str], duration_ms: float
) -> None:
    threshold, rate = statement_sampling(log_sampling(settings), duration_ms)
    draw = random.Random(7)
    logged = sum(is_logged(settings, duration_ms, draw) for _ in range(800)) / 800
    assert math.isclose(logged, rate or 0.0, abs_tol=0.08)
    assert (threshold is None) == (rate is None) == (logged == 0)
    # shorter ones are logged less often
    if threshold:
        shorter = statement_sampling(log_sampling(settings), threshold - 1)[1]
        assert (shorter or 0.0) < (rate or 0.0)


@given(settings=SETTINGS, duration_ms=DURATIONS)
def test_plans_are_sampled_from_their_threshold_on(
    settings: dict[str, str], duration_ms: float
) -> None:
    threshold, rate = plan_sampling(log_sampling(settings), duration_ms)
    least = float(settings["auto_explain.log_min_duration"])
    if 0 <= least <= duration_ms and settings["auto_explain.sample_rate"] != "0":
        assert (threshold, rate) == (least, float(settings["auto_explain.sample_rate"]))
    else:
        # yet it is in the log: other settings held
        assert (threshold, rate) == (None, None)


@given(settings=SETTINGS, missing=st.sets(st.sampled_from(sorted(LogSampling.__slots__))))
def test_unknown_stays_unknown(settings: dict[str, str], missing: set[str]) -> None:
    known = log_sampling(settings)
    values = {name: getattr(known, name) for name in LogSampling.__slots__}
    partly = LogSampling(**{name: None if name in missing else values[name] for name in values})
    for duration_ms in (0.0, 50.0, 120.0, 999.0):
        for ask in (plan_sampling, statement_sampling):
            (threshold, rate), expected = ask(partly, duration_ms), ask(known, duration_ms)
            # what is left out makes up no number; the step below may be the unknown one
            assert rate is None or rate == expected[1]
            assert threshold is None or threshold >= (expected[0] or 0.0)


def test_nothing_known_is_nothing_said() -> None:
    sampling = log_sampling({})
    assert sampling == LogSampling()
    assert log_sampling({"log_min_duration_statement": "often"}) == LogSampling()
    assert plan_sampling(sampling, 5.0) == statement_sampling(sampling, 5.0) == (None, None)


@given(settings=SETTINGS, durations=st.tuples(DURATIONS, DURATIONS))
def test_longer_is_never_logged_less(
    settings: dict[str, str], durations: tuple[float, float]
) -> None:
    shorter, longer = sorted(durations)
    assume(shorter < longer)
    rates = [statement_sampling(log_sampling(settings), ms)[1] or 0.0 for ms in (shorter, longer)]
    assert rates[0] <= rates[1]


def test_settings_of_a_real_server(target_conn: psycopg.Connection[Any]) -> None:
    target_conn.execute("set log_min_duration_statement = '2s'")
    target_conn.execute("set log_min_duration_sample = '100ms'")
    target_conn.execute("set log_statement_sample_rate = 0.25")
    target_conn.execute("set auto_explain.log_min_duration = '1min'")
    rows = target_conn.execute("select name, setting from pg_settings where setting is not null")
    assert log_sampling(dict(rows.fetchall())) == LogSampling(
        plan_threshold_ms=60_000.0,
        plan_sample_rate=1.0,
        statement_threshold_ms=2_000.0,
        sample_threshold_ms=100.0,
        sample_rate=0.25,
        transaction_sample_rate=0.0,
    )
