"""Instants in all their writings."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgadvisor.collect.imports.times import BadTime, Times, day_or_month_first, zone
from pgadvisor.errors import ConfigInvalid

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("2026-02-01 12:00:00+00", "2026-02-01T12:00:00Z", "2026-02-01 12:00:00 UTC"),
        *("2026-02-01 12", "2026-2-1 12:00", "2026/02/01 12:00:00.000", "20260201T120000"),
        *("2026-02-01 13:00:00+01:00", "2026-02-01 07:00-05", "2026-02-01 12:00 pm"),
        *("1769947200", "1769947200.0", "1.7699472e9", "1769947200000", "1769947200000000"),
        *(
            "1769947200000000000",
            "2026020112",
            "20260201120000",
            "1.2.2026 12:00",
            '"2026-02-01 12"',
        ),
        *("2/1/2026 12:00:00 PM", "02/01/2026, 12:00"),
        *(1769947200, 1769947200.0, NOON, datetime(2026, 2, 1, 12)),
        datetime(2026, 2, 1, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_the_same_instant(written: Any) -> None:
    assert Times(first="month").read(written) == NOON


@pytest.mark.parametrize("written", ["", "x", "12", "2026-13-01", "0001-01-01 00:00:00+05", "nan"])
def test_what_is_no_time(written: str) -> None:
    with pytest.raises(BadTime):
        Times().read(written)


def test_a_date_is_its_midnight_and_fractions_end_at_microseconds() -> None:
    assert Times().read(date(2026, 2, 1)) == NOON - timedelta(hours=12)
    read = Times().read("2026-02-01T12:00:00.123456789Z")
    assert read == NOON + timedelta(microseconds=123456)


def test_a_pattern_is_the_only_way_then() -> None:
    times = Times(pattern="%d|%m|%y %H")
    assert times.read("01|02|26 12") == NOON
    with pytest.raises(BadTime):
        times.read("2026-02-01 12:00")


def test_day_and_month_are_told_apart_or_not() -> None:
    assert day_or_month_first(["01/02/2026", "13/02/2026"]) == "day"
    assert day_or_month_first(["1.2.2026"]) == "day"
    assert day_or_month_first(["01/02/2026", "02/02/2026"]) is None
    with pytest.raises(BadTime, match="day and month"):
        Times().read("01/02/2026")


def test_local_times_around_both_changes_of_the_clocks() -> None:
    times = Times(zone("Europe/Berlin"))
    assert times.read("2026-07-01 12:00") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    with pytest.raises(BadTime, match="set forward"):
        times.read("2026-03-29 02:30")
    first = times.read("2026-10-25 02:30")
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert times.second_of(first) == first + timedelta(hours=1)
    assert times.second_of(first + timedelta(hours=1)) is None
    assert times.second_of(times.read("2026-10-25 03:00")) is None


def test_an_unknown_zone_is_an_error_of_the_user() -> None:
    with pytest.raises(ConfigInvalid, match="no time zone"):
        zone("Europe/Bonn")


@settings(deadline=None)
@given(
    st.datetimes(min_value=datetime(1991, 1, 1), max_value=datetime(2199, 1, 1)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y/%m/%d %H:%M:%S.%f",
                     "%d.%m.%Y %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f+00"]),
)  # fmt: skip
def test_any_instant_in_any_writing(instant: datetime, writing: str) -> None:
    assert Times().read(instant.strftime(writing)) == instant.replace(tzinfo=UTC)


@settings(deadline=None)
# in between ten digits are a date and an hour: 2026112210
@given(st.integers(631_152_000, 1_899_999_999) | st.integers(2_100_000_000, 7_000_000_000))
def test_seconds_of_any_unit(seconds: int) -> None:
    times = Times()
    expected = datetime.fromtimestamp(seconds, UTC)
    assert {times.read(str(seconds * unit)) for unit in (1, 10**3, 10**6, 10**9)} == {expected}
