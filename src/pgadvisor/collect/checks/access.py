"""Checks of the way to the server and of our role's rights."""

from collections.abc import Iterator

from pgadvisor.collect.checks.facts import Facts, error, ok, warning
from pgadvisor.collect.failures import quoted
from pgadvisor.records.check import Check

__all__ = ["access_checks"]

OLDEST_MAJOR = 13
NEWEST_MAJOR = 18


def access_checks(facts: Facts) -> Iterator[Check]:
    """Version, proxy, replica, rights on statistics and tables."""
    yield _version(facts)
    yield _proxy(facts)
    yield _replica(facts)
    yield _statistics_right(facts)
    yield _table_right(facts)


def _version(facts: Facts) -> Check:
    number, major = facts.server.server_version_num, facts.server.major
    words = f"PostgreSQL {major}.{number % 10000}"
    if major < OLDEST_MAJOR:
        remedy = f"pg_upgrade to PostgreSQL {OLDEST_MAJOR} or newer"
        return error("version", f"{words} is older than pgadvisor supports", remedy)
    if major > NEWEST_MAJOR:
        remedy = "pip install --upgrade pgadvisor"
        return warning("version", f"{words} is newer than this pgadvisor knows", remedy)
    return ok("version", words)


def _proxy(facts: Facts) -> Check:
    if facts.server.behind_proxy:
        return warning(
            "proxy",
            "a proxy such as pgbouncer stands in between: no hypothetical indexes, and every "
            "read is a transaction of its own",
            "pgadvisor doctor 'host=<the server itself> port=5432 dbname="
            f"{facts.server.current_database}'",
        )
    return ok("proxy", "connected to the server itself")


def _replica(facts: Facts) -> Check:
    if facts.server.in_recovery:
        return warning(
            "replica",
            "this is a standby: it counts its own statements, but indexes and settings of the "
            "primary hold here, so advice has to be carried out there",
            "pgadvisor doctor 'host=<the primary> ...'",
        )
    return ok("replica", "this is a primary")


def _statistics_right(facts: Facts) -> Check:
    role = quoted(facts.server.current_user)
    if not facts.server.reads_all_stats:
        return error(
            "statistics-right",
            f"role {facts.server.current_user} sees only its own statements",
            f"GRANT pg_monitor TO {role};",
        )
    how = "as a superuser; pg_monitor is enough" if facts.server.is_superuser else "pg_monitor"
    return ok("statistics-right", f"statements of all roles are visible ({how})")


def _table_right(facts: Facts) -> Check:
    rights, role = facts.rights, quoted(facts.server.current_user)
    if not rights.unreadable_tables:
        return ok("table-right", f"all {rights.tables} tables can be explained")
    grant = f"GRANT pg_read_all_data TO {role};"
    if facts.server.major < 14:
        grant = " ".join(
            f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {role}; "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {role};"
            for schema in rights.unreadable_schemas
        )
    return warning(
        "table-right",
        f"{rights.unreadable_tables} of {rights.tables} tables may not be read: no EXPLAIN, no "
        "column statistics (their rows are never read either way)",
        grant,
    )
