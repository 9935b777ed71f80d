"""Checks of auto_explain and the server log, where plans of real executions come from."""

from collections.abc import Iterator

from pgadvisor.collect.checks.facts import RELOAD, Facts, ok, warning
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.check import Check

__all__ = ["capture_checks"]

#: below this the plans written cost more than they tell (pgbench: -31 % at 0 ms, none at 1 ms)
_SHORTEST_MS = 10
_PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "


def capture_checks(facts: Facts) -> Iterator[Check]:
    """auto_explain and its settings, the format of the log and the way to it."""
    yield from _auto_explain(facts)
    yield from _log(facts)


def _auto_explain(facts: Facts) -> Iterator[Check]:
    threshold = facts.setting("auto_explain.log_min_duration")
    if threshold is None:
        yield warning(
            "auto-explain",
            "auto_explain is not loaded: plans are planned for unknown parameters, not seen",
            _load_auto_explain(facts),
        )
        return
    yield _threshold(int(threshold))
    yield from _switches(facts)


def _load_auto_explain(facts: Facts) -> str:
    """session_preload_libraries needs no restart; sessions opened later have it."""
    present = (facts.setting("session_preload_libraries") or "").split(",")
    names = [name.strip(' "') for name in present if name.strip(' "')]
    libraries = ", ".join(f"'{name}'" for name in [*names, "auto_explain"])
    return (
        # before PostgreSQL 17 ALTER SYSTEM takes only parameters of loaded libraries
        f"LOAD 'auto_explain'; ALTER SYSTEM SET session_preload_libraries = {libraries}; "
        "ALTER SYSTEM SET auto_explain.log_min_duration = '1s'; "
        "ALTER SYSTEM SET auto_explain.log_format = 'json'; "
        "ALTER SYSTEM SET auto_explain.log_analyze = on; "
        "ALTER SYSTEM SET auto_explain.log_timing = off; "
        f"ALTER SYSTEM SET auto_explain.log_buffers = on; {RELOAD}"
    )


def _threshold(milliseconds: int) -> Check:
    remedy = f"ALTER SYSTEM SET auto_explain.log_min_duration = '1s'; {RELOAD}"
    if milliseconds < 0:
        return warning("auto-explain", "auto_explain.log_min_duration = -1: no plan", remedy)
    if milliseconds < _SHORTEST_MS:
        message = f"auto_explain logs plans from {milliseconds} ms on, which costs throughput"
        return warning("auto-explain", message, remedy)
    return ok("auto-explain", f"plans of statements over {milliseconds} ms are logged")


# setting, the value we want, what the other value costs
_SWITCHES = (
    ("log_format", "json", "plans in another format than JSON are read in part or not at all"),
    ("log_analyze", "on", "plans come without actual rows and times"),
    ("log_buffers", "on", "plans do not show what they read"),
    ("log_timing", "off", "each node of each statement is timed, which is slow on some machines"),
)


def _switches(facts: Facts) -> Iterator[Check]:
    for switch, wanted, cost in _SWITCHES:
        name, value = f"auto_explain.{switch}", facts.setting(f"auto_explain.{switch}")
        check = f"auto-explain-{switch.replace('_', '-')}"
        if value != wanted:
            remedy = f"ALTER SYSTEM SET {name} = '{wanted}'; {RELOAD}"
            yield warning(check, f"{name} = {value}: {cost}", remedy)
        else:
            yield ok(check, f"{name} = {value}")
    nested = facts.setting("auto_explain.log_nested_statements")
    inside = "also" if nested == "on" else "not"
    yield ok("auto-explain-log-nested-statements", f"plans inside functions are {inside} logged")
    rate = float(facts.setting("auto_explain.sample_rate") or 1)
    yield ok("auto-explain-sample-rate", f"one statement in {1 / rate:.0f} is sampled")


def _log(facts: Facts) -> Iterator[Check]:
    destinations = {
        part.strip() for part in (facts.setting("log_destination") or "").split(",") if part.strip()
    }
    yield _format(facts, destinations)
    if destinations == {"stderr"}:
        yield _prefix(facts)
    yield _collector(facts)
    yield _readable(facts)


def _format(facts: Facts, destinations: set[str]) -> Check:
    best = "jsonlog" if facts.server.major >= 15 else "csvlog"
    words = ",".join(sorted(destinations))
    if destinations & {"jsonlog", "csvlog"}:
        return ok("log-destination", f"log_destination = {words}")
    return warning(
        "log-destination",
        f"log_destination = {words}: lines of several sessions mix and must be guessed apart",
        f"ALTER SYSTEM SET log_destination = '{best}'; {RELOAD}",
    )


def _prefix(facts: Facts) -> Check:
    prefix = facts.setting("log_line_prefix") or ""
    wanted = _PREFIX if facts.server.major >= 14 else _PREFIX.replace(" id=%Q", "")
    needed = [escape for escape in ("%p", "%d", "%Q") if escape in wanted]
    if not ("%m" in prefix or "%t" in prefix or "%n" in prefix):
        needed.append("%m")
    missing = [escape for escape in needed if escape not in prefix]
    if missing:
        return warning(
            "log-line-prefix",
            f"log_line_prefix lacks {' '.join(missing)}: plans cannot be joined to statements",
            f"ALTER SYSTEM SET log_line_prefix = '{wanted}'; {RELOAD}",
        )
    return ok("log-line-prefix", f"log_line_prefix = {prefix}")


def _collector(facts: Facts) -> Check:
    if facts.setting("logging_collector") == "off":
        return warning(
            "logging-collector",
            "logging_collector = off: the log goes where the server was started, not to files "
            "that we find by ourselves",
            "ALTER SYSTEM SET logging_collector = on; -- then restart the server",
        )
    return ok("logging-collector", "the server writes its log files itself")


def _readable(facts: Facts) -> Check:
    if isinstance(facts.log, LogUnreadable):
        return warning("log-readable", f"no plans from logs: {facts.log.message}", facts.log.hint)
    way = "" if facts.log.over_sql is None else " through the server"
    return ok("log-readable", f"the log is read from {facts.log.path}{way} ({facts.log.format})")
