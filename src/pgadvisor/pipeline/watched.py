"""Which databases of a target are watched: what is not watched is not stored."""

from collections.abc import Iterable
from dataclasses import replace

from pgadvisor.collect.names import fetch_databases
from pgadvisor.collect.target import Target
from pgadvisor.records.database_filter import DatabaseFilter
from pgadvisor.records.statement import StatementSnapshot

__all__ = ["Watched"]


class Watched:
    """The databases of one target that its filter lets through, by name and by dbid."""

    def __init__(self, chosen: DatabaseFilter) -> None:
        self.chosen = chosen
        #: None: a database that is not there any more, or a template
        self._names: dict[int, str | None] = {}

    def watches(self, datname: str | None) -> bool:
        """True where the database of that name is watched; nameless ones where all are."""
        return self.chosen.include is None if datname is None else self.chosen.watches(datname)

    def forget(self) -> None:
        """Ask the server for names again: a database may have been renamed."""
        self._names.clear()

    def only(self, target: Target, snapshot: StatementSnapshot) -> StatementSnapshot:
        """The snapshot less the entries of databases that are not watched, which it names."""
        unwatched = self._unwatched(target, {key.dbid for key in snapshot.statements})
        if not unwatched:
            return snapshot
        kept = {
            key: entry for key, entry in snapshot.statements.items() if key.dbid not in unwatched
        }
        return replace(snapshot, statements=kept, unwatched=unwatched)

    def _unwatched(self, target: Target, dbids: Iterable[int]) -> frozenset[int]:
        dbids = set(dbids)
        if not dbids <= self._names.keys():
            self._names = dict.fromkeys(dbids) | dict(fetch_databases(target))
        return frozenset(dbid for dbid in dbids if not self.watches(self._names[dbid]))
