"""Which executions a log shows, told from the server's settings.

Sources: explain_ExecutorEnd in auto_explain.c, check_log_duration in postgres.c.
"""

from collections.abc import Mapping

from pgadvisor.records.log import LogSampling

__all__ = ["log_sampling", "plan_sampling", "statement_sampling"]


def log_sampling(settings: Mapping[str, str]) -> LogSampling:
    """What names and values of pg_settings say; what is missing among them is not known."""
    return LogSampling(
        plan_threshold_ms=_threshold(settings.get("auto_explain.log_min_duration")),
        plan_sample_rate=_rate(settings.get("auto_explain.sample_rate")),
        statement_threshold_ms=_threshold(settings.get("log_min_duration_statement")),
        sample_threshold_ms=_threshold(settings.get("log_min_duration_sample")),
        sample_rate=_rate(settings.get("log_statement_sample_rate")),
        transaction_sample_rate=_rate(settings.get("log_transaction_sample_rate")),
    )


def _threshold(value: str | None) -> float | None:
    if value is None:
        return None
    return float("inf") if float(value) < 0 else float(value)


def _rate(value: str | None) -> float | None:
    return None if value is None else float(value)


def plan_sampling(sampling: LogSampling, duration_ms: float) -> tuple[float | None, float | None]:
    """Threshold and rate that a plan of such a duration was logged with."""
    threshold, rate = sampling.plan_threshold_ms, sampling.plan_sample_rate
    if threshold is None or threshold > duration_ms:
        return None, None
    return threshold, rate if rate is None or rate > 0 else None


def statement_sampling(
    sampling: LogSampling, duration_ms: float
) -> tuple[float | None, float | None]:
    """Threshold and rate that a statement of such a duration was logged with."""
    threshold = sampling.statement_threshold_ms
    if threshold is not None and duration_ms >= threshold:
        return threshold, 1.0
    sampled = sampling.sample_threshold_ms
    if threshold is None or sampled is None or duration_ms < sampled or not sampling.sample_rate:
        return None, None
    return sampled, sampling.sample_rate
