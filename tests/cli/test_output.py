"""What we log of an error does not repeat the values that a server quotes."""

import json
import logging

import psycopg
import pytest
import structlog

from pgadvisor.cli.output import log_to_stderr


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_is_logged_without_values(
    target_conn: psycopg.Connection[object], capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    log_to_stderr("INFO", as_json=as_json)
    try:
        target_conn.execute("select 'hunter2'::int")
    except psycopg.Error:
        structlog.get_logger().exception("it failed")
    logged = capsys.readouterr().err
    shown = json.loads(logged)["exception"] if as_json else logged
    assert "Traceback" in shown
    assert 'invalid input syntax for type integer: "***"' in shown
    assert "LINE 1" not in shown
    assert not [line for line in shown.splitlines() if "hunter2" in line and "::int" not in line]


def test_the_api_logs_the_same_way() -> None:
    log_to_stderr("INFO", as_json=True)
    handler = logging.lastResort
    assert handler is not None
    try:
        raise ValueError("no 'hunter2' here\nDETAIL: hunter2")
    except ValueError as exc:
        record = logging.LogRecord(
            "pgadvisor.api", logging.ERROR, __file__, 1, "failed", (), (type(exc), exc, None)
        )
    shown = handler.format(record)
    assert "ValueError: no '***' here" in shown
    assert "DETAIL" not in shown
