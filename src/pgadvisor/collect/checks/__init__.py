"""What a target lacks for us to work well, each with the command that mends it (`doctor`)."""

from collections.abc import Callable, Iterator

from pgadvisor.collect.checks.access import access_checks
from pgadvisor.collect.checks.capture import capture_checks
from pgadvisor.collect.checks.facts import Facts, fetch_facts
from pgadvisor.collect.checks.planner import planner_checks
from pgadvisor.collect.checks.statements import statement_checks
from pgadvisor.collect.target import Target
from pgadvisor.records.check import Check

__all__ = ["check"]

CHECKS: tuple[Callable[[Facts], Iterator[Check]], ...] = (
    access_checks,
    statement_checks,
    capture_checks,
    planner_checks,
)


def check(target: Target) -> tuple[Check, ...]:
    """Rights, extensions, settings and logs of a target; changes nothing.

    Raises only what makes every check impossible: a lost connection.
    """
    facts = fetch_facts(target)
    return tuple(found for checks in CHECKS for found in checks(facts))
