"""Which executions a server logs, and how likely one was that is in the log.

Sources: explain_ExecutorStart and explain_ExecutorEnd in auto_explain.c, check_log_duration in
postgres.c. Both compare whole settings in ms with what they print: as long or longer is logged.
"""

import math
from collections.abc import Iterator, Mapping

from pgadvisor.records.log import LogSampling

__all__ = ["log_sampling", "plan_sampling", "statement_sampling"]


def log_sampling(settings: Mapping[str, str]) -> LogSampling:
    """What is known of the sampling, from names and values of pg_settings.

    A setting that is missing (the module is not loaded, a log without its server) stays unknown.
    With log_statement = all and log_duration each statement is logged, whatever the thresholds.

    >>> log_sampling({"log_min_duration_statement": "250"}).statement_threshold_ms
    250.0
    >>> log_sampling({"log_min_duration_statement": "-1"}).statement_threshold_ms
    inf
    """
    is_all = settings.get("log_statement") == "all" and settings.get("log_duration") == "on"
    return LogSampling(
        plan_threshold_ms=_threshold(settings, "auto_explain.log_min_duration"),
        plan_sample_rate=_number(settings, "auto_explain.sample_rate"),
        statement_threshold_ms=(
            0.0 if is_all else _threshold(settings, "log_min_duration_statement")
        ),
        sample_threshold_ms=_threshold(settings, "log_min_duration_sample"),
        sample_rate=_number(settings, "log_statement_sample_rate"),
        transaction_sample_rate=_number(settings, "log_transaction_sample_rate"),
    )


def plan_sampling(sampling: LogSampling, duration_ms: float) -> tuple[float | None, float | None]:
    """For a logged plan of that duration: the threshold in ms, and how likely it was logged.

    Unknown is None, also where the settings would not have logged it: then others held, as
    ALTER ROLE or SET gives them to some sessions.

    >>> plan_sampling(LogSampling(plan_threshold_ms=100.0, plan_sample_rate=0.5), 120.0)
    (100.0, 0.5)
    """
    threshold = sampling.plan_threshold_ms
    if threshold is None or duration_ms < threshold or sampling.plan_sample_rate == 0:
        return None, None
    return threshold, sampling.plan_sample_rate


def statement_sampling(
    sampling: LogSampling, duration_ms: float
) -> tuple[float | None, float | None]:
    """For a logged statement of that duration: the threshold in ms, and how likely it was logged.

    log_min_duration_statement logs all from its threshold on. Below that,
    log_min_duration_sample logs a part from its own on, and log_transaction_sample_rate a part
    of any length. Shorter ones than the threshold are logged less often. Unknown is None, as for
    plans.

    >>> statement_sampling(
    ...     LogSampling(
    ...         statement_threshold_ms=1000.0,
    ...         sample_threshold_ms=100.0,
    ...         sample_rate=0.5,
    ...         transaction_sample_rate=0.0,
    ...     ),
    ...     120.0,
    ... )
    (100.0, 0.5)
    """
    steps = list(_steps(sampling))
    rates = [rate for least, rate in steps if duration_ms >= least]
    if sampling.statement_threshold_ms is None or not rates:
        return None, None
    if None in rates:
        # whatever the unknown step is, a certain one is above it
        certain = [least for least, rate in steps if rate == 1 and duration_ms >= least]
        return (min(certain), 1.0) if certain else (None, None)
    highest = max(rate for rate in rates if rate is not None)
    if highest == 0:
        return None, None
    return min(least for least, rate in steps if rate is not None and rate >= highest), highest


def _steps(sampling: LogSampling) -> Iterator[tuple[float, float | None]]:
    """From which duration on statements are logged at which rate."""
    of_transactions, rate = sampling.transaction_sample_rate, sampling.sample_rate
    yield 0.0, of_transactions
    if sampling.sample_threshold_ms is None:
        yield 0.0, None
    elif rate is None or of_transactions is None:
        yield sampling.sample_threshold_ms, None
    else:
        yield sampling.sample_threshold_ms, 1 - (1 - rate) * (1 - of_transactions)
    if sampling.statement_threshold_ms is not None:
        yield sampling.statement_threshold_ms, 1.0


def _threshold(settings: Mapping[str, str], name: str) -> float | None:
    """In ms, as pg_settings shows all of them; off is infinite."""
    found = _number(settings, name)
    return math.inf if found is not None and found < 0 else found


def _number(settings: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(settings[name])
    except (KeyError, ValueError):
        return None
    return found if math.isfinite(found) else None
