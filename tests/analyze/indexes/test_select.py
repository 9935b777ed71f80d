"""The choice over a workload: budget, reasons, shared indexes, advice that others make needless."""

from typing import TYPE_CHECKING

from pgadvisor.analyze.indexes.missing_index import missing_index
from pgadvisor.analyze.indexes.select import select_indexes
from pgadvisor.records.statement import QueryId

if TYPE_CHECKING:
    from tests.analyze.conftest import Lab

COLUMNS = ", ".join(
    f"(hashint4(g + {k}) & 1073741823) % {(10, 100, 1000, 20000)[k % 4]} as c{k}" for k in range(8)
)


def tables(lab: "Lab", count: int) -> None:
    for number in range(count):
        lab.conn.execute(
            f"create table t{number} as select g as id, {COLUMNS}"
            " from generate_series(1, 30000) g".encode()
        )
    lab.conn.execute("analyze")


def test_many_queries_take_few_questions_and_none_is_left_without_a_word(lab: "Lab") -> None:
    tables(lab, 5)
    for number in range(100):
        table, first, second = number % 5, number % 8, (number // 3 + 1) % 8
        lab.query(
            f"select * from t{table} where c{first} = 1 and c{second} = {number}",
            calls=10 + number,
            ms=5.0,
        )
    given = lab.situation()
    assert given.what_if is not None
    selection = select_indexes(given, given.what_if)
    assert selection.questions < 5000
    assert {choice.candidates[0].table for choice in selection.choices} == {
        f"t{number}" for number in range(5)
    }
    helped = {queryid for choice in selection.choices for queryid in choice.changes}
    assert helped | set(selection.reasons) == {query.queryid for query in lab.queries}
    assert not helped & set(selection.reasons)


def test_a_spent_budget_is_said(lab: "Lab") -> None:
    tables(lab, 3)
    for number in range(30):
        first, second = number % 8, (number + 3) % 8
        lab.query(f"select * from t{number % 3} where c{first} = 1 and c{second} = 2", calls=1000)
    given = lab.situation()
    assert given.what_if is not None
    selection = select_indexes(given, given.what_if, most_questions=40)
    assert selection.questions <= 80
    reasons = " ".join(selection.reasons.values())
    assert "the 40 questions that one analysis asks the planner went to" in reasons
    helped = {queryid for choice in selection.choices for queryid in choice.changes}
    assert helped | set(selection.reasons) == {query.queryid for query in lab.queries}


def test_an_index_that_a_later_wider_one_replaces_is_not_advised(lab: "Lab") -> None:
    tables(lab, 1)
    lab.query("select * from t0 where c2 = 1", calls=10_000, ms=10)
    lab.query("select * from t0 where c2 = 1 and c1 = 2", calls=100, ms=10)
    lab.query("select c2, c1 from t0 where c2 = 1 order by c1 limit 1", calls=3000, ms=10)
    given = lab.situation()
    found = missing_index(given).findings
    keys = [finding.evidence["indexes"][0]["key_columns"] for finding in found]
    assert not any(one != other and other[: len(one)] == one for one in keys for other in keys)


def test_what_is_left_out_costs_no_query_its_index(lab: "Lab") -> None:
    """(c1) beside (c1, c3): one index stays, and it is the one that both need."""
    tables(lab, 1)
    lab.query("select * from t0 where c2 = 1", calls=100_000, ms=10)
    lab.query("select count(*) from t0 where c1 = 1", calls=5000, ms=10)
    lab.query("select * from t0 where c1 = 1 and c3 = 7", calls=5000, ms=10)
    found = missing_index(lab.situation())
    assert QueryId(3) in {effect.queryid for one in found.findings for effect in one.effects}


def test_shares_of_one_query_add_up_to_no_more_than_one(lab: "Lab") -> None:
    tables(lab, 2)
    lab.query(
        "select * from t0 a join t1 b on a.id = b.c3 where a.c3 = 7 and a.c2 = 3", calls=1000, ms=50
    )
    lab.query("select * from t0 where c3 = 7 and c2 = 3", calls=1000, ms=50)
    found = missing_index(lab.situation()).findings
    assert found
    for query in lab.queries:
        effects = [e for one in found for e in one.effects if e.queryid == query.queryid]
        assert sum(effect.improvement_ratio for effect in effects) <= 1
        for effect in effects:
            assert effect.improvement_low <= effect.improvement_ratio <= effect.improvement_high


MISJUDGED = """
    select count(s.note), count(c.note) from cars c join sales s on s.car_id = c.id
    where abs(c.a) < 99 and abs(c.b) < 99 and abs(c.c) < 99 and abs(c.d) < 99 and abs(c.e) < 99
      and abs(c.f) < 99 and abs(c.g) < 99 and abs(c.h) < 99
"""


def cars(lab: "Lab") -> None:
    """The planner expects 20 of 150,000 cars to fulfil MISJUDGED; all of them do."""
    columns = ", ".join(f"g % {number} as {name}" for number, name in enumerate("abcdefgh", 2))
    lab.conn.execute(
        f"create table cars as select g as id, {columns}, repeat('x', 40) as note"
        " from generate_series(1, 150000) g".encode()
    )
    lab.conn.execute("create table sales as select id, id as car_id, note from cars")
    lab.conn.execute("alter table cars set (parallel_workers = 0)")
    lab.conn.execute("alter table sales set (parallel_workers = 0)")
    lab.conn.execute("analyze")


def test_an_index_that_would_slow_another_query_down_is_not_advised(lab: "Lab") -> None:
    cars(lab)
    slowed = lab.query(MISJUDGED, calls=100, ms=100, observed=True)
    helped = lab.query("select * from sales where car_id = 42", calls=100, ms=50)
    found = missing_index(lab.situation())
    reasons = {skipped.queryid: skipped.reason for skipped in found.skipped}
    assert not found.findings, [finding.statement for finding in found.findings]
    assert "misjudges the rows by a factor of" in reasons[slowed.queryid]
    assert f"make query {slowed.queryid} slower" in reasons[helped.queryid]


def test_a_small_loss_beside_a_large_gain_is_a_risk_that_is_named(lab: "Lab") -> None:
    cars(lab)
    slowed = lab.query(MISJUDGED, calls=1, ms=100, observed=True)
    lab.query("select * from sales where car_id = 42", calls=10_000, ms=50)
    (found,) = missing_index(lab.situation()).findings
    assert any(f"Query {slowed.queryid} may get" in note for note in found.risk.notes)
    effects = {effect.queryid: effect for effect in found.effects}
    assert effects[slowed.queryid].improvement_ratio < 0
    low, high = (effects[slowed.queryid].improvement_low, effects[slowed.queryid].improvement_high)
    assert low <= effects[slowed.queryid].improvement_ratio <= high


def test_without_a_logged_plan_nothing_tells_that_the_rows_are_misjudged(lab: "Lab") -> None:
    cars(lab)
    lab.query(MISJUDGED, calls=100, ms=100)
    (found,) = missing_index(lab.situation()).findings
    assert found.evidence["indexes"][0]["key_columns"] == ["car_id"]


def test_findings_and_their_order_are_stable(lab: "Lab") -> None:
    tables(lab, 2)
    for number in range(12):
        lab.query(f"select * from t{number % 2} where c{number % 8} = 1 and c3 = 5", calls=1000)
    first = missing_index(lab.situation())
    second = missing_index(lab.situation())
    assert first == second
    assert all(isinstance(skipped.queryid, int) for skipped in first.skipped)
    assert QueryId(1) in {e.queryid for f in first.findings for e in f.effects}
