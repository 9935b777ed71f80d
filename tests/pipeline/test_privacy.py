"""What reaches the store of plans, executions and running statements, in each mode."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pgadvisor.pipeline.privacy import MASKED_VALUES, Privacy, privacy_of
from pgadvisor.records.log import LoggedStatement
from pgadvisor.records.parameter import MaskedValue, ParameterMode
from pgadvisor.records.server import RunningStatement
from pgadvisor.records.statement import QueryId, StatementText
from pgadvisor.records.workload import PlanCapture, PlanSource
from pgadvisor.sql import ValueMask, fingerprint
from pgadvisor.store import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HASH = Privacy(ValueMask(ParameterMode.HASH, b"salt"))
DROP = Privacy(ValueMask(ParameterMode.DROP, b"salt"))
KEEP = Privacy(ValueMask(ParameterMode.KEEP, b"salt"))

TEXT = "select * from t where a = 'Ann' and b = $1 and c > 4711"
CAPTURE = PlanCapture(
    captured_at=NOON,
    database="shop",
    source=PlanSource.AUTO_EXPLAIN,
    query=TEXT,
    plan={"Node Type": "Seq Scan", "Relation Name": "t", "Filter": "((a = 'Ann'::text))"},
    extra={"Query Parameters": "$1 = 'it''s', $2 = NULL, $3 = '12345', $4 = 'cut...'"},
)
LOGGED = LoggedStatement(
    logged_at=NOON,
    database="shop",
    query=TEXT,
    duration_ms=5.0,
    user="app",
    parameters=("Bob",),
)


def test_keep_changes_nothing() -> None:
    assert KEEP.plan(CAPTURE) is CAPTURE
    kept = KEEP.execution(LOGGED)
    assert kept.query == TEXT
    assert kept.parameters == (MaskedValue(type="text", length=3, value="Bob"),)


def test_a_plan_keeps_what_the_analysis_needs() -> None:
    masked = HASH.plan(CAPTURE)
    assert masked.query == "select * from t where a = $2 and b = $1 and c > 4700"
    assert masked.plan == {
        "Node Type": "Seq Scan",
        "Relation Name": "t",
        "Filter": f"((a = '#{HASH.values.hash_of('Ann')}'::text))",
    }
    assert set(masked.extra) == {MASKED_VALUES}
    values = masked.extra[MASKED_VALUES]
    assert values["2"] == {"type": "text", "length": 3, "hash": HASH.values.hash_of("Ann")}
    assert values["1"]["hash"] == HASH.values.hash_of("it's")
    assert values["3"] == {
        "type": "integer", "length": 5, "hash": HASH.values.hash_of("12345"), "bucket": "12000",
    }  # fmt: skip
    assert "4" not in values


def test_of_a_value_cut_off_in_the_log_nothing_is_kept() -> None:
    extra = {"Query Parameters": "$1 = 'abc...', $2 = 'x'"}
    values = HASH.plan(replace(CAPTURE, query="select $1, $2", extra=extra)).extra[MASKED_VALUES]
    assert set(values) == {"2"}


def test_dropped_values_leave_no_trace() -> None:
    masked = DROP.plan(CAPTURE)
    assert masked.query == "select * from t where a = $2 and b = $1 and c > $3"
    assert masked.extra == {}
    assert DROP.execution(LOGGED).parameters == (MaskedValue(),) * 3


def test_parameters_of_an_execution_are_numbered_as_in_its_text() -> None:
    found = HASH.execution(LOGGED, threshold_ms=10.0, sample_rate=0.5)
    assert found.query == "select * from t where a = $2 and b = $1 and c > 4700"
    assert [one.hash for one in found.parameters] == [
        HASH.values.hash_of("Bob"),
        HASH.values.hash_of("Ann"),
    ]
    assert (found.threshold_ms, found.sample_rate, found.user) == (10.0, 0.5, "app")
    assert found.kind == "select"
    assert found.fingerprint == fingerprint(TEXT)


def test_values_that_the_log_does_not_show_are_unknown() -> None:
    found = HASH.execution(replace(LOGGED, parameters=()))
    assert found.parameters[0] == MaskedValue()
    assert found.parameters[1].length == 3


def test_null_is_a_value_too() -> None:
    found = HASH.execution(replace(LOGGED, query="select $1", parameters=(None,)))
    assert found.parameters == (MaskedValue(type="null"),)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("alter role a password 'one'", "alter role a password 'two'"),
        ("select 'one", "select 'two"),
        ("comment on table t is 'one'", "comment on table t is 'another'"),
    ],
)
def test_the_fingerprint_says_nothing_of_a_value(one: str, two: str) -> None:
    first, second = (HASH.execution(replace(LOGGED, query=text)) for text in (one, two))
    assert first.fingerprint == second.fingerprint
    assert first.query == second.query


def test_a_text_that_cannot_be_parsed_has_an_identity_too() -> None:
    found = HASH.execution(replace(LOGGED, query="selec 'x'"))
    assert found.fingerprint.startswith("x")
    assert len(found.fingerprint) == 16
    assert found.kind is None


def test_texts_of_other_sources() -> None:
    text = StatementText(dbid=1, queryid=QueryId(2), query="set app.name = 'Ann'")
    assert HASH.statement(text).query == "set app.name = '***'"
    normalized = StatementText(dbid=1, queryid=QueryId(2), query="select $1")
    assert HASH.statement(normalized) is normalized
    running = RunningStatement(
        captured_at=NOON, pid=1, started_at=NOON, dbid=1, datname="shop", usename="app",
        queryid=3, query="select 'Ann' /* for Ann */",
    )  # fmt: skip
    assert HASH.running(running).query == "select $1"


def test_the_salt_is_not_shown(store: Store) -> None:
    privacy = privacy_of(store)
    assert privacy.values.salt == store.salt
    assert privacy_of(store) == privacy
    assert str(privacy.values.salt) not in repr(privacy)
