"""The table of pgwatch's sink, filled by its own query: never more than what ran."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.collect.imports.reading import Read

from pgadvisor.collect.imports import pgwatch_sources, repository
from pgadvisor.errors import ImportUnreadable, NotFound
from pgadvisor.records.statement import GapReason

FIXTURES = Path(__file__).parents[2] / "fixtures" / "imports"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
DAY = datetime(2026, 2, 1, tzinfo=UTC)
QUERIES = tuple(f"select {', '.join(['id'] * n)} from t where id = %s" for n in range(1, 6))
Conn = psycopg.Connection[Any]


def text(name: str) -> LiteralString:
    # a file of the tests, as fixed as a literal
    found: LiteralString = (FIXTURES / name).read_text()
    return found


def imported(dsn: str, server: str | None = None, database: str | None = None) -> Read:
    with repository(dsn) as opened:
        (source,) = pgwatch_sources(
            opened, server=server, database=database, progress=lambda share: None
        )
        return Read(source.pieces(now=LATER), source.notes)


@pytest.fixture
def sink(target_conn: Conn) -> Conn:
    target_conn.execute(text("pgwatch.sql"))
    return target_conn


def test_a_real_workload_of_which_the_busiest_are_shown(sink: Conn, target_dsn: str) -> None:
    sink.execute("create table t as select generate_series(1, 100) as id")
    shown = {"source": "prod", "calls": 0, "total_exec_time": 0.0, "most": 1000}

    def work(*amounts: int) -> None:
        for query, amount in zip(QUERIES, amounts, strict=True):
            for number in range(amount):
                sink.execute(query, [number + 1])

    work(20, 10, 5, 1, 0)
    sink.execute(text("pgwatch_stat_statements.sql"), shown)
    truth: Counter[int] = Counter()
    for amounts in ((1, 0, 9, 2, 0), (0, 30, 9, 0, 4), (5, 1, 1, 1, 3)):
        work(*amounts)
        truth.update(dict(enumerate(amounts, 1)))
        sink.execute(text("pgwatch_stat_statements.sql"), shown)
    found = imported(target_dsn)
    counted = {
        len(str(query).split(",")): int(calls)
        for (database, query), calls in found.totals().items()
        if database == sink.info.dbname and str(query).startswith("select id")
    }
    # the fifth was shown late: what it had by then may be of any time
    assert counted == {1: 6, 2: 31, 3: 19, 4: 3, 5: 3}
    assert {n: calls for n, calls in truth.items() if n < 5} == {1: 6, 2: 31, 3: 19, 4: 3}
    assert GapReason.FIRST_SIGHT in {gap.reason for piece in found.pieces for gap in piece.gaps}
    milliseconds = sum(row.counters.total_exec_time for row in found.rows)
    assert 0 < milliseconds < 60_000


def insert(sink: Conn, minute: int, source: str, data: dict[str, Any], tags: Any) -> None:
    sink.execute(
        "insert into stat_statements values (%s, %s, %s, %s)",
        [DAY + timedelta(minutes=minute), source, Jsonb(data), Jsonb(tags)],
    )


def test_several_sources_hidden_totals_and_old_names(sink: Conn, target_dsn: str) -> None:
    tags = {"queryid": "-5", "query": "select 5"}
    for minute, calls in ((0, 100), (3, 140), (6, 141)):
        old = {"calls": calls, "total_time": calls * 2.5, "blk_read_time": calls * 0.25}
        insert(sink, minute, "prod", {**old, "users": "app"}, tags)
        insert(sink, minute, "test", {**old, "calls": calls * 2, "real_dbname": "shop"}, tags)
        insert(
            sink, minute, "prod", old, {"queryid": "insufficient-privileges-total", "query": "-"}
        )
        insert(sink, minute, "prod", {"calls": 1}, {"queryid": "9", "query": "-"})
    insert(sink, 6, "prod", {"calls": 141, "total_time": 352.5, "blk_read_time": 35.25}, tags)
    found = imported(target_dsn)
    assert found.totals() == {("prod", "select 5"): 41, ("test", "select 5"): 82}
    assert found.totals("shared_blk_read_time")["prod", "select 5"] == 41 * 0.25
    assert found.refused == {
        "hidden: the total of texts that the source's role could not see": 3,
        "duplicate of another row": 1,
    }
    # one source alone is called by the name of its database
    assert imported(target_dsn, "test").totals() == {("shop", "select 5"): 82}
    assert imported(target_dsn, "prod").totals() == {("prod", "select 5"): 41}
    assert imported(target_dsn, "prod", "crm").totals() == {("crm", "select 5"): 41}
    with pytest.raises(NotFound, match="no statements of 'dev'") as caught:
        imported(target_dsn, "dev")
    assert "prod, test" in caught.value.hint


def test_a_database_without_a_sink_says_so(new_database: Callable[[], str]) -> None:
    with pytest.raises(ImportUnreadable, match="no table stat_statements"):
        imported(new_database())


def test_a_sink_without_statements_yet(sink: Conn, target_dsn: str) -> None:
    with pytest.raises(NotFound, match="pgwatch has no statements"):
        imported(target_dsn)
