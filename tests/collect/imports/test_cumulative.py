"""Counters as pg_stat_statements has them: differences that are never more than what ran."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.imports.reading import Read, csv_text, read

from pgadvisor.collect.imports import Counting
from pgadvisor.errors import ConfigInvalid
from pgadvisor.records.statement import GapReason

DAY = datetime(2026, 2, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)
NAMES = ("captured_at", "datname", "userid", "queryid", "calls", "total_exec_time", "rows")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshots.csv"


def reading(number: int, counters: dict[int, int]) -> list[tuple[Any, ...]]:
    """The rows of one reading: calls by queryid, each of two milliseconds and three rows."""
    at = (DAY + number * STEP).isoformat()
    return [(at, "shop", 10, query, n, n * 2.0, n * 3) for query, n in counters.items()]


def readings(path: Path, *counters: dict[int, int], **options: Any) -> Read:
    rows = [row for number, one in enumerate(counters) for row in reading(number, one)]
    return read(path, csv_text(NAMES, rows), **{"counting": Counting.CUMULATIVE, **options})


def calls(found: Read) -> dict[int, int]:
    return {key[1]: int(n) for key, n in found.totals().items()}


def gaps(found: Read) -> Counter[GapReason]:
    return Counter(gap.reason for piece in found.pieces for gap in piece.gaps)


def test_differences_between_readings(path: Path) -> None:
    found = readings(path, {1: 100, 2: 7}, {1: 130, 2: 7}, {1: 131, 2: 9})
    assert calls(found) == {1: 31, 2: 2}
    assert found.totals("total_exec_time") == {("shop", 1): 62, ("shop", 2): 4}
    assert found.covered("shop") == [(DAY, DAY + 2 * STEP)]
    # nothing where nothing happened
    assert len(found.rows) == 3


def test_an_entry_that_is_new_began_since_the_last_reading(path: Path) -> None:
    found = readings(path, {1: 100}, {1: 100, 2: 5}, {1: 100, 2: 6})
    assert calls(found) == {2: 6}


def test_a_reset_begins_anew_and_is_a_gap(path: Path) -> None:
    found = readings(path, {1: 100, 2: 50}, {1: 120, 2: 60}, {1: 4, 2: 3}, {1: 9, 2: 3})
    assert calls(found) == {1: 20 + 4 + 5, 2: 10 + 3}
    assert gaps(found) == {GapReason.RESET: 1}


def test_an_entry_that_was_evicted_and_came_back(path: Path) -> None:
    whole = {number: 100 for number in range(10)}
    found = readings(path, {**whole, 77: 30}, whole, {**whole, 77: 4}, complete=True)
    assert calls(found) == {77: 4}
    assert gaps(found) == {GapReason.EVICTION: 1}


def test_an_entry_that_comes_and_goes_with_its_counters_was_only_not_shown(path: Path) -> None:
    # the busiest two of three: a lifetime total must not become what an interval did
    found = readings(path, {1: 500, 2: 400}, {1: 510, 3: 450}, {2: 415, 3: 460}, {1: 530, 2: 420})
    assert "part of the statements" in found.told
    assert calls(found) == {1: 30, 2: 20, 3: 10}
    assert gaps(found)[GapReason.FIRST_SIGHT] == 1
    spans = {row.since: row.until for row in found.rows if row.statement.queryid == 1}
    assert spans == {DAY: DAY + STEP, DAY + STEP: DAY + 3 * STEP}


def test_a_cut_with_a_fixed_number_of_statements_is_seen(path: Path) -> None:
    found = readings(path, *({n: 9, n + 1: 9 + n, n + 2: 99} for n in range(6)))
    assert "have exactly 3" in found.told
    assert sum(calls(found).values()) <= 99 * 6
    assert gaps(found)[GapReason.FIRST_SIGHT] == 5


def test_a_sum_of_users_that_lost_one_of_them_did_not_begin_anew(path: Path) -> None:
    names = ("captured_at", "database", "queryid", "calls")
    rows = [
        (f"2026-02-01 0{hour}:00", "shop", 1, n) for hour, n in enumerate((1000, 1010, 980, 985))
    ]
    found = read(path, csv_text(names, rows), counting=Counting.CUMULATIVE, complete=False)
    assert calls(found) == {1: 15}


def test_stats_since_says_when_an_entry_began(path: Path) -> None:
    names = ("captured_at", "database", "userid", "queryid", "calls", "stats_since")
    old, new = "2025-12-01 00:00:00+00", "2026-02-01 00:30:00+00"
    rows = [
        ("2026-02-01 00:00", "shop", 10, 1, 100, old),
        ("2026-02-01 01:00", "shop", 10, 1, 150, new),  # it has overtaken itself
        ("2026-02-01 01:00", "shop", 10, 2, 9, new),
        ("2026-02-01 01:00", "shop", 10, 3, 9, old),
    ]
    found = read(path, csv_text(names, rows), counting=Counting.CUMULATIVE, complete=False)
    assert calls(found) == {1: 150, 2: 9}


def test_rows_in_any_order_are_the_same_history(path: Path) -> None:
    counters = [{1: 10 * n, 2: 3 * n + (n > 4)} for n in range(9)]
    rows = [row for number, one in enumerate(counters) for row in reading(number, one)]
    straight = read(path, csv_text(NAMES, rows))
    assert "cumulative" in straight.told
    for order in (rows[::-1], sorted(rows, key=lambda row: (row[3], row[4]))):
        found = read(path, csv_text(NAMES, order))
        assert calls(found) == calls(straight) == {1: 80, 2: 25}
        assert found.covered("shop") == straight.covered("shop")


def test_cumulative_and_deltas_are_told_apart(path: Path) -> None:
    growing = [reading(n, {1: 5 * n, 2: n * n})[i] for n in range(24) for i in (0, 1)]
    assert "cumulative" in read(path, csv_text(NAMES, growing)).told
    daily = [
        reading(n, {1: 50 + 8 * (-1) ** (n // 6) * (n % 6), 2: 9 + n % 5})[i]
        for n in range(48)
        for i in (0, 1)
    ]
    found = read(path, csv_text(NAMES, daily))
    assert "(--deltas)" in found.told
    assert sum(calls(found).values()) == sum(row[4] for row in daily)


def test_names_of_columns_say_what_they_are_unless_the_numbers_do_not_agree(path: Path) -> None:
    names = ("timestamp", "queryid", "pg_stat_statements_calls_total")
    rows = [(f"2026-02-01 0{hour}:00", 1, 10 + hour) for hour in range(4)]
    assert calls(read(path, csv_text(names, rows))) == {1: 3}
    up_and_down = [(f"2026-02-01 {hour:02}:00", 1, 10 + hour % 2) for hour in range(20)]
    assert calls(read(path, csv_text(names, up_and_down))) == {1: 210}


def test_where_nobody_can_tell_the_user_is_asked(path: Path) -> None:
    names = (*NAMES, "min_exec_time")
    rows = [(*row, 1.0) for n in range(40) for row in reading(n, {1: n % 5})]
    with pytest.raises(ConfigInvalid, match="cannot tell whether the counters are cumulative"):
        read(path, csv_text(names, rows))


def test_a_database_that_appears_later_begins_with_its_first_reading(path: Path) -> None:
    rows = [*reading(0, {1: 5}), *reading(1, {1: 6})]
    rows += [(at, "crm", *rest) for at, _, *rest in reading(1, {1: 500}) + reading(2, {1: 505})]
    found = read(path, csv_text(NAMES, rows), counting=Counting.CUMULATIVE)
    assert found.totals() == {("shop", 1): 1, ("crm", 1): 5}


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(data=st.data())
def test_never_more_than_what_ran(tmp_path: Path, data: st.DataObject) -> None:
    """Statements work, are reset and evicted; a reading may show only the busiest of them."""
    queries = data.draw(st.integers(1, 6))
    shown = data.draw(st.integers(1, queries))
    entries: dict[int, int] = {}
    ran: Counter[int] = Counter()
    counters = []
    interrupted = False
    for number in range(data.draw(st.integers(2, 8))):
        for query in range(1, queries + 1):
            done = data.draw(st.integers(0, 9))
            if done:
                entries[query] = entries.get(query, 0) + done
                ran[query] += done if number else 0
        counters.append(dict(sorted(entries.items(), key=lambda item: -item[1])[:shown]))
        event = data.draw(st.sampled_from(["none", "none", "none", "reset", "evict"]))
        if event == "reset":
            entries, interrupted = {}, True
        elif event == "evict" and entries:
            entries.pop(min(entries, key=lambda query: entries[query]))
            interrupted = True
    if not any(counters):
        return
    found = readings(
        tmp_path / "any.csv", *counters, complete=shown == queries, now=DAY + timedelta(days=9)
    )
    counted = calls(found)
    assert all(counted.get(query, 0) <= ran[query] for query in range(1, queries + 1))
    if not interrupted and shown == queries and counters[0]:
        assert counted == {query: n for query, n in ran.items() if n}
    assert all(row.counters.rows == 3 * row.counters.calls for row in found.rows)
