import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgadvisor.cluster import Cluster
from pgadvisor.collect.server import server_info
from pgadvisor.collect.target import Target, connect
from pgadvisor.errors import ConfigInvalid, PrivilegeMissing, TargetUnreachable

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]


# --- who is let in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "dbname", "message", "hint"),
    [
        ("needs_password", "postgres", "wrong password for role needs_password", "PGPASSWORD"),
        ("shut_out", "postgres", "pg_hba.conf lets nobody in", "pg_reload_conf"),
        ("no_login", "postgres", "role no_login may not log in", "ALTER ROLE no_login LOGIN;"),
        ("nobody", "postgres", "there is no role nobody", "CREATE ROLE nobody LOGIN"),
        ("postgres", "nowhere", "there is no database nowhere", "psql -l"),
        ("full", "postgres", "no free connection", "max_connections"),
    ],
)
def test_a_refused_login_says_why(
    bare_cluster: Cluster, user: str, dbname: str, message: str, hint: str
) -> None:
    dsn = make_conninfo(bare_cluster.dsn(dbname, user), password="s3cr3t")

    with pytest.raises(TargetUnreachable, match=message) as caught:
        connect(dsn)

    assert hint in caught.value.hint
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_no_password_given(bare_cluster: Cluster) -> None:
    with pytest.raises(TargetUnreachable, match="none was given") as caught:
        connect(bare_cluster.dsn("postgres", "needs_password"))

    assert ".pgpass" in caught.value.hint


def test_nothing_listens() -> None:
    with socket.socket() as bound:  # bound, not listening: nobody else takes the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(TargetUnreachable, match="nothing listens") as caught:
            connect(f"host=127.0.0.1 port={port} dbname=shop")

    assert f"127.0.0.1:{port}/shop" in caught.value.message
    assert "pg_isready" in caught.value.hint


def test_no_socket_there(tmp_path: Path) -> None:
    with pytest.raises(TargetUnreachable, match="nothing listens"):
        connect(f"host={tmp_path} dbname=shop")


def test_ssl_that_the_server_does_not_have(silent_server: int) -> None:
    with pytest.raises(TargetUnreachable, match="asks for SSL") as caught:
        connect(f"host=127.0.0.1 port={silent_server} dbname=shop sslmode=require")

    assert "sslmode=prefer" in caught.value.hint


@pytest.mark.parametrize(
    "dsn", ["host=db pass word=s3cr3t", "postgresql://u:s3cr3t@h:x:y/d?s3cr3t"]
)
def test_a_malformed_dsn_is_not_repeated(dsn: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        connect(dsn)

    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint


def test_the_password_is_not_shown(bare_cluster: Cluster) -> None:
    dsn = make_conninfo(bare_cluster.dsn("postgres", "needs_password"), password="right")

    with connect(dsn) as target:
        shown = f"{target!r} {target} {target.place}"

    assert "needs_password@" in shown
    assert "right" not in shown


# --- what we may do --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (a int)",
        "create temporary table t (a int)",
        "insert into kept values (2)",
        "delete from kept",
        "select nextval('numbers')",
    ],
)
def test_it_cannot_write(target_conn: Conn, target: Target, statement: str) -> None:
    target_conn.execute("create table kept as select 1 as a; create sequence numbers")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        target.conn.execute(statement.encode())

    assert target_conn.execute("select a from kept").fetchall() == [(1,)]


def test_limits_are_set(target_dsn: str) -> None:
    with connect(
        target_dsn,
        statement_timeout=timedelta(seconds=7),
        lock_timeout=timedelta(milliseconds=300),
    ) as target:
        shown = [
            target.conn.execute(f"show {name}".encode()).fetchone()
            for name in ("statement_timeout", "lock_timeout", "application_name", "TimeZone")
        ]

    assert shown == [("7s",), ("300ms",), ("pgadvisor",), ("UTC",)]


def test_a_limit_of_nothing_is_not_no_limit(target_dsn: str) -> None:
    with pytest.raises(TargetUnreachable, match="in time"):  # noqa: SIM117
        with connect(target_dsn, statement_timeout=timedelta(0)) as target:
            target.rows("columns")


def test_it_waits_for_no_lock(target_conn: Conn, target_dsn: str) -> None:
    with (
        connect(target_dsn, lock_timeout=timedelta(milliseconds=20)) as target,
        target_conn.transaction(),
    ):
        target_conn.execute("lock table pg_catalog.pg_extension in access exclusive mode")
        with pytest.raises(TargetUnreachable, match="lock timeout") as caught:
            target.rows("extensions")

    assert "PGADVISOR_LOCK_TIMEOUT" in caught.value.hint


