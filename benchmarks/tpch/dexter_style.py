"""A baseline that advises as Dexter 0.6.3 does (github.com/ankane/dexter, MIT).

Written anew after its documented method, not a copy. For each query on its own: candidate
columns are all columns of its tables whose name occurs in it; first hypothetical btree indexes
on single columns, then on ordered pairs are offered to the planner through HypoPG.

- a query below a cost of 100 is left alone;
- single columns are taken where they save at least 50 % of the cost, pairs where they save at
  least 50 % of what single columns leave and that is still above 100;
- where a pair's plan uses several new indexes, the single-column plan is looked at instead;
- where still several are used, only the best of them on its own is taken, and only if it alone
  saves as much;
- indexes that a chosen or an existing one begins with are left out.

Differences: Dexter offers the candidates of several queries at once (batches of 500), here each
query sees its own only; and it resolves names with a parser, here by the words of the text,
which is the same for TPC-H, whose column names are unique.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

__all__ = ["DexterIndex", "advise_indexes"]

MIN_COST = 100.0
MIN_SAVING_RATIO = 0.5


_HERE = Path(__file__).parent
Conn = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, order=True)
class DexterIndex:
    """A btree index on one or two columns."""

    relation: str
    columns: tuple[str, ...]

    @property
    def definition(self) -> sql.Composed:
        """What HypoPG and CREATE INDEX take."""
        return sql.SQL("create index on {} ({})").format(
            sql.Identifier(self.relation), sql.SQL(", ").join(map(sql.Identifier, self.columns))
        )


@dataclass(frozen=True, slots=True)
class _Pass:
    """A plan under some hypothetical indexes: its cost and which of them it uses."""

    cost: float
    used: tuple[DexterIndex, ...]


def advise_indexes(dsn: str, queries: Mapping[str, LiteralString]) -> list[DexterIndex]:
    """The indexes that Dexter's rules choose for the queries."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        chosen = {index for text in queries.values() for index in _for_query(conn, text)}
        covered = {DexterIndex(i.relation, i.columns[:1]) for i in chosen if len(i.columns) > 1}
        return sorted(chosen - covered)


def _for_query(conn: Conn, text: LiteralString) -> tuple[DexterIndex, ...]:
    columns = _columns_of(conn, text)
    singles = [DexterIndex(table, (name,)) for table, names in columns.items() for name in names]
    pairs = [
        DexterIndex(table, pair)
        for table, names in columns.items()
        for pair in permutations(names, 2)
    ]
    initial = _explain(conn, text, []).cost
    if initial < MIN_COST:
        return ()
    known = _existing(conn)
    one, two = _explain(conn, text, singles), _explain(conn, text, [*singles, *pairs])
    pairs_pay = one.cost > MIN_COST and two.cost < one.cost * (1 - MIN_SAVING_RATIO)
    used = tuple(i for i in (two if pairs_pay else one).used if i not in known)
    if pairs_pay and len(used) > 1:
        pairs_pay, used = False, tuple(i for i in one.used if i not in known)
    before = one.cost if pairs_pay else initial
    if not pairs_pay and one.cost >= initial * (1 - MIN_SAVING_RATIO):
        return ()
    return _best_alone(conn, text, used, before) if len(used) > 1 else used


def _best_alone(
    conn: Conn, text: LiteralString, used: Iterable[DexterIndex], before: float
) -> tuple[DexterIndex, ...]:
    cost, best = min((_explain(conn, text, [index]).cost, index) for index in used)
    return (best,) if cost < before * (1 - MIN_SAVING_RATIO) else ()


def _columns_of(conn: Conn, text: str) -> dict[str, list[str]]:
    """The columns named in the text, by table named in the text."""
    words = set(re.findall(r"\w+", text.lower()))
    found: dict[str, list[str]] = {}
    for relation, column in conn.execute((_HERE / "candidate_columns.sql").read_text()):
        if relation in words and column in words:
            found.setdefault(relation, []).append(column)
    return found


def _existing(conn: Conn) -> set[DexterIndex]:
    return {
        DexterIndex(relation, tuple(columns[:length]))
        for relation, columns in conn.execute((_HERE / "btree_indexes.sql").read_text())
        for length in (1, 2)
    }


def _explain(conn: Conn, text: LiteralString, indexes: Iterable[DexterIndex]) -> _Pass:
    """The plan with exactly these hypothetical indexes."""
    conn.execute("select hypopg_reset()")
    names: dict[str, DexterIndex] = {}
    for index in indexes:
        definition = index.definition.as_string(conn)
        row = conn.execute("select indexname from hypopg_create_index(%s)", [definition]).fetchone()
        assert row
        names[row[0]] = index
    plan = conn.execute("explain (format json) " + text).fetchone()
    conn.execute("select hypopg_reset()")
    assert plan
    root = plan[0][0]["Plan"]
    used = sorted({name for name in _index_names(root) if name in names})
    return _Pass(root["Total Cost"], tuple(names[name] for name in used))


def _index_names(node: Mapping[str, Any]) -> Iterator[str]:
    if "Index Name" in node:
        yield node["Index Name"]
    for child in node.get("Plans", ()):
        yield from _index_names(child)
