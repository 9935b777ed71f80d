"""Whatever is in a log, and however it is cut: nothing raises, and the cuts change nothing."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgadvisor.collect.logs.formats import log_records, split_entries
from pgadvisor.collect.logs.slow_statement import Started
from pgadvisor.records.log import LogFormat, LoggedStatement, LogSkip, LogSource
from pgadvisor.records.workload import PlanCapture

FIXTURES = Path(__file__).parents[2] / "fixtures" / "logs"
PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "
NOW = "2026-11-22 06:48:41.123 UTC"
HEAD = f"{NOW} [7] ann@shop app=x id=9 "
PLAN = '{\n  "Query Text": "select \'é\n1\'",\n  "Plan": {\n    "Node Type": "Result"\n  }\n}'
TEXT_PLAN = """Query Text: select 'a
Result  (cost=0.00..0.01 rows=1 width=4)'
Limit  (cost=0.00..0.04 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1)
  ->  Seq Scan on t  (cost=0.00..35.50 rows=2550 width=4) (actual rows=1 loops=1)
        Filter: (v = 'x
  ->  y'::text)"""
MESSAGES = (
    f"duration: 5.000 ms  plan:\n{PLAN}",
    f"duration: 6.000 ms  plan:\n{TEXT_PLAN}",
    "duration: 1.500 ms  statement: select 1,\n\t'two'",
    'duration: 1.500 ms  execute a: select "b", $1',
    "duration: 0.500 ms  bind a: select $1",
    "statement: select 'begun'",
    "execute <unnamed>: select 'begun', $1",
    "duration: 0.100 ms",
    "durée : 1.500 ms, instruction : select 'é'",
    "duration: 2.500 ms  statement: select /* pgadvisor */ 1",
    "checkpoint complete: wrote 3 buffers (0.0%)",
    "duration: 7.000 ms  plan:\n<explain>\n</explain>",
)
DETAILS = (
    *("", ""),
    "parameters: $1 = 'it''s\n, $2 = ', $2 = NULL",
    f"parameters: $1 = 'LOG:  \n{HEAD}LOG:  duration: 1.000 ms'",
    "prepare: prepare p as select 1",
)
CONTEXTS = ("", "", "", "SQL function f\nPL/pgSQL function g")


def stderr_entry(message: str, detail: str, context: str, severity: str) -> str:
    parts = [(severity, message), ("DETAIL", detail), ("CONTEXT", context)]
    return "".join(
        f"{HEAD}{label}:  " + text.replace("\n", "\n\t") + "\n" for label, text in parts if text
    )


def csv_entry(message: str, detail: str, context: str, severity: str) -> str:
    columns = [NOW, '"ann"', '"shop"', "7", *[""] * 22]
    columns[11], columns[12], columns[22], columns[25] = severity, "00000", '"x"', "9"
    for place, text in ((13, message), (14, detail), (18, context)):
        columns[place] = '"' + text.replace('"', '""') + '"' if text else ""
    return ",".join(columns) + "\n"


def json_entry(message: str, detail: str, context: str, severity: str) -> str:
    fields = {
        "timestamp": NOW,
        "user": "ann",
        "dbname": "shop",
        "pid": 7,
        "error_severity": severity,
        "message": message,
        "detail": detail,
        "context": context,
        "application_name": "x",
        "query_id": 9,
    }
    kept = {key: value for key, value in fields.items() if value}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n"


ENTRY = {
    LogFormat.STDERR: stderr_entry,
    LogFormat.CSVLOG: csv_entry,
    LogFormat.JSONLOG: json_entry,
}
FORMATS = pytest.mark.parametrize("format_", list(LogFormat))
ENTRIES = st.tuples(
    st.sampled_from(MESSAGES),
    st.sampled_from(DETAILS),
    st.sampled_from(CONTEXTS),
    st.sampled_from(["LOG", "LOG", "LOG", "ERROR"]),
)
#: what makes up lines, for lines that no server writes
SCRAPS = st.sampled_from(
    [
        *('"', '""', "'", ",", "\n", "\n\t", "\t", " ", "{", "}", "\\", "\\u0000", "\x00", ":  "),
        *("LOG:  ", "DETAIL:  ", "CONTEXT:  ", "duration: 1.000 ms", "  statement: ", "  plan:\n"),
        *(NOW, f"{NOW},", HEAD, ',"', ',"duration: ', '{"message":"duration: ', ' "statement: '),
        *("$1 = 'a'", "execute a: ", "мс", "продолжительность: ", "durée : ", "é", "\udcff"),
    ]
)
Record = PlanCapture | LoggedStatement | LogSkip


def source(format_: LogFormat) -> LogSource:
    return LogSource(path="", format=format_, line_prefix=PREFIX)


def read(format_: LogFormat, pieces: list[bytes], limit: int) -> list[Record]:
    """What a log tells that is read piece by piece, as its readers do."""
    where, started = source(format_), Started()
    found: list[Record] = []
    rest, dropping = b"", False
    for number, piece in enumerate([*pieces, b""]):
        data, is_final = rest + piece, number == len(pieces)
        split = split_entries(where, data, final=is_final, dropping=dropping, limit=limit)
        assert 0 <= split.consumed <= len(data)
        assert not (is_final and (split.consumed < len(data) or split.dropping))
        # what is not consumed is one entry, with the line behind it: memory stays bounded
        assert len(data) - split.consumed <= 2 * limit + 20_000
        found += [*log_records(where, split.entries, started), *split.skipped]
        rest, dropping = data[split.consumed :], split.dropping
    return found


def told(records: list[Record]) -> tuple[list[Record], list[str]]:
    """Records in their order, and what was left out in any."""
    left_out = sorted(record.value for record in records if isinstance(record, LogSkip))
    return [record for record in records if not isinstance(record, LogSkip)], left_out


def cut(data: bytes, places: list[int]) -> list[bytes]:
    places = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


PLACES = st.lists(st.integers(0, 10_000), max_size=10)


@FORMATS
@settings(max_examples=150, deadline=None)
@given(entries=st.lists(ENTRIES, max_size=8), places=PLACES)
def test_cuts_change_nothing(
    format_: LogFormat, entries: list[tuple[str, str, str, str]], places: list[int]
) -> None:
    data = "".join(ENTRY[format_](*entry) for entry in entries).encode()
    assert told(read(format_, cut(data, places), 10**6)) == told(read(format_, [data], 10**6))


@settings(max_examples=100, deadline=None)
@given(entries=st.lists(ENTRIES, max_size=8))
def test_formats_tell_the_same(entries: list[tuple[str, str, str, str]]) -> None:
    stderr, csvlog, jsonlog = (
        told(read(format_, ["".join(ENTRY[format_](*entry) for entry in entries).encode()], 10**6))
        for format_ in (LogFormat.STDERR, LogFormat.CSVLOG, LogFormat.JSONLOG)
    )
    assert stderr == csvlog == jsonlog


@FORMATS
@settings(max_examples=150, deadline=None)
@given(entries=st.lists(ENTRIES, max_size=6), places=PLACES, limit=st.integers(600, 1200))
def test_cuts_change_nothing_with_entries_over_the_limit(
    format_: LogFormat, entries: list[tuple[str, str, str, str]], places: list[int], limit: int
) -> None:
    parts = [ENTRY[format_](*entry) for entry in entries]
    for number in (1, 3):
        message = f"duration: 1.500 ms  statement: select '{'x' * 1_500}'\n\t{HEAD}LOG:  "
        parts.insert(number, ENTRY[format_](message, "", "", "LOG"))
    data = "".join(parts).encode()
    assert told(read(format_, cut(data, places), limit)) == told(read(format_, [data], limit))


@FORMATS
@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(ENTRIES | SCRAPS | st.text(max_size=8), max_size=25),
    places=PLACES,
    limit=st.sampled_from([700, 10**6]),
)
def test_nothing_raises(
    format_: LogFormat,
    parts: list[tuple[str, str, str, str] | str],
    places: list[int],
    limit: int,
) -> None:
    text = "".join(part if isinstance(part, str) else ENTRY[format_](*part) for part in parts)
    data = text.encode(
        errors="surrogateescape" if "\udcff" in text else "replace",
    )
    whole = told(read(format_, [data], limit))[0]
    in_pieces = told(read(format_, cut(data, places), limit))[0]
    assert in_pieces == whole


