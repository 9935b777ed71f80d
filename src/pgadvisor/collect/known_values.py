"""Values that a target itself knows as common: read for one analysis, in memory only.

A stored text keeps the hashes of its values, not the values. Where the planner's estimate depends
on one (a status that most rows have, a partial index), it is among the column's most common ones
or stands in the catalog: hashed with the store's salt, it is found again there.
"""

from collections.abc import Collection

from pgadvisor.collect.target import Target
from pgadvisor.sql import string_constants

__all__ = ["fetch_known_values"]

#: of each column; PostgreSQL keeps 100 with default_statistics_target
_MOST = 100


def fetch_known_values(target: Target, tables: Collection[int]) -> frozenset[str]:
    """Most common values of the columns of these tables (oids), and constants of their catalog.

    As text. Values of tables that our role may not read are not among them (pg_stats hides them).
    """
    parameters = {"tables": list(tables), "most": _MOST}
    found = {str(value) for (value,) in target.rows("common_values", parameters)}
    for (expression,) in target.rows("written_constants", {"tables": list(tables)}):
        if expression is not None:
            found |= string_constants(expression)
    return frozenset(found)
