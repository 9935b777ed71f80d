"""At most so many connections, and none that waits for ever."""

import time
from datetime import timedelta

import psycopg
import pytest

from pgadvisor.collect.deadline import PatientConnection
from pgadvisor.collect.target import connect
from pgadvisor.errors import TargetUnreachable


def test_a_connection_above_the_limit_is_given_up(target_dsn: str) -> None:
    with (
        connect(target_dsn, max_connections=2),
        connect(target_dsn, max_connections=2),
        pytest.raises(TargetUnreachable, match="2 connections of pgadvisor are on"),
    ):
        connect(target_dsn, max_connections=2)
    with connect(target_dsn, max_connections=1):
        pass


def test_a_server_that_says_nothing_is_given_up(target_dsn: str) -> None:
    with PatientConnection.connect(target_dsn, autocommit=True) as conn:
        conn.patience = 0.3
        started = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="no answer within"):
            conn.execute("select pg_sleep(20)")
        assert time.monotonic() - started < 5
        assert conn.closed


def test_the_patience_is_that_of_the_statement_timeout(target_dsn: str) -> None:
    with connect(target_dsn, statement_timeout=timedelta(seconds=3)) as target:
        assert isinstance(target.conn, PatientConnection)
        assert target.conn.patience == 13
