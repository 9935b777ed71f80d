from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor.cluster import Cluster
from pgadvisor.collect.statements import fetch_statements, fetch_texts, without
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import ExtensionMissing, TargetUnreachable
from pgadvisor.records.server import Extension
from pgadvisor.records.statement import QueryId, StatementCounters, StatementKey
from pgadvisor.sql import is_own

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]
Dsns = Callable[[], str]


def _seen(target: Target, part: str) -> list[StatementCounters]:
    """The entries of this database whose text has the part."""
    snapshot = fetch_statements(target)
    texts = fetch_texts(target, snapshot.statements)
    wanted = {(text.dbid, text.queryid) for text in texts if part in text.query}
    return [s for s in snapshot.statements.values() if (s.key.dbid, s.key.queryid) in wanted]


def _dbid(conn: Conn) -> int:
    row = conn.execute("select oid from pg_database where datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


def test_counters_of_a_statement(target_conn: Conn, target: Target) -> None:
    target_conn.execute("create table counted (a int)")
    for number in range(5):
        target_conn.execute("insert into counted select generate_series(1, %s)" % (number + 1))

    (entry,) = [s for s in _seen(target, "insert into counted") if s.key.toplevel]

    assert entry.key.dbid == _dbid(target_conn)
    assert entry.counters.calls == 5
    assert entry.counters.rows == 1 + 2 + 3 + 4 + 5
    assert entry.counters.wal_bytes > 0
    assert 0 < entry.min_exec_time <= entry.max_exec_time <= entry.counters.total_exec_time
    mean = entry.counters.total_exec_time / 5
    squares = entry.counters.sum_squared_exec_time
    assert 5 * mean**2 * 0.999 <= squares <= 5 * entry.max_exec_time**2 * 1.001


def test_just_in_time_compilation(target_conn: Conn, target: Target) -> None:
    if target.major < 15 or target_conn.execute("select pg_jit_available()").fetchone() != (True,):
        pytest.skip("no JIT here, or a version that does not count it")
    target_conn.execute("create table compiled as select generate_series(1, 100) as a")
    target_conn.execute("set jit_above_cost = 0")
    target_conn.execute("select sum(a) from compiled")

    (entry,) = [s for s in _seen(target, "select sum(a) from compiled") if s.key.toplevel]

    assert entry.counters.jit_functions > 0
    assert entry.counters.jit_generation_time > 0


def test_a_snapshot_knows_its_moment(target_conn: Conn, target: Target) -> None:
    first, second = fetch_statements(target), fetch_statements(target)

    assert first.captured_at < second.captured_at
    assert first.postmaster_start_at == second.postmaster_start_at < first.captured_at
    if target.major < 14:  # extension 1.8 tells neither
        assert (first.stats_reset, first.dealloc) == (None, None)
    else:
        assert first.stats_reset is not None
        assert first.stats_reset < first.captured_at
        assert first.dealloc is not None and second.dealloc is not None
        assert first.dealloc <= second.dealloc  # other tests of the session may have caused some
    assert first.system_identifier == target.fetch_system_identifier()
    assert first.hidden == 0


def test_nested_statements_have_keys_of_their_own(target_conn: Conn, target: Target) -> None:
    target_conn.execute(
        "create function inner_call() returns bigint language plpgsql as "
        "$$ begin return (select count(*) from pg_am where amname > 'nested'); end $$"
    )
    target_conn.execute("select inner_call()")

    nested = [s.key.toplevel for s in _seen(target, "'nested'") + _seen(target, "amname >")]

    # PostgreSQL 13 does not keep them apart
    assert (False in nested) is (target.major >= 14)


@pytest.mark.parametrize("version", ["1.9", "1.10", "1.11"])
def test_old_versions_of_the_extension(new_database: Dsns, version: str) -> None:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn, connect(dsn) as target:
        if not _is_available(conn, version):
            pytest.skip(f"PostgreSQL {target.major} has no pg_stat_statements {version}")
        conn.execute(f"create extension pg_stat_statements version '{version}'".encode())
        conn.execute("select 1 as old_version")

        snapshot = fetch_statements(target)
        (entry,) = [s for s in _seen(target, "old_version") if s.key.dbid == _dbid(conn)]

    assert entry.counters.calls == 1
    assert entry.key.toplevel
    assert snapshot.stats_reset is not None
    assert snapshot.extension_version == version
    assert (entry.stats_since is not None) is (version == "1.11")


def _is_available(conn: Conn, version: str) -> bool:
    found = conn.execute(
        "select from pg_available_extension_versions"
        " where name = 'pg_stat_statements' and version = %s",
        [version],
    )
    return found.fetchone() is not None


def test_a_version_that_cannot_tell_nested_statements(new_database: Dsns) -> None:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn, connect(dsn) as target:
        if target.major < 14:
            pytest.skip("PostgreSQL 13 does not keep them apart")
        conn.execute("create extension pg_stat_statements version '1.8'")
        with pytest.raises(ExtensionMissing, match=r"1\.9 is needed") as caught:
            fetch_statements(target)
    assert "ALTER EXTENSION pg_stat_statements UPDATE" in caught.value.hint


def test_the_extension_in_another_schema(new_database: Dsns) -> None:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn, connect(dsn) as target:
        conn.execute('create schema "My ""tools"""')
        conn.execute('create extension pg_stat_statements schema "My ""tools"""')

        assert fetch_statements(target).statements


def test_the_extension_is_not_in_this_database(new_database: Dsns) -> None:
    with connect(new_database()) as target, pytest.raises(ExtensionMissing) as caught:
        fetch_statements(target)

    assert f"not installed in database {target.database}" in caught.value.message
    assert "CREATE EXTENSION pg_stat_statements;" in caught.value.hint
    assert "whole server" in caught.value.hint


@pytest.mark.parametrize("installed", [True, False])
def test_the_library_is_not_loaded(bare_cluster: Cluster, installed: bool) -> None:
    with psycopg.connect(bare_cluster.dsn(), autocommit=True) as conn:
        if installed:
            conn.execute("create extension pg_stat_statements")
        with connect(bare_cluster.dsn()) as target, pytest.raises(ExtensionMissing) as caught:
            fetch_statements(target)
        conn.execute("drop extension if exists pg_stat_statements")

    assert "not loaded" in caught.value.message
    command = "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';"
    assert command in caught.value.hint
    assert "restart" in caught.value.hint
    assert ("CREATE EXTENSION" in caught.value.hint) is not installed


def test_an_extension_that_is_too_old(new_database: Dsns) -> None:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn, connect(dsn) as target:
        conn.execute("create extension pg_stat_statements version '1.7'")
        with pytest.raises(ExtensionMissing, match=r"1\.7 is too old") as caught:
            fetch_statements(target)
        conn.execute(caught.value.hint.partition(": ")[2].encode())

        assert fetch_statements(target).statements


def test_hidden_entries_are_counted(target_conn: Conn, new_role: NewRole) -> None:
    target_conn.execute("select 1 as of_another_role")
    dsn = new_role()
    with psycopg.connect(dsn, autocommit=True) as own:
        own.execute("select 1 as of_this_role")

    with connect(dsn) as target:
        snapshot = fetch_statements(target)
        texts = fetch_texts(target, snapshot.statements)

    assert snapshot.hidden > 0
    assert snapshot.hidden_exec_time > 0
    assert any("of_this_role" in text.query for text in texts)
    assert not any("of_another_role" in text.query for text in texts)


def test_our_own_statements_can_be_left_out(target_conn: Conn, new_role: NewRole) -> None:
    target_conn.execute("select 1 as of_the_application")
    with connect(new_role("pg_monitor")) as target:
        fetch_statements(target)
        snapshot = fetch_statements(target)
        texts = fetch_texts(target, snapshot.statements)
        userid = target.fetch_userid()

    own = {text.queryid for text in texts if is_own(text.query)}
    rest = without(snapshot, own, userid)

    assert own
    assert len(rest.statements) < len(snapshot.statements)
    assert not own & {key.queryid for key in rest.statements if key.userid == userid}
    application = next(text for text in texts if "of_the_application" in text.query)
    assert application.queryid in {key.queryid for key in rest.statements}
    assert without(snapshot, set(), userid) is snapshot


def test_a_superuser_connection_is_not_even_counted(target: Target) -> None:
    before = fetch_statements(target)
    after = fetch_statements(target)

    assert {k: s.counters.calls for k, s in before.statements.items()} == {
        k: s.counters.calls for k, s in after.statements.items()
    }


def test_texts_of_the_asked_keys_only(target_conn: Conn, target: Target) -> None:
    target_conn.execute("select 1 as asked_for")
    target_conn.execute("select 1 as not_asked_for, 2")
    (asked,) = _seen(target, "as asked_for")

    (text,) = fetch_texts(target, [asked.key])

    assert text.query == "select $1 as asked_for"
    assert (text.dbid, text.queryid) == (asked.key.dbid, asked.key.queryid)
    elsewhere = StatementKey(asked.key.dbid + 1, asked.key.userid, asked.key.queryid, True)
    assert fetch_texts(target, [elsewhere]) == []


def test_no_keys_cost_nothing(new_database: Dsns) -> None:
    with connect(new_database()) as target:  # would raise ExtensionMissing
        assert fetch_texts(target, []) == []


@dataclass
class Resetting:
    """Resets the statistics after each of the next reads of the counters."""

    target: Target
    conn: Conn
    times: int
    read: list[int] = field(default_factory=list)

    def table(
        self, name: str, parameters: Mapping[str, Any], *, extension: Extension | None = None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        found = self.target.table(name, parameters, extension=extension)
        if self.times:
            self.times -= 1
            self.conn.execute("select pg_stat_statements_reset()")
        self.read.append(len(found[1]))
        return found


def _resetting(monkeypatch: pytest.MonkeyPatch, target: Target, reset: Resetting) -> None:
    reset.target = Target(target.conn, behind_proxy=False)
    monkeypatch.setattr(target, "table", reset.table)


def test_a_reset_during_the_read_is_read_again(
    monkeypatch: pytest.MonkeyPatch, target_conn: Conn, target: Target
) -> None:
    if target.major < 14:
        pytest.skip("extension 1.8 does not tell of resets")
    for number in range(50):
        target_conn.execute(sql.SQL("select 1 as {}").format(sql.Identifier(f"c{number}")))
    resetting = Resetting(target, target_conn, times=1)
    _resetting(monkeypatch, target, resetting)

    snapshot = fetch_statements(target)

    assert len(resetting.read) == 2
    assert len(snapshot.statements) == resetting.read[1]
    assert snapshot.stats_reset is not None


def test_resets_without_end_are_an_error(
    monkeypatch: pytest.MonkeyPatch, target_conn: Conn, target: Target
) -> None:
    if target.major < 14:
        pytest.skip("extension 1.8 does not tell of resets")
    _resetting(monkeypatch, target, Resetting(target, target_conn, times=99))

    with pytest.raises(TargetUnreachable, match="was reset during each of 3 reads"):
        fetch_statements(target)


def test_queryids_are_signed(target: Target) -> None:
    ids = [key.queryid for key in fetch_statements(target).statements]

    assert all(-(2**63) <= queryid < 2**63 for queryid in ids)
    assert QueryId(0) not in ids
