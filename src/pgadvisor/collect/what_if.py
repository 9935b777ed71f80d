"""What a query would cost if some indexes existed: HypoPG's hypothetical indexes.

They live in our session only and nothing is built. Costs are cached by the query and those
indexes that its plan could use (Kossmann et al., "Magic mirror in my hand, which is the best in
the land?", PVLDB 13, 2020, section 5: most requests of index selection repeat).
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import sql

from pgadvisor.collect.explain import explain
from pgadvisor.collect.extensions import fetch_extension, install_remedy
from pgadvisor.collect.target import Target
from pgadvisor.errors import ExtensionMissing, NotExplainable
from pgadvisor.records.server import Extension
from pgadvisor.records.what_if import IndexCandidate, WhatIfPlan
from pgadvisor.sql import mask_message

__all__ = ["WhatIf", "has_hypopg"]

#: HypoPG lends each index an oid that the server does not use (about 2,500 are left below
#: FirstNormalObjectId) and walks all of them for each table planned: start over above this.
MAX_HYPOTHETICAL = 500
#: plans kept; one takes a few kilobytes
MAX_CACHED = 4096

Cached = tuple[str, frozenset[IndexCandidate]]


class Hypothetical(NamedTuple):
    """A hypothetical index of our session."""

    oid: int
    name: str


def has_hypopg(target: Target) -> bool:
    """True where what-if costs can be had: HypoPG is installed in the connected database."""
    return fetch_extension(target, "hypopg") is not None


class WhatIf:
    """Implements `pgadvisor.records.what_if.WhatIf` on a target with HypoPG.

    Indexes stay between calls; a call creates and drops the difference only. A context manager
    that leaves no hypothetical index behind. Raises `ExtensionMissing` without HypoPG, and
    behind a proxy, where the next call may reach another backend.
    """

    def __init__(self, target: Target, *, search_path: Sequence[str] = ()) -> None:
        self._target = target
        self._search_path = tuple(search_path)
        self._extension = _require_hypopg(target)
        self._created: dict[IndexCandidate, Hypothetical] = {}
        self._sizes: dict[IndexCandidate, int] = {}
        self._relations: dict[str, frozenset[str]] = {}
        self._cache: OrderedDict[Cached, WhatIfPlan] = OrderedDict()
        #: calls of `cost`, and those answered without the target
        self.calls = 0
        self.hits = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._target.closed:
            self.reset()

    def cost(self, query: str, indexes: Sequence[IndexCandidate] = ()) -> WhatIfPlan:
        """The plan of a query with exactly these indexes besides the existing ones.

        A text with ``$n`` gets its generic plan. Raises `NotExplainable` or `UnsafeStatement`
        where the query has no plan.
        """
        self.calls += 1
        relevant = frozenset(self._relevant(query, indexes))
        self.hits += (query, relevant) in self._cache
        return self._plan(query, relevant)

    def size_bytes(self, candidate: IndexCandidate) -> int:
        """HypoPG's estimate of the index's size on disk, from the table's statistics."""
        if candidate not in self._sizes:
            self._create([candidate])
            oid = self._created[candidate].oid
            found = self._target.row("hypothetical_size", {"oid": oid}, extension=self._extension)
            self._sizes[candidate] = int(found[0])
        return self._sizes[candidate]

    def reset(self) -> None:
        """Drop every hypothetical index of the session."""
        self._created.clear()
        self._target.rows("hypothetical_reset", extension=self._extension)

    def _relevant(self, query: str, indexes: Sequence[IndexCandidate]) -> Iterator[IndexCandidate]:
        """The indexes on tables that the query's plan touches, by name: never one too few."""
        relations = self._relations_of(query) if indexes else frozenset()
        return (index for index in indexes if index.table in relations)

    def _relations_of(self, query: str) -> frozenset[str]:
        """Names of the tables in the plan without hypothetical indexes, and of their parents."""
        if query not in self._relations:
            plan = self._plan(query, frozenset()).plan
            names = {str(n["Relation Name"]) for n in _nodes(plan) if "Relation Name" in n}
            above = (self._parents.get(name, frozenset()) for name in names)
            self._relations[query] = frozenset(names).union(*above)
        return self._relations[query]

    @cached_property
    def _parents(self) -> Mapping[str, frozenset[str]]:
        """Partitioned tables above each partition."""
        parents: dict[str, set[str]] = defaultdict(set)
        for child, parent in self._target.rows("partitions"):
            parents[child].add(parent)
        return {child: frozenset(above) for child, above in parents.items()}

    def _plan(self, query: str, relevant: frozenset[IndexCandidate]) -> WhatIfPlan:
        found = self._cache.get((query, relevant))
        if found is not None:
            self._cache.move_to_end((query, relevant))
            return found
        self._arrange(query, relevant)
        return self._remember(query, relevant)

    def _remember(self, query: str, relevant: frozenset[IndexCandidate]) -> WhatIfPlan:
        plan = explain(self._target, query, search_path=self._search_path)["Plan"]
        names = {str(node["Index Name"]) for node in _nodes(plan) if "Index Name" in node}
        used = frozenset(index for index in relevant if self._created[index].name in names)
        result = WhatIfPlan(total_cost=float(plan["Total Cost"]), plan=plan, used=used)
        self._cache[query, relevant] = result
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return result

    def _arrange(self, query: str, relevant: Set[IndexCandidate]) -> None:
        """Make exactly the relevant indexes exist on the tables of the query."""
        if relevant:
            relations = self._relations_of(query)
            disturbing = (i for i in self._created if i.table in relations and i not in relevant)
            self._drop(list(disturbing))
            self._create([index for index in relevant if index not in self._created])
        else:
            self._drop(list(self._created))

    def _create(self, candidates: Sequence[IndexCandidate]) -> None:
        missing = [candidate for candidate in candidates if candidate not in self._created]
        if not missing:
            return
        if len(self._created) + len(missing) > MAX_HYPOTHETICAL:
            self._drop([c for c in self._created if c not in candidates])
        statements = [_definition(candidate).as_string() for candidate in missing]
        try:
            rows = self._target.rows(
                "hypothetical", {"statements": statements}, extension=self._extension
            )
        except (psycopg.ProgrammingError, psycopg.InternalError) as exc:
            # no such table or column, no btree for the type, no oid left
            message = mask_message(exc.diag.message_primary or str(exc))
            raise NotExplainable(
                f"hypopg cannot make the index: {message}",
                hint="Read the catalog again: the table or its columns may have changed.",
            ) from exc
        self._created |= {
            candidate: Hypothetical(*row) for candidate, row in zip(missing, rows, strict=True)
        }

    def _drop(self, candidates: Sequence[IndexCandidate]) -> None:
        if candidates:
            oids = [self._created.pop(candidate).oid for candidate in candidates]
            self._target.rows("hypothetical_drop", {"oids": oids}, extension=self._extension)


