"""Checks of pg_stat_statements and of what feeds it."""

from collections.abc import Iterator

from pgadvisor.collect.checks.facts import RELOAD, Facts, Usage, error, ok, warning
from pgadvisor.collect.failures import quoted
from pgadvisor.records.check import Check

__all__ = ["statement_checks"]

#: an eviction sweep drops 5 % of the entries; one a day loses nothing that matters
_SWEEPS_PER_HOUR = 0.1
_NEARLY_FULL = 0.95
_RESTART = "-- then restart the server"


def statement_checks(facts: Facts) -> Iterator[Check]:
    """Presence, version, size and settings of pg_stat_statements."""
    missing = facts.statements_missing
    if missing is not None:
        yield error("pg-stat-statements", missing.message, missing.hint)
    elif facts.usage is not None:
        yield _version(facts, facts.usage)
        yield _track(facts)
        yield _size(facts, facts.usage)
        yield _hidden(facts, facts.usage)
    if facts.server.major >= 14:
        yield _compute_query_id(facts)
    yield _io_timing(facts)
    yield _query_size(facts)


def _version(facts: Facts, usage: Usage) -> Check:
    found = facts.server.extensions["pg_stat_statements"]
    available = usage.available_version or found.version
    newest = tuple(int(part) for part in available.split(".") if part.isdigit())
    if found.version_tuple < newest:
        return warning(
            "pg-stat-statements",
            f"version {found.version} is installed, the server brings {available} with more "
            "columns",
            "ALTER EXTENSION pg_stat_statements UPDATE;",
        )
    return ok("pg-stat-statements", f"version {found.version} in schema {found.schema}")


def _track(facts: Facts) -> Check:
    track = facts.setting("pg_stat_statements.track")
    if track == "none":
        return error(
            "pg-stat-statements-track",
            "pg_stat_statements.track = none: nothing is counted",
            f"ALTER SYSTEM SET pg_stat_statements.track = 'top'; {RELOAD}",
        )
    return ok("pg-stat-statements-track", f"pg_stat_statements.track = {track}")


def _size(facts: Facts, usage: Usage) -> Check:
    name = "pg-stat-statements-max"
    limit = int(facts.setting("pg_stat_statements.max") or 5000)
    filled = f"{usage.entries} of {limit} entries"
    remedy = f"ALTER SYSTEM SET pg_stat_statements.max = {max(10000, 2 * limit)}; {_RESTART}"
    if usage.dealloc and usage.hours and usage.dealloc / usage.hours > _SWEEPS_PER_HOUR:
        each = usage.hours / usage.dealloc
        message = f"{filled}; rare statements are evicted every {each:.1f} hours and lost"
        return warning(name, message, remedy)
    if usage.entries > _NEARLY_FULL * limit:
        return warning(name, f"{filled}: nearly full, rare statements will be evicted", remedy)
    return ok(name, filled)


def _hidden(facts: Facts, usage: Usage) -> Check:
    if usage.hidden:
        return warning(
            "hidden-texts",
            f"{usage.hidden} of {usage.entries} statements are hidden from our role",
            f"GRANT pg_monitor TO {quoted(facts.server.current_user)};",
        )
    return ok("hidden-texts", "no statement is hidden")


def _compute_query_id(facts: Facts) -> Check:
    value = facts.setting("compute_query_id")
    if value == "off":
        return error(
            "compute-query-id",
            "compute_query_id = off: statements get no queryid",
            f"ALTER SYSTEM SET compute_query_id = 'auto'; {RELOAD}",
        )
    return ok("compute-query-id", f"compute_query_id = {value}")


def _io_timing(facts: Facts) -> Check:
    if facts.setting("track_io_timing") == "off":
        return warning(
            "track-io-timing",
            "track_io_timing = off: waiting for disk and computing look the same",
            f"ALTER SYSTEM SET track_io_timing = on; {RELOAD} -- pg_test_timing shows its cost",
        )
    return ok("track-io-timing", "track_io_timing = on")


def _query_size(facts: Facts) -> Check:
    size = int(facts.setting("track_activity_query_size") or 1024)
    if size < 4096:
        return warning(
            "track-activity-query-size",
            f"running statements are cut at {size} bytes",
            f"ALTER SYSTEM SET track_activity_query_size = 16384; {_RESTART}",
        )
    return ok("track-activity-query-size", f"running statements are shown up to {size} bytes")
