"""PoWA's tables, filled by a real workload: what comes out is what ran."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.collect.imports.reading import Read

from pgadvisor.collect.imports import powa_sources, repository
from pgadvisor.errors import ImportUnreadable, NotFound
from pgadvisor.records.statement import GapReason

FIXTURES = Path(__file__).parents[2] / "fixtures" / "imports"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
Conn = psycopg.Connection[Any]
QUERIES = tuple(f"select {', '.join(['id'] * n)} from t where id = %s" for n in range(1, 6))


def imported(dsn: str, server: str | None = None) -> Read:
    with repository(dsn) as opened:
        (source,) = powa_sources(opened, server=server, progress=lambda share: None)
        return Read(source.pieces(now=LATER), source.notes)


def work(conn: Conn, amounts: tuple[int, ...]) -> None:
    for query, amount in zip(QUERIES, amounts, strict=False):
        for number in range(amount):
            conn.execute(query, [number + 1])


@pytest.fixture
def powa(target_conn: Conn) -> Conn:
    target_conn.execute((FIXTURES / "powa_5.sql").read_text())
    target_conn.execute("create table t as select generate_series(1, 100) as id")
    return target_conn


def test_what_ran_between_the_snapshots_of_a_real_workload(powa: Conn, target_dsn: str) -> None:
    work(powa, (5, 5, 5))
    powa.execute("call powa_statements_snapshot(0)")
    for amounts in ((3, 0, 4, 2), (0, 0, 1, 7), (6, 1, 0, 0, 9)):
        work(powa, amounts)
        powa.execute("call powa_statements_snapshot(0)")
        if amounts[0] == 0:
            powa.execute("call powa_statements_aggregate(0)")
    found = imported(target_dsn)
    database = powa.info.dbname
    truth = {1: 9, 2: 1, 3: 5, 4: 9, 5: 9}
    counted = {
        len(str(query).split(",")): calls
        for (datname, query), calls in found.totals().items()
        if datname == database and str(query).startswith("select id")
    }
    assert counted == truth
    rows = sum(
        row.counters.rows
        for row in found.rows
        if row.statement.query and row.statement.query.startswith("select id")
    )
    assert rows == sum(truth.values())
    assert {row.statement.dbid for row in found.rows if row.statement.database == database} == {
        powa.execute("select oid from pg_database where datname = %s", [database]).fetchone()[0]  # type: ignore[index]
    }


def test_a_reset_in_between_is_a_gap_and_counts_from_there(powa: Conn, target_dsn: str) -> None:
    work(powa, (5, 50))
    powa.execute("call powa_statements_snapshot(0)")
    powa.execute("select pg_stat_statements_reset()")
    work(powa, (2, 3))
    powa.execute("call powa_statements_snapshot(0)")
    found = imported(target_dsn)
    counted = sorted(
        calls for (_, query), calls in found.totals().items() if str(query).startswith("select id")
    )
    assert counted == [2, 3]
    assert GapReason.RESET in {gap.reason for piece in found.pieces for gap in piece.gaps}


def test_version_4_without_toplevel_and_several_servers(target_conn: Conn, target_dsn: str) -> None:
    target_conn.execute((FIXTURES / "powa_4.sql").read_text())
    for srvid in (0, 1):
        target_conn.execute("insert into powa_databases values (%s, 16384, 'shop')", [srvid])
        target_conn.execute(
            "insert into powa_statements values (%s, -5, 16384, 10, 'select 5')", [srvid]
        )
        for table, hours in (("history", (0, 1, 2)), ("history_current", (3,))):
            for hour in hours:
                _insert_4(target_conn, table, srvid, hour)
    with repository(target_dsn) as opened:
        sources = powa_sources(opened, server=None, progress=lambda share: None)
        assert [source.target for source in sources] == [opened.server, "db1.example.org:5432"]
    for name in ("prod", "db1.example.org", "db1.example.org:5432", "1"):
        found = imported(target_dsn, name)
        assert found.totals() == {("shop", "select 5"): 3 * 11}
        assert found.totals("total_exec_time") == {("shop", "select 5"): 3 * 1.25}
        assert found.totals("shared_blk_read_time") == {("shop", "select 5"): 3 * 0.5}
    with pytest.raises(NotFound, match="no history of server 'test'") as caught:
        imported(target_dsn, "test")
    assert "prod" in caught.value.hint


def _insert_4(conn: Conn, table: str, srvid: int, hour: int) -> None:
    record = sql.SQL(
        """row('2026-02-01'::timestamptz + {} * interval '1 hour', {} * (10 + {}), {} * 1.25,
               {}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {} * 0.5, 0)::powa_statements_history_record"""
    ).format(*map(sql.Literal, (hour, hour, srvid, hour, hour, hour)))
    place = {"table": sql.Identifier(f"powa_statements_{table}"), "srvid": sql.Literal(srvid)}
    statement = (
        sql.SQL(
            """insert into {table} (srvid, queryid, dbid, userid, coalesce_range, records)
               values ({srvid}, -5, 16384, 10, tstzrange(({r}).ts, ({r}).ts, '[]'), array[{r}])"""
        )
        if table == "history"
        else sql.SQL(
            """insert into {table} (srvid, queryid, dbid, userid, record)
               values ({srvid}, -5, 16384, 10, {r})"""
        )
    )
    conn.execute(statement.format(r=record, **place))


def test_a_database_without_powa_says_so(new_database: Callable[[], str]) -> None:
    with pytest.raises(ImportUnreadable, match="no table powa_statements_history"):
        imported(new_database())


def test_powa_before_its_second_snapshot(powa: Conn, target_dsn: str) -> None:
    with pytest.raises(NotFound, match="no history yet"):
        imported(target_dsn)
    powa.execute("call powa_statements_snapshot(0)")
    assert not imported(target_dsn).rows
