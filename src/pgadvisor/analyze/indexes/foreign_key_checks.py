"""Which statements make PostgreSQL check a foreign key, and how much of their time that takes.

A row that is deleted from the parent (or whose key changes) makes PostgreSQL look for rows of the
child that refer to it (ri_triggers.c); with ON DELETE CASCADE this goes on from table to table.
"""

from psycopg import sql

from pgadvisor.analyze.rule import Situation, Subject
from pgadvisor.errors import NotExplainable, UnsafeStatement
from pgadvisor.records.catalog import ForeignKey, Table
from pgadvisor.records.statement import QueryId
from pgadvisor.records.what_if import WhatIf

__all__ = ["check_query", "share_of_check", "statements_checking"]


def statements_checking(given: Situation, key: ForeignKey) -> list[Subject]:
    """Statements that delete rows of the parent, or of what cascades to it, or change its key."""
    found: set[QueryId] = set()
    for oid in _deleted_with(given, key.referenced_oid):
        found.update(
            subject.query.queryid
            for subject in given.subjects_of(oid)
            for use, table in subject.uses
            if table.oid == oid and _fires(use.command, use.assigned, key, oid)
        )
    return [subject for subject in given.subjects if subject.query.queryid in found]


def _fires(command: str, assigned: tuple[str, ...], key: ForeignKey, oid: int) -> bool:
    if command == "delete":
        return True
    is_parent = oid == key.referenced_oid
    changes_key = bool(set(assigned) & set(key.referenced_columns))
    return command in ("update", "merge") and is_parent and changes_key


def _deleted_with(given: Situation, oid: int) -> frozenset[int]:
    """The table, and those whose deletion deletes its rows too."""
    found = {oid}
    waiting = [oid]
    while waiting:
        child = waiting.pop()
        above = {
            key.referenced_oid
            for key in given.catalog.foreign_keys
            if key.table_oid == child and key.on_delete == "c"
        } - found
        found |= above
        waiting.extend(above)
    return frozenset(found)


def check_query(child: Table, key: ForeignKey) -> str:
    """What PostgreSQL asks for each row, without its row lock."""
    conditions = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.SQL(f"${number}"))
        for number, column in enumerate(key.columns, 1)
    )
    return (
        sql.SQL("SELECT 1 FROM {}{} WHERE {}")
        .format(
            sql.SQL("" if child.relkind == "p" else "ONLY "),
            sql.Identifier(child.schema, child.name),
            conditions,
        )
        .as_string(None)
    )


def share_of_check(
    given: Situation, what_if: WhatIf, subject: Subject, key: ForeignKey, check_cost: float
) -> tuple[float, bool]:
    """The share of a statement's time that the check takes, and whether it was measured.

    From the trigger times of a logged plan; those need auto_explain.log_triggers. Else from
    costs, with as many checks a call as it changes rows.
    """
    names = _constraints(given, subject, key)
    for plan in subject.plans:
        spent = {
            str(trigger.get("Constraint Name")): float(trigger["Time"])
            for trigger in plan.triggers
            if "Time" in trigger
        }
        if spent:
            whole = sum(spent.values()) + (plan.root.actual_total_time or 0.0)
            return sum(spent.get(name, 0.0) for name in names) / max(whole, 1e-9), True
    query = subject.query
    checks = check_cost * query.rows / max(query.calls, 1)
    return checks / (checks + _statement_cost(what_if, subject)), False


def _constraints(given: Situation, subject: Subject, key: ForeignKey) -> set[str]:
    """The constraints whose triggers a plan of the statement shows: of its own tables only.

    What a cascade does further down is a part of the time of its first trigger.
    """
    own = {table.oid for use, table in subject.uses if use.command != "select"}
    if key.referenced_oid in own:
        return {key.name}
    cascades = _deleted_with(given, key.referenced_oid)
    return {
        other.name
        for other in given.catalog.foreign_keys
        if other.on_delete == "c" and other.referenced_oid in own and other.table_oid in cascades
    }


def _statement_cost(what_if: WhatIf, subject: Subject) -> float:
    try:
        return max(what_if.cost(subject.samples[0].text, ()).total_cost, 0.01)
    except (NotExplainable, UnsafeStatement):
        return subject.plans[0].root.total_cost if subject.plans else 1.0
