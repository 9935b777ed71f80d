"""Checks of what the planner has for its estimates, and for ours."""

from collections.abc import Iterator

from pgadvisor.collect.checks.facts import Facts, ok, warning
from pgadvisor.collect.failures import quoted
from pgadvisor.records.check import Check

__all__ = ["planner_checks"]

_SHOWN = 5


def planner_checks(facts: Facts) -> Iterator[Check]:
    """HypoPG and the age of the statistics."""
    yield _hypopg(facts)
    yield _statistics(facts)


def _hypopg(facts: Facts) -> Check:
    found = facts.server.extensions.get("hypopg")
    if found is None:
        return warning(
            "hypopg",
            "hypopg is not installed: indexes cannot be costed on this server before they exist",
            facts.hypopg_remedy,
        )
    return ok("hypopg", f"version {found.version} in schema {found.schema}")


def _statistics(facts: Facts) -> Check:
    if not facts.stale:
        return ok("statistics", "all tables with over 1,000 rows have fresh statistics")
    commands = (f"ANALYZE {quoted(schema, name)};" for schema, name in facts.stale[:_SHOWN])
    more = "" if len(facts.stale) <= _SHOWN else " -- or all of them: ANALYZE;"
    return warning(
        "statistics",
        f"{len(facts.stale)} tables have old or no statistics: the planner guesses, and so do we",
        " ".join(commands) + more,
    )
