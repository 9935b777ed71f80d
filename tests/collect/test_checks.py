from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.collect.checks import check
from pgadvisor.collect.target import Target, connect
from pgadvisor.records.check import Check, CheckStatus

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]
Flush = Callable[[Callable[[], bool]], None]
Dsns = Callable[[], str]


def _checks(target: Target) -> dict[str, Check]:
    found = check(target)
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def _run(conn: Conn, remedy: str) -> None:
    """Each command of a remedy by itself: ALTER SYSTEM takes no transaction block."""
    for command in remedy.split(";"):
        if text := command.partition("--")[0].strip():
            conn.execute(text.encode())


def test_a_target_that_is_well_set_up(target_conn: Conn, target: Target) -> None:
    checks = _checks(target)

    good = {name for name, one in checks.items() if one.status is CheckStatus.OK}
    assert {
        "version",
        "proxy",
        "replica",
        "statistics-right",
        "table-right",
        "pg-stat-statements",
        "pg-stat-statements-track",
        *(["compute-query-id"] if target.major >= 14 else []),
        "track-io-timing",
        "log-destination",
        "logging-collector",
        "log-readable",
    } <= good
    assert all(one.message for one in checks.values())


@pytest.mark.usefixtures("hypopg")
def test_hypopg_is_there(target: Target) -> None:
    assert _checks(target)["hypopg"].status is CheckStatus.OK


def test_everything_but_ok_has_a_remedy(bare_cluster: Cluster) -> None:
    with psycopg.connect(bare_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create table if not exists data as select generate_series(1, 2000) as a")
    with connect(bare_cluster.dsn()) as target:
        checks = check(target)

    assert [one for one in checks if one.status is not CheckStatus.OK and not one.remedy] == []
    assert [one for one in checks if one.status is CheckStatus.OK and one.remedy] == []


@pytest.mark.usefixtures("hypopg")
def test_remedies_mend(new_role: NewRole, target_conn: Conn) -> None:
    target_conn.execute(
        "create table data as select generate_series(1, 2000) as a;"
        "drop extension hypopg; drop extension pg_stat_statements"
    )
    dsn = new_role()
    mendable = {
        "statistics-right": CheckStatus.ERROR,
        "pg-stat-statements": CheckStatus.ERROR,
        "table-right": CheckStatus.WARNING,
        "hypopg": CheckStatus.WARNING,
        "log-readable": CheckStatus.WARNING,
    }
    with connect(dsn) as target:
        before = _checks(target)
    for name, status in mendable.items():
        assert before[name].status is status, name
        _run(target_conn, before[name].remedy.rpartition("run there: ")[2].partition(" One")[0])
    with connect(dsn) as target:
        after = _checks(target)

    assert {name: after[name].status for name in mendable} == dict.fromkeys(
        mendable, CheckStatus.OK
    )


def test_old_statistics(target_conn: Conn, target: Target, flush: Flush) -> None:
    target_conn.execute('create table "My Data" as select generate_series(1, 2000) as a')
    flush(lambda: _checks(target)["statistics"].status is CheckStatus.WARNING)

    found = _checks(target)["statistics"]
    assert found.status is CheckStatus.WARNING
    assert found.remedy == 'ANALYZE "public"."My Data";'
    _run(target_conn, found.remedy)

    flush(lambda: _checks(target)["statistics"].status is CheckStatus.OK)


def test_an_old_version_of_the_extension(new_database: Dsns) -> None:
    dsn = new_database()
    with psycopg.connect(dsn, autocommit=True) as conn, connect(dsn) as target:
        if target.major < 14:
            pytest.skip("1.8 is the newest for PostgreSQL 13")
        conn.execute("create extension pg_stat_statements version '1.8'")
        before = _checks(target)["pg-stat-statements"]
        _run(conn, before.remedy.rpartition(": ")[2])
        after = _checks(target)["pg-stat-statements"]

    assert (before.status, after.status) == (CheckStatus.ERROR, CheckStatus.OK)


def test_hidden_texts(target_conn: Conn, new_role: NewRole) -> None:
    target_conn.execute("select 1 as somebody_elses")

    with connect(new_role()) as target:
        found = _checks(target)["hidden-texts"]

    assert found.status is CheckStatus.WARNING
    assert found.remedy == f'GRANT pg_monitor TO "{target.role}";'


def test_a_full_pg_stat_statements() -> None:
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.max": "100",
    }
    with Cluster.temporary(find_binaries(), settings=settings) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
            for width in range(1, 160):
                conn.execute(("select " + ", ".join(["1"] * width)).encode())
        with connect(cluster.dsn()) as target:
            found = _checks(target)["pg-stat-statements-max"]

    if cluster.binaries.major < 14:  # extension 1.8 does not count evictions
        assert "of 100 entries" in found.message
        return
    assert found.status is CheckStatus.WARNING
    assert "evicted every" in found.message
    assert "pg_stat_statements.max = 10000" in found.remedy