def test_a_lost_connection(target: Target, terminate: Callable[[int], None]) -> None:
    terminate(target.row("backend")[0])

    with pytest.raises(TargetUnreachable, match="was lost"):
        target.rows("settings")

    assert target.closed


def test_a_missing_right_comes_with_the_grant(target_conn: Conn, new_role: NewRole) -> None:
    target_conn.execute("revoke select on pg_catalog.pg_settings from public")

    with connect(new_role()) as target, pytest.raises(PrivilegeMissing) as caught:
        target.rows("settings")

    assert f'GRANT pg_monitor TO "{target.role}";' in caught.value.hint


# --- who the server is -----------------------------------------------------------------------


def test_server_info(target_conn: Conn, target: Target) -> None:
    info = server_info(target)

    identifier = target_conn.execute("select system_identifier from pg_control_system()").fetchone()
    assert identifier is not None
    assert info.system_identifier == str(identifier[0])
    assert info.major == target.major == target_conn.info.server_version // 10000
    assert info.captured_at.tzinfo is not None
    assert info.captured_at.utcoffset() == UTC.utcoffset(None)
    assert info.postmaster_start_at < info.captured_at
    assert info.current_database == target_conn.info.dbname
    assert (info.is_superuser, info.reads_all_stats, info.in_recovery) == (True, True, False)
    assert not info.behind_proxy
    assert info.extensions["pg_stat_statements"].schema == "public"


@pytest.mark.parametrize(("membership", "expected"), [((), False), (("pg_monitor",), True)])
def test_rights_of_a_role(new_role: NewRole, membership: tuple[str, ...], expected: bool) -> None:
    with connect(new_role(*membership)) as target:
        info = server_info(target)

    assert info.reads_all_stats is expected
    assert not info.is_superuser


def test_a_hidden_system_identifier_gives_way_to_the_address(
    target_conn: Conn, new_role: NewRole
) -> None:
    target_conn.execute("revoke execute on function pg_control_system() from public")

    with connect(new_role()) as target:
        assert target.fetch_system_identifier() == "address local:5432"


# --- behind a proxy --------------------------------------------------------------------------


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port where a server without SSL answers: 'N' to an SSLRequest."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(8)
                        client.sendall(b"N")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


def _copy_with_another_cancel_key(server: socket.socket, client: socket.socket) -> None:
    """The server's messages up to its BackendKeyData, whose process id is replaced."""
    stream = server.makefile("rb")
    while True:
        head = stream.read(5)
        body = stream.read(struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"K":
            client.sendall(head + struct.pack("!I", 1) + body[4:])
            break
        client.sendall(head + body)
    with suppress(OSError):
        while data := stream.read1(65536):
            client.sendall(data)


@pytest.fixture
def proxied_dsn(target_dsn: str) -> Iterator[str]:
    """The target through a proxy that hands out cancel keys of its own, as pgbouncer does."""
    given = conninfo_to_dict(target_dsn)
    path = f"{given['host']}/.s.PGSQL.{given.get('port') or 5432}"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client, socket.socket(socket.AF_UNIX) as server:
                server.connect(path)
                up = threading.Thread(target=_copy, args=(client, server), daemon=True)
                up.start()
                _copy_with_another_cancel_key(server, client)
                up.join(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        yield make_conninfo(target_dsn, host="127.0.0.1", port=port, sslmode="disable")
    thread.join(5)


def test_a_proxy_is_noticed(proxied_dsn: str) -> None:
    with connect(proxied_dsn) as target:
        info = server_info(target)

    assert info.behind_proxy


def test_behind_a_proxy_nothing_of_ours_stays_in_the_session(proxied_dsn: str) -> None:
    with connect(proxied_dsn, statement_timeout=timedelta(seconds=7)) as target:
        target.rows("settings")
        shown = [
            target.conn.execute(f"show {name}".encode()).fetchone()
            for name in ("statement_timeout", "default_transaction_read_only")
        ]

    assert shown == [("0",), ("off",)]


def test_behind_a_proxy_each_read_has_our_limits(proxied_dsn: str) -> None:
    with (
        connect(proxied_dsn, statement_timeout=timedelta(milliseconds=1)) as target,
        pytest.raises(TargetUnreachable, match="statement timeout"),
    ):
        for _ in range(50):
            target.rows("columns")


def test_behind_a_proxy_reads_are_read_only(target_conn: Conn) -> None:
    with psycopg.connect(target_conn.info.dsn, autocommit=True) as conn:
        target = Target(conn, behind_proxy=True)
        with target._limited(), pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            target.conn.execute("create table t (a int)")
