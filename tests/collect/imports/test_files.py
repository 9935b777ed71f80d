"""Files as people have them: whatever they look like, the numbers are the same."""

import bz2
import gzip
import lzma
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.imports.reading import NOW, Read, csv_text, read

from pgadvisor.collect.imports import Counting, FileSource, ImportOptions, Missing, Side
from pgadvisor.collect.imports.times import zone
from pgadvisor.errors import ConfigInvalid, ImportUnreadable

DAY = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOOK = "select a, \"b\" from t where c = 'it''s'\n  and d = $1"
TRUTH = {("shop", LOOK): 33, ("shop", "select 2"): 7}
ROWS = [
    (DAY, "shop", LOOK, 10, 20.5, 1),
    (DAY, "shop", "select 2", 7, 1.25, 0),
    (DAY + HOUR, "shop", LOOK, 20, 41.0, 2),
    (DAY + 2 * HOUR, "shop", LOOK, 3, 6.0, 3),
]
NAMES = ("captured_at", "database", "query", "calls", "total_exec_time", "rows")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def lines(*texts: str) -> str:
    return "\n".join(texts) + "\n"


def check(found: Read, *, milliseconds: float = 68.75) -> None:
    assert found.totals() == TRUTH
    assert sum(row.counters.total_exec_time for row in found.rows) == pytest.approx(milliseconds)
    assert sum(row.counters.rows for row in found.rows) == 6
    assert found.covered("shop") == [(DAY, DAY + 3 * HOUR)]
    assert not found.refused


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        ("Timestamp", "DatName", "SQL Text", "Call Count", "Total Time (ms)", "Row Count"),
        ("ts", "db", "queryText", "nCalls", "totalTime", "numRows"),
        ("HOUR", "DATABASE_NAME", "STATEMENT", "EXECUTIONS", "TOTAL_ELAPSED_TIME", "ROWS"),
        ("ds", "dbname", "sql", "delta_calls", "pgss_total_time", "rows_returned"),
    ],
)
def test_names_and_delimiters(path: Path, delimiter: str, names: tuple[str, ...]) -> None:
    check(read(path, csv_text(names, ROWS, delimiter=delimiter)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_encodings_and_compression(path: Path, encoding: str, pack: Any) -> None:
    check(read(path, pack(csv_text(NAMES, ROWS).encode(encoding))))


@pytest.mark.parametrize(
    ("name", "factor"),
    [("total_exec_time_s", 1e-3), ("total_time_us", 1e3), ("total_exec_time_ms", 1.0),
     ("totalDurationSeconds", 1e-3), ("total_time_ns", 1e6)],
)  # fmt: skip
def test_units_in_names(path: Path, name: str, factor: float) -> None:
    rows = [(*row[:4], row[4] * factor, row[5]) for row in ROWS]
    check(read(path, csv_text((*NAMES[:4], name, NAMES[5]), rows)))


def test_a_mean_and_its_calls_make_the_total(path: Path) -> None:
    rows = [(*row[:4], row[4] / row[3], row[5]) for row in ROWS]
    check(read(path, csv_text((*NAMES[:4], "avg_exec_time", "rows"), rows)))


def test_a_standard_deviation_makes_the_sum_of_squares(path: Path) -> None:
    text = lines("hour,query,calls,mean_exec_time,stddev_exec_time", "2026-02-01,select 1,4,3,2")
    (row,) = read(path, text, interval=HOUR).rows
    assert row.counters.sum_squared_exec_time == pytest.approx(4 * (3**2 + 2**2))


def test_columns_of_any_name_by_map(path: Path) -> None:
    names = ("wann", "wo", "was", "wie oft", "wie lange", "Zeilen")
    mapping = dict(zip(("captured_at", "database", "query", "calls"), names, strict=False))
    mapping |= {"total_exec_time_ms": "wie lange", "rows": "Zeilen"}
    check(read(path, csv_text(names, ROWS), mapping=mapping))


def test_a_map_of_nothing_is_an_error(path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no column 'n'"):
        read(path, csv_text(NAMES, ROWS), mapping={"calls": "n"})
    with pytest.raises(ConfigInvalid, match="no field 'call'"):
        read(path, csv_text(NAMES, ROWS), mapping={"call": "calls"})


def test_columns_without_a_header(path: Path) -> None:
    text = csv_text(NAMES, ROWS).split("\r\n", 1)[1]
    check(read(path, text, columns=NAMES))
    with pytest.raises(ImportUnreadable, match="no header"):
        read(path, text)


@pytest.mark.parametrize("order", [lambda rows: rows[::-1], lambda rows: rows[1:] + rows[:1]])
def test_rows_in_any_order(path: Path, order: Any) -> None:
    found = read(path, csv_text(NAMES, order(ROWS)))
    check(found)
    starts = [row.since for row in found.rows]
    assert starts == sorted(starts)


def test_decimal_commas(path: Path) -> None:
    rows = [
        (
            *row[:3],
            f"{row[3]:.2f}".replace(".", ","),
            f"{row[4]:,.2f}".replace(",", " ").replace(".", ",").replace(" ", "."),
            row[5],
        )
        for row in ROWS
    ]
    check(read(path, csv_text(NAMES, rows, delimiter=";")))


def test_parquet_of_any_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "captured_at": pa.array([row[0] for row in ROWS], pa.timestamp("ns", tz="UTC")),
            "database": pa.array([row[1] for row in ROWS]).dictionary_encode(),
            "query": pa.array([row[2] for row in ROWS], pa.large_string()),
            "calls": pa.array([float(row[3]) for row in ROWS], pa.float64()),
            "total_exec_time": pa.array([row[4] for row in ROWS], pa.float64()),
            "rows": pa.array([row[5] for row in ROWS], pa.int32()),
            "shared_blks_hit": pa.array([float("nan"), 1.0, None, 2.0], pa.float64()),
        }
    )
    path = tmp_path / "history.parquet"
    pq.write_table(table, path)
    source = FileSource(path, ImportOptions())
    found = Read(source.pieces(now=NOW), source.notes)
    check(found)
    assert sum(row.counters.shared_blks_hit for row in found.rows) == 3


def test_damaged_files_are_refused_whole(tmp_path: Path, path: Path) -> None:
    packed = gzip.compress(csv_text(NAMES, ROWS * 5000).encode())
    with pytest.raises(ImportUnreadable, match="cannot be read after line"):
        read(path, packed[: len(packed) // 2])
    with pytest.raises(ImportUnreadable, match="not a text file"):
        read(path, b"\x00\x01\x02")
    with pytest.raises(ImportUnreadable, match="no rows"):
        read(path, "")
    with pytest.raises(ImportUnreadable, match="not a whole Parquet file"):
        read(path, b"PAR1 and no more")
    with pytest.raises(ImportUnreadable, match="cannot be read"):
        FileSource(tmp_path / "nothing.csv", ImportOptions())


def test_every_bad_row_has_its_reason_and_line(path: Path) -> None:
    text = lines(
        "captured_at,database,query,calls,total_exec_time",
        "yesterday,shop,select 1,1,1",
        "2026-02-01 00:00,shop,select 1,-1,1",
        "2026-02-01 00:00,shop,select 1,NaN,1",
        "2026-02-01 00:00,shop,select 1,many,1",
        "2026-02-01 00:00,shop,select 1,1,inf",
        "2026-02-01 00:00,shop,select 1,,1",
        "2026-02-01 00:00,shop,,1,1",
        "2026-02-01 00:00,shop",
        ",shop,select 1,1,1",
        "2026-02-01 00:00,shop,select 1,99999999999999999999,1",
        "2036-02-01 00:00,shop,select 1,1,1",
        "2026-02-01 00:00,shop,select 1,5,1",
        "2026-02-01 00:00,shop,select 1,5,1",
        "2026-02-01 01:00,shop,select 1,3,1",
    )
    found = read(path, text)
    assert found.refused == {
        "not a time": 1,
        "no time": 1,
        "negative: calls": 1,
        "NaN or infinite: calls": 1,
        "NaN or infinite: total_exec_time": 1,
        "not a number: calls": 1,
        "no value: calls": 1,
        "larger than bigint: calls": 1,
        "neither queryid nor query": 1,
        "wrong number of columns": 1,
        "duplicate of another row": 1,
        "in the future": 1,
    }
    assert found.notes.refused["negative: calls"].examples == ["line 3"]
    assert found.notes.refused["duplicate of another row"].examples == ["line 14: of line 13"]
    assert found.totals() == {("shop", "select 1"): 8}
    assert found.notes.rows_read == 14 == sum(found.refused.values()) + len(found.rows)


def test_rows_of_users_that_are_not_told_apart_add_up(path: Path) -> None:
    text = lines("hour,query,calls", "2026-02-01 00:00,select 1,5", "2026-02-01 00:00,select 1,6")
    found = read(path, text)
    assert found.totals() == {("history", "select 1"): 11}
    assert "added up" in found.told


def test_queryids_of_all_kinds(path: Path) -> None:
    text = lines(
        "hour,queryid,calls",
        f"2026-02-01 00:00,{-(2**63)},1",
        f"2026-02-01 00:00,{2**64 - 5},2",
        "2026-02-01 00:00,0,3",
        "2026-02-01 00:00,1.5E+18,4",
        "2026-02-01 00:00,checkout,5",
        "2026-02-01 01:00,-5,6",
    )
    found = read(path, text)
    assert found.totals() == {
        ("history", -(2**63)): 1,
        ("history", -5): 8,
        ("history", "checkout"): 5,
    }
    assert found.refused == {
        "neither queryid nor query": 1,
        "queryid lost digits: it was written as a float": 1,
    }


def test_hidden_texts_keep_their_queryid(path: Path) -> None:
    text = lines(
        "hour,queryid,query,calls",
        "2026-02-01 00:00,7,<insufficient privilege>,1",
        "2026-02-01 00:00,,<insufficient privilege>,2",
        "2026-02-01 01:00,7,<insufficient privilege>,3",
    )
    found = read(path, text)
    assert found.totals() == {("history", 7): 4}
    assert found.refused == {"hidden: no queryid and no text": 1}


# times -------------------------------------------------------------------------------------------


def test_times_on_a_grid_are_starts_and_times_of_a_clock_are_ends(path: Path) -> None:
    on_grid = read(path, lines("captured_at,query,calls", *_hourly("00:00")))
    assert (on_grid.rows[0].since, on_grid.rows[0].until) == (DAY, DAY + HOUR)
    of_clock = read(
        path,
        lines(
            "captured_at,query,calls",
            *("2026-02-01 00:00:03,select 1,5", "2026-02-01 01:00:07,select 1,3"),
            *("2026-02-01 02:00:04,select 1,4", "2026-02-01 08:00:05,select 1,4"),
        ),
    )
    second = timedelta(seconds=1)
    assert [(row.since, row.until) for row in of_clock.rows][1:3] == [
        (DAY + 3 * second, DAY + HOUR + 7 * second),
        (DAY + HOUR + 7 * second, DAY + 2 * HOUR + 4 * second),
    ]
    # after a hole a row is no longer than the others
    assert of_clock.rows[3].until - of_clock.rows[3].since < 2 * HOUR


def test_the_side_and_the_length_can_be_said(path: Path) -> None:
    text = lines("captured_at,query,calls", *_hourly("00:00"))
    found = read(path, text, side=Side.END, interval=timedelta(minutes=30))
    assert (found.rows[0].since, found.rows[0].until) == (DAY - HOUR / 2, DAY)


def test_one_time_alone_has_no_length(path: Path) -> None:
    text = lines("captured_at,query,calls", "2026-02-01 00:00,select 1,5")
    with pytest.raises(ConfigInvalid, match="of one time") as caught:
        read(path, text)
    assert "--interval" in caught.value.hint
    assert read(path, text, interval=HOUR).rows[0].until == DAY + HOUR


def test_spans_of_their_own(path: Path) -> None:
    text = lines(
        "since,until,query,calls",
        "2026-02-01 00:00,2026-02-01 00:05,select 1,5",
        "2026-02-01 00:05,2026-02-01 00:20,select 1,6",
        "2026-02-01 00:20,2026-02-01 00:10,select 1,6",
    )
    found = read(path, text)
    assert [row.until - row.since for row in found.rows] == [HOUR / 12, HOUR / 4]
    assert found.refused == {"span ends before it begins": 1}


def test_the_current_hour_ends_now(path: Path) -> None:
    text = lines("hour,query,calls", "2026-02-01 00:00,select 1,5", "2026-02-01 01:00,select 1,6")
    found = read(path, text, now=DAY + 1.5 * HOUR)
    assert found.rows[-1].until == DAY + 1.5 * HOUR


def test_date_and_hour_of_the_day(path: Path) -> None:
    rows = [f"2026-02-0{day},{hour},select 1,1" for day in (1, 2) for hour in range(24)]
    found = read(path, lines("date,hour,query,calls", *rows))
    assert found.covered("history") == [(DAY, DAY + 48 * HOUR)]


def _hourly(minute: str) -> list[str]:
    return [f"2026-02-01 {hour:02}:{minute},select 1,{5 - hour}" for hour in range(3)]


def test_the_hour_that_is_there_twice_and_the_one_that_is_missing(path: Path) -> None:
    local = zone("Europe/Berlin")
    start = datetime(2025, 10, 25, 22, tzinfo=UTC)
    hours = [start + number * HOUR for number in range(5)]
    rows = [
        (h.astimezone(local).strftime("%Y-%m-%d %H:%M"), "select 1", 2**n)
        for n, h in enumerate(hours)
    ]
    for order in (rows, rows[::-1]):
        found = read(path, csv_text(("hour", "query", "calls"), order), local=local)
        assert [(row.since, row.counters.calls) for row in found.rows] == [
            (hour, 2**number) for number, hour in enumerate(hours)
        ]
    text = lines("hour,query,calls", "2025-03-30 01:00,select 1,1", "2025-03-30 02:30,select 1,2",
                 "2025-03-30 03:00,select 1,4")  # fmt: skip
    found = read(path, text, local=local)
    assert found.covered("history") == [
        (datetime(2025, 3, 30, 0, tzinfo=UTC), datetime(2025, 3, 30, 2, tzinfo=UTC))
    ]
    assert list(found.refused.values()) == [1]


def test_holes_are_unobserved_where_they_are_few_and_nothing_where_they_are_many(
    path: Path,
) -> None:
    hours = [hour for hour in range(100) if hour not in (40, 41, 42)]
    found = read(path, _at_hours(hours))
    assert found.covered("history") == [(DAY, DAY + 40 * HOUR), (DAY + 43 * HOUR, DAY + 100 * HOUR)]
    assert read(path, _at_hours(hours), missing=Missing.ZERO).covered("history") == [
        (DAY, DAY + 100 * HOUR)
    ]
    nightly = [day * 24 + 3 for day in range(20)] + [day * 24 + 4 for day in range(20)]
    found = read(path, _at_hours(sorted(nightly)))
    assert found.covered("history") == [(DAY + 3 * HOUR, DAY + (19 * 24 + 5) * HOUR)]
    assert {row.until - row.since for row in found.rows} == {HOUR}


def _at_hours(hours: list[int]) -> str:
    rows = [((DAY + hour * HOUR).isoformat(), "select 1", 1 + hour % 7) for hour in hours]
    return csv_text(("hour", "query", "calls"), rows)


# series and executions ----------------------------------------------------------------------------


def test_a_series_by_itself_is_named_by_its_file(path: Path) -> None:
    found = read(path, lines("timestamp,value", "2026-02-01 00:00,5", "2026-02-01 01:00,0"))
    assert found.totals() == {("history", "history"): 5}
    assert all(row.statement.is_series for row in found.rows)
    assert found.covered("history") == [(DAY, DAY + 2 * HOUR)]


def test_fractions_are_times_and_the_metric_can_be_said(path: Path) -> None:
    text = lines("timestamp,value", "2026-02-01 00:00,0.5", "2026-02-01 01:00,2")
    found = read(path, text)
    assert found.totals("total_exec_time") == {("history", "history"): 2.5}
    assert found.totals("calls") == {("history", "history"): 2}
    whole = read(path, text, metric="rows")
    assert whole.totals("rows") == {("history", "history"): 2}
    assert "rounded" in whole.told


def test_series_in_rows_and_in_columns(path: Path) -> None:
    tall = read(
        path,
        lines("unique_id,ds,y", "a,2026-02-01 00:00,5", "a,2026-02-01 01:00,6",
              "b,2026-02-01 00:00,7"),
    )  # fmt: skip
    assert tall.totals() == {("history", "a"): 11, ("history", "b"): 7}
    for wide_is_said in (False, True):
        wide = read(
            path,
            lines("date,host,a,b", "2026-02-01 00:00,h,5,7", "2026-02-01 01:00,h,6,"),
            wide=wide_is_said,
        )
        assert wide.totals() == {("history", "a"): 11, ("history", "b"): 7}
        assert wide.refused == {"no value: value": 1}
        assert "columns not taken: host" in wide.told


def test_executions_add_up_by_the_minute(path: Path) -> None:
    text = lines(
        "time,query,duration_ms",
        "2026-02-01 00:00:01.5,select 1,2",
        "2026-02-01 00:00:01.5,select 1,2",
        "2026-02-01 00:00:59.9,select 1,3",
        "2026-02-01 00:03:00,select 2,0.5",
    )
    found = read(path, text)
    assert found.totals() == {("history", "select 1"): 3, ("history", "select 2"): 1}
    assert found.rows[0].counters.sum_squared_exec_time == 2 * 2 + 2 * 2 + 3 * 3
    assert found.covered("history") == [(DAY, DAY + timedelta(minutes=4))]
    assert "single executions" in found.told


def test_a_time_that_may_be_of_one_call_or_of_all_is_asked_about(path: Path) -> None:
    text = lines("hour,query,calls,exec_time", "2026-02-01 00:00,select 1,4,8")
    with pytest.raises(ImportUnreadable, match="of all calls of a row, or of one"):
        read(path, text)
    found = read(path, text, mapping={"mean_exec_time": "exec_time"})
    assert found.totals("total_exec_time") == {("history", "select 1"): 32}


def test_files_with_nothing_to_import_say_what_they_have(path: Path) -> None:
    with pytest.raises(ImportUnreadable, match="no column with a time"):
        read(path, lines("a,b", "1,2"))
    with pytest.raises(ImportUnreadable, match="nothing that can be counted"):
        read(path, lines("time,host", "2026-02-01,h"))
    with pytest.raises(ImportUnreadable, match="no row that can be imported") as caught:
        read(path, lines("time,query,calls", "2026-02-01,select 1,-1"))
    assert "negative: calls: 1 rows (line 2)" in caught.value.hint


def test_times_moved_to_now_keep_their_hour_and_day_of_the_week(path: Path) -> None:
    path.write_text(lines("hour,query,calls", *_hourly("00:00")))
    source = FileSource(path, ImportOptions())
    source.shift_to_now(NOW + timedelta(days=900), [])
    found = Read(source.pieces(now=NOW + timedelta(days=900)), source.notes)
    moved = found.rows[0].since - DAY
    assert moved % timedelta(weeks=1) == timedelta(0)
    assert NOW + timedelta(days=893) <= found.rows[-1].until <= NOW + timedelta(days=900)
    again = FileSource(path, ImportOptions())
    again.shift_to_now(NOW + timedelta(days=2000), [source.name])
    assert again.name == source.name


@pytest.mark.parametrize("counting", list(Counting))
def test_what_the_user_says_wins(path: Path, counting: Counting) -> None:
    text = lines("captured_at,query,calls", *_hourly("00:00"))
    expected = {Counting.DELTAS: 12, Counting.CUMULATIVE: 7, Counting.EVENTS: 12}
    found = read(path, text, counting=counting)
    assert found.totals() == {("history", "select 1"): expected[counting]}


counters = st.tuples(
    st.integers(0, 2**40),
    st.floats(0, 1e9, allow_nan=False).map(lambda value: round(value, 3)),
    st.integers(0, 2**40),
)
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cc", "Cs"]),
    min_size=1,
).map(lambda text: f"select {text!r}".strip())


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
@given(
    history=st.dictionaries(
        st.tuples(st.integers(0, 48), st.sampled_from(["shop", "crm"]), texts),
        counters,
        min_size=2,
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([0, 1, 2]),
    newline=st.sampled_from(["\n", "\r\n"]),
    newest_first=st.booleans(),
    pack=st.sampled_from([bytes, gzip.compress]),
)
def test_any_history_in_any_dialect(
    tmp_path: Path,
    history: dict[tuple[int, str, str], tuple[int, float, int]],
    delimiter: str,
    quoting: int,
    newline: str,
    newest_first: bool,
    pack: Any,
) -> None:
    rows = [
        ((DAY + hour * HOUR).strftime("%Y-%m-%d %H:%M:%S"), database, query, *values)
        for (hour, database, query), values in sorted(history.items(), reverse=newest_first)
    ]
    text = csv_text(NAMES, rows, delimiter=delimiter, quoting=quoting, lineterminator=newline)
    found = read(tmp_path / "any.csv", pack(text.encode()), counting=Counting.DELTAS, interval=HOUR)
    expected: dict[tuple[str, str], list[float]] = {}
    for (_, database, query), values in history.items():
        sums = expected.setdefault((database, query.strip()), [0, 0.0, 0])
        for index, value in enumerate(values):
            sums[index] += value
    for index, name in enumerate(("calls", "total_exec_time", "rows")):
        assert found.totals(name) == {
            key: pytest.approx(sums[index]) for key, sums in expected.items()
        }
    assert not found.refused


cells = st.sampled_from(
    [
        *("", "0", "-1", "nan", "inf", "1e400", "99999999999999999999", "1,5", "x", "NULL", r"\N"),
        *("2026-02-01", "2026-02-01 00:00:00", "2026-02-30", "01/02/2026", "1769904000", "0001"),
        *("select 1", "select '", '"', "'", "\n", "\0", "ä", "true", "shop", "5", "7.5", "a,b;c|d"),
    ]
)
headers = st.lists(
    st.sampled_from(
        [
            *("captured_at", "hour", "since", "until", "date", "database", "dbid", "query", "user"),
            *(
                "queryid",
                "userid",
                "toplevel",
                "calls",
                "rows",
                "total_exec_time",
                "value",
                "a",
                "",
            ),
            *("mean_exec_time", "stddev_exec_time", "duration", "series", "stats_since", "plans"),
        ]
    ),
    min_size=1,
    max_size=7,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(
    names=headers,
    rows=st.lists(st.lists(cells, max_size=8), max_size=8),
    counting=st.sampled_from([None, *Counting]),
    wide=st.booleans(),
    raw=st.one_of(st.none(), st.binary(max_size=200)),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path: Path,
    names: list[str],
    rows: list[list[str]],
    counting: Counting | None,
    wide: bool,
    raw: bytes | None,
) -> None:
    content = csv_text(names, rows).encode() + (raw or b"")
    try:
        found = read(tmp_path / "any.csv", content, counting=counting, wide=wide, interval=HOUR)
    except (ConfigInvalid, ImportUnreadable) as exc:
        assert exc.message and exc.hint
        return
    for row in found.rows:
        assert row.since < row.until <= NOW
        assert all(value >= 0 for value in row.counters)
        assert row.statement.query is not None or row.statement.queryid is not None