@pytest.mark.parametrize(
    ("name", "setting", "value", "message"),
    [
        ("pg-stat-statements-track", "pg_stat_statements.track", "none", "nothing is counted"),
        ("compute-query-id", "compute_query_id", "off", "no queryid"),
        ("track-io-timing", "track_io_timing", "off", "disk"),
        ("auto-explain", "auto_explain.log_min_duration", "-1", "no plan"),
        ("auto-explain", "auto_explain.log_min_duration", "0", "costs throughput"),
        ("auto-explain-log-format", "auto_explain.log_format", "text", "JSON"),
        ("auto-explain-log-analyze", "auto_explain.log_analyze", "off", "actual"),
        ("auto-explain-log-timing", "auto_explain.log_timing", "on", "timed"),
        ("auto-explain-log-buffers", "auto_explain.log_buffers", "off", "read"),
    ],
)
def test_settings(
    target_conn: Conn, target_dsn: str, name: str, setting: str, value: str, message: str
) -> None:
    if setting == "compute_query_id" and target_conn.info.server_version < 140000:
        pytest.skip("PostgreSQL 13 has no compute_query_id")
    database = target_conn.info.dbname
    target_conn.execute(f"alter database {database} set {setting} = '{value}'".encode())

    with connect(target_dsn) as target:
        found = _checks(target)[name]

    assert found.status is not CheckStatus.OK
    assert message in found.message
    assert f"ALTER SYSTEM SET {setting} = " in found.remedy
    assert "SELECT pg_reload_conf();" in found.remedy


def test_a_log_of_stderr_only(bare_cluster: Cluster) -> None:
    with connect(bare_cluster.dsn()) as target:
        checks = _checks(target)

    best = "jsonlog" if target.major >= 15 else "csvlog"
    assert best in checks["log-destination"].remedy
    assert ("%d %Q" if target.major >= 14 else "%d") in checks["log-line-prefix"].message
    assert "restart" in checks["logging-collector"].remedy
    assert "session_preload_libraries" in checks["auto-explain"].remedy


def test_remedies_of_the_log_mend() -> None:
    with Cluster.temporary(find_binaries()) as cluster:
        with (
            psycopg.connect(cluster.dsn(), autocommit=True) as conn,
            connect(cluster.dsn()) as target,
        ):
            for one in check(target):
                if one.name in {"auto-explain", "log-destination", "track-io-timing"}:
                    _run(conn, one.remedy)
        cluster.restart()
        with connect(cluster.dsn()) as target:
            checks = _checks(target)

    wanted = [one for name, one in checks.items() if name.startswith("auto-explain")]
    wanted += [checks["log-destination"], checks["track-io-timing"]]
    assert len(wanted) > 6
    assert {one.status for one in wanted} == {CheckStatus.OK}


def test_newer_servers(newer_cluster: Cluster) -> None:
    with connect(newer_cluster.dsn()) as target:
        checks = _checks(target)

    assert checks["version"].status is CheckStatus.OK
    assert checks["pg-stat-statements"].status is CheckStatus.ERROR


def test_a_proxy(target_dsn: str) -> None:
    with psycopg.connect(make_conninfo(target_dsn), autocommit=True) as conn:
        found = _checks(Target(conn, behind_proxy=True))["proxy"]

    assert found.status is CheckStatus.WARNING