def _definition(candidate: IndexCandidate) -> sql.Composed:
    flags = candidate.descending or (False,) * len(candidate.columns)
    keys = sql.SQL(", ").join(
        sql.SQL("{} DESC" if descending else "{}").format(sql.Identifier(column))
        for column, descending in zip(candidate.columns, flags, strict=True)
    )
    statement = sql.SQL("CREATE INDEX ON {} ({})").format(
        sql.Identifier(candidate.schema, candidate.table), keys
    )
    if candidate.include:
        included = sql.SQL(", ").join(map(sql.Identifier, candidate.include))
        statement += sql.SQL(" INCLUDE ({})").format(included)
    return statement


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    stack = [plan]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.get("Plans", ()))


def _require_hypopg(target: Target) -> Extension:
    if target.behind_proxy:
        raise ExtensionMissing(
            "hypothetical indexes need a connection of our own, and a proxy stands in between",
            hint="Name the server's own host and port in the DSN, not pgbouncer's.",
        )
    extension = fetch_extension(target, "hypopg")
    if extension is None:
        available, _ = target.row("library", {"name": "hypopg"})
        command = install_remedy("hypopg", major=target.major, available=available)
        raise ExtensionMissing(
            f"hypopg is not installed in database {target.database}",
            hint=f"As a superuser run there: {command} It only lends the planner hypothetical "
            "indexes within our session.",
        )
    return extension