@FORMATS
@given(data=st.binary(max_size=300), places=PLACES)
def test_no_bytes_raise(format_: LogFormat, data: bytes, places: list[int]) -> None:
    read(format_, cut(data, places), 10**6)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.[lc]*")), ids=lambda path: path.name)
@settings(max_examples=15, deadline=None)
@given(places=PLACES)
def test_cuts_of_real_logs_change_nothing(path: Path, places: list[int]) -> None:
    format_ = LogFormat.CSVLOG if path.suffix == ".csv" else LogFormat.STDERR
    data = path.read_bytes()
    whole = told(read(format_, [data], 10**6))
    assert len(whole[0]) == 9
    found, left_out = told(read(format_, cut(data, places), 10**6))
    if path.stem == "en":
        assert (found, left_out) == whole
    # in another language a statement that only began is seen beside a duration alone
    assert [record for record in whole[0] if record in found] == found
    assert len(found) >= 7


@FORMATS
@pytest.mark.parametrize(
    "evil",
    [
        " duration: ",
        ' "duration: ',
        ',"duration: ',
        "LOG:  duration: 1.000 ms  statement: ",
        "\n\t duration: 1.000 ms",
        f'\n{NOW},,,,,,,,,,,,,"duration: 1.000 ms',
        f"\n{HEAD}LOG:  duration: 1.000 ms",
        f"\n{HEAD}LOG:  statement: ",
        f"\n{HEAD}DETAIL:  $1 = '",
        '\n{"message":"duration: 1.000 ms',
    ],
)
def test_megabytes_of_evil_take_linear_time(format_: LogFormat, evil: str) -> None:
    good = ENTRY[format_](MESSAGES[2], "", "", "LOG")
    data = (good + evil * (3_000_000 // len(evil)) + "\n" + good + good).encode()
    pieces = [data[at : at + 1_000_000] for at in range(0, len(data), 1_000_000)]
    started = time.process_time()
    found = read(format_, pieces, 10 * 2**20)
    # quadratic would be hours; this allows for a slow machine
    assert time.process_time() - started < 30
    assert found[:1] == read(format_, [good.encode()], 10**6)
