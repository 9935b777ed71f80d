"""What keeping up one more index costs."""

from pgadvisor.analyze.rule import Situation
from pgadvisor.records.what_if import IndexCandidate

__all__ = ["INDEX_WRITE_MS", "writes_per_hour"]

#: Time to add one entry to a btree in memory: the median that benchmarks/index_write_cost.py
#: measured, 0.0009 (ascending integers, many rows at once) to 0.0042 (random text, row by row).
INDEX_WRITE_MS = 0.003


def writes_per_hour(given: Situation, candidate: IndexCandidate) -> float:
    """Entries an hour that the index would get: inserted rows, and updates that are not HOT.

    A HOT update writes no index at all. It stays one as long as no statement of the workload
    sets a column of the new index; otherwise all updates count.
    """
    inserted, updated, _ = given.workload.write_rates.get(candidate.table_oid, (0.0, 0.0, 0.0))
    table = given.catalog.tables[candidate.table_oid]
    columns = {*candidate.columns, *candidate.include}
    if any(columns & set(assigned) for assigned in _assigned(given, candidate.table_oid)):
        return inserted + updated
    hot = table.n_tup_hot_upd / table.n_tup_upd if table.n_tup_upd else 0.0
    return inserted + updated * (1 - min(hot, 1.0))


def _assigned(given: Situation, table_oid: int) -> list[tuple[str, ...]]:
    return [
        use.assigned
        for subject in given.subjects_of(table_oid)
        for use, table in subject.uses
        if table.oid == table_oid and use.command in ("update", "merge")
    ]
