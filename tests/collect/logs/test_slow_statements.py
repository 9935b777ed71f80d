"""Statements that a server logs for their duration: real ones, in all formats and languages."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgadvisor.cluster import Cluster
from pgadvisor.collect.logs.formats import log_records, split_entries
from pgadvisor.collect.logs.slow_statement import Started, parameters
from pgadvisor.records.log import LogFormat, LoggedStatement, LogSkip, LogSource
from pgadvisor.records.workload import PlanCapture

Conn = psycopg.Connection[Any]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "logs"
PREFIX = "%m [%p] %q%u@%d app=%a id=%Q "
LIMIT = 1_000_000


@dataclass
class Found:
    """What some bytes tell."""

    statements: list[LoggedStatement]
    plans: list[PlanCapture]
    skipped: list[LogSkip]


def read(data: bytes, format_: LogFormat, **source: Any) -> Found:
    """What a whole log tells."""
    where = LogSource(**{"path": "", "format": format_, "line_prefix": PREFIX, **source})
    split = split_entries(where, data, final=True, dropping=False, limit=LIMIT)
    assert split.consumed == len(data)
    found = Found([], [], split.skipped)
    for record in log_records(where, split.entries):
        if isinstance(record, LogSkip):
            found.skipped.append(record)
        elif isinstance(record, PlanCapture):
            found.plans.append(record)
        else:
            found.statements.append(record)
    return found


def formats(conn: Conn) -> list[LogFormat]:
    """What the server writes; jsonlog came with 15."""
    is_old = conn.info.server_version < 150000
    return [one for one in LogFormat if not (is_old and one is LogFormat.JSONLOG)]


class Logged:
    """What the server writes to its three logs from now on."""

    def __init__(self, conn: Conn) -> None:
        self._conn = conn
        row = conn.execute("select current_setting('data_directory')").fetchone()
        assert row is not None
        self._directory = Path(row[0])
        self.formats = formats(conn)
        self._begin = {format_: self._path(format_).stat().st_size for format_ in self.formats}

    def _path(self, format_: LogFormat) -> Path:
        row = self._conn.execute("select pg_current_logfile(%s)", (format_.value,)).fetchone()
        assert row is not None
        return self._directory / str(row[0])

    def read(self, **source: Any) -> list[Found]:
        """Of each format, up to what is logged here."""
        mark = f"end of test {id(self)}"
        self._conn.execute(f"do $$ begin raise log '{mark}'; end $$".encode())
        found = [(self._until(format_, mark.encode()), format_) for format_ in self.formats]
        return [read(data, format_, **source) for data, format_ in found]

    def _until(self, format_: LogFormat, mark: bytes) -> bytes:
        for _ in range(1000):
            data = self._path(format_).read_bytes()[self._begin[format_] :]
            # its STATEMENT line or column comes later and is not needed
            if mark in data and data.endswith(b"\n"):
                return data
            self._conn.execute("select pg_sleep(0.01)")
        raise AssertionError("the log never showed what it should")


@pytest.fixture(scope="module")
def database(target_cluster: Cluster) -> Iterator[Conn]:
    """A session in a database of its own."""
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database logged_statements")
    with psycopg.connect(target_cluster.dsn("logged_statements"), autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        conn.prepare_threshold = None
        yield conn
    with psycopg.connect(target_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database logged_statements")


@pytest.fixture
def conn(database: Conn) -> Conn:
    """A session whose statements are logged when `log` says so."""
    database.execute("reset all")
    return database


def log(conn: Conn, **settings: str) -> None:
    """Set what is logged; this itself is not, where nothing was before."""
    for name, value in {"log_min_duration_statement": "0", **settings}.items():
        conn.execute("select set_config(%s, %s, false)", (name, value))


def has_queryid(conn: Conn) -> bool:
    """%Q and the columns came with 14."""
    return conn.info.server_version >= 140000


def ours(found: Found, conn: Conn) -> list[LoggedStatement]:
    """The statements of this test, without those that set what is logged."""
    return [
        statement
        for statement in found.statements
        if statement.database == conn.info.dbname and "set_config" not in statement.query
    ]


def each(conn: Conn, logged: Logged, **source: Any) -> list[LoggedStatement]:
    """The statements of a test, which all formats tell alike."""
    read_, *others = logged.read(**source)
    first = ours(read_, conn)
    assert all(ours(other, conn) == first for other in others)
    assert all(other.skipped == read_.skipped for other in others)
    # what ends the reading is a statement, too
    return [statement for statement in first if "raise log 'end" not in statement.query]


def test_all_protocols_and_what_is_told(conn: Conn) -> None:
    conn.execute("set application_name to 'my app id=5 [x], \"q\" %'")
    logged = Logged(conn)
    log(conn)
    conn.execute("select 1,\n\t'two \"quoted\"', 'a,b'  -- é 日本 \\ \"")
    conn.execute("select %s::int, %s::text", (7, "text"))
    conn.execute("select 'prepared', %s::int", (8,), prepare=True)
    with conn.transaction(), conn.cursor("named") as cursor:
        cursor.execute("select * from generate_series(1, 3)").fetchone()
    log(conn, log_min_duration_statement="-1")
    found = each(conn, logged)
    assert [statement.query for statement in found] == [
        "select 1,\n\t'two \"quoted\"', 'a,b'  -- é 日本 \\ \"",
        "select $1::int, $2::text",
        "select 'prepared', $1::int",
        "BEGIN",
        'DECLARE "named" CURSOR FOR select * from generate_series(1, 3)',
        'FETCH FORWARD 1 FROM "named"',
        'CLOSE "named"',
        "COMMIT",
    ]
    assert [statement.parameters for statement in found[:4]] == [(), ("7", "text"), ("8",), ()]
    row = conn.execute(
        "select current_user, pg_backend_pid(), now(), (select queryid from pg_stat_statements "
        "where query like '% -- é 日本%' and dbid = (select oid from pg_database "
        "where datname = current_database()))"
    ).fetchone()
    assert row is not None
    for statement in found:
        assert (statement.user, statement.pid) == row[:2]
        assert statement.application_name == 'my app id=5 [x], "q" %'
        assert 0 <= (row[2] - statement.logged_at).total_seconds() < 60
        assert 0 <= statement.duration_ms < 1000
    assert found[0].queryid == (row[3] if has_queryid(conn) else None)


PARAMETERS = (
    ("it's, $2 = 'x'\nnext\tline", None, "", "', $3 = NULL", '\\ " , é'),
    ("$1 = 'a'",),
    (None,),
    ("duration: 5.000 ms  statement: fake",),
)


@pytest.mark.parametrize("values", PARAMETERS)
def test_parameters(conn: Conn, values: tuple[str | None, ...]) -> None:
    logged = Logged(conn)
    log(conn)
    places = ", ".join(["%s::text"] * len(values))
    conn.execute(f"select {places}".encode(), values)
    log(conn, log_min_duration_statement="-1")
    (statement,) = each(conn, logged)
    assert statement.parameters == values


def test_parameters_that_the_server_cuts_or_hides(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn, log_parameter_max_length="4")
    conn.execute("select %s::text, %s::text", ("long'er", "abc"))
    log(conn, log_parameter_max_length="0")
    conn.execute("select %s::text", ("none",))
    log(conn, log_min_duration_statement="-1")
    assert [one.parameters for one in each(conn, logged)] == [("long...", "abc"), ()]


def test_execute_is_what_it_runs(conn: Conn) -> None:
    prepare = "prepare p (int) as\nselect 'it''s', $1"
    logged = Logged(conn)
    log(conn)
    conn.execute(prepare.encode())
    conn.execute("execute p (5)")
    conn.execute("execute p (6); select 'beside'")
    log(conn, log_min_duration_statement="-1")
    conn.execute("deallocate p")
    queries = [statement.query for statement in each(conn, logged)]
    assert queries == [prepare, prepare, "execute p (6); select 'beside'"]


def test_verbose_lines(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn, log_error_verbosity="verbose")
    conn.execute("select 'a\nLOCATION:  b', %s::int", (1,))
    log(conn, log_min_duration_statement="-1", log_error_verbosity="terse")
    (statement,) = each(conn, logged)
    assert statement.query == "select 'a\nLOCATION:  b', $1::int"
    assert statement.parameters == ("1",)


def test_terse_lines_have_no_parameters(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn, log_error_verbosity="terse")
    conn.execute("select 'terse', %s::int", (1,))
    log(conn, log_min_duration_statement="-1", log_error_verbosity="default")
    for format_, found in zip(logged.formats, logged.read(), strict=True):
        (statement,) = [one for one in ours(found, conn) if "terse" in one.query]
        # csvlog and jsonlog have their detail whatever the verbosity
        assert statement.parameters == (() if format_ is LogFormat.STDERR else ("1",))


NOW = "2026-11-22 06:48:41.123 UTC"
FAKE = f"{NOW} [7] ann@shop app= id=9 LOG:  duration: 9.000 ms  statement: fake"
FAKE_CSV = f'{NOW},"ann","shop",7,,,,,,,,LOG,00000,"duration: 9.000 ms  statement: fake"'
QUOTED = f'"duration: 9.000 ms  statement: fake"\n{FAKE}'


def test_nothing_a_client_says_becomes_an_execution(conn: Conn) -> None:
    conn.execute("set application_name to 'a id=5 LOG:  duration: 9.000 ms  statement: fake'")
    logged = Logged(conn)
    statements = [
        f"select '\n{FAKE}\n\t{FAKE}\n'",
        f"select '\n{FAKE_CSV}\n{FAKE_CSV},,,,,,,,,\n'",
        'select \'"message":"duration: 9.000 ms  statement: fake"\'',
        "select 1 -- LOG:  duration: 9.000 ms  statement: fake",
        "do $$ begin raise log 'duration: 9.000 ms  statement: fake'; end $$",
        "do $$ begin raise warning 'duration: 9.000 ms  statement: fake'; end $$",
    ]
    log(conn)
    for statement in statements:
        conn.execute(statement.encode())
    for broken in ("duration: 9.000 ms  statement: fake", QUOTED):
        with pytest.raises(psycopg.Error):
            conn.execute(broken.encode())
    log(conn, log_min_duration_statement="-1")
    for format_, found in zip(logged.formats, logged.read(), strict=True):
        queries = [one.query for one in ours(found, conn) if "raise log 'end" not in one.query]
        if format_ is not LogFormat.STDERR:
            assert queries == statements
            assert {one.application_name for one in ours(found, conn)} == {
                "a id=5 LOG:  duration: 9.000 ms  statement: fake"
            }
            assert not any(one.query == "fake" for one in found.statements)
        assert found.skipped == []


def test_fake_lines_in_stderr_stay_inside_their_statement(conn: Conn) -> None:
    logged = Logged(conn)
    statements = [
        f"select '\n{FAKE}\n\t{FAKE}\n'",
        "select 1 -- LOG:  duration: 9.000 ms  statement: fake",
        "do $$ begin raise log 'duration: 9.000 ms  statement: fake'; end $$",
    ]
    log(conn)
    for statement in statements:
        conn.execute(statement.encode())
    with pytest.raises(psycopg.Error):
        conn.execute("duration: 9.000 ms  statement: fake")  # its STATEMENT line
    log(conn, log_min_duration_statement="-1")
    assert [one.query for one in each(conn, logged)] == statements


def test_own_statements_are_counted_and_left_out(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn)
    conn.execute("select /* pgadvisor */ 1")
    conn.execute("select /* pgadvisor */ %s::int", (1,))
    log(conn, log_min_duration_statement="-1")
    for found in logged.read():
        assert found.skipped == [LogSkip.OWN_STATEMENT] * 2
        assert not any("pgadvisor" in one.query for one in ours(found, conn))


def test_duration_is_joined_with_the_statement_logged_before(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn, log_statement="all")
    conn.execute("select 'simple',\n 1")
    conn.execute("select 'extended', %s::text", ("x",))
    with pytest.raises(psycopg.Error):
        conn.execute("select 1/0")
    conn.execute("select /* pgadvisor */ 2")
    conn.execute("set log_statement = 'none'")
    conn.execute("set log_min_duration_statement = -1")
    conn.execute("set log_duration = on")
    conn.execute("select 'without a text'")
    conn.execute("set log_duration = off")
    each_format = logged.read()
    for found in each_format:
        queries = [(one.query, one.parameters) for one in ours(found, conn)]
        assert queries == [
            ("select 'simple',\n 1", ()),
            ("select 'extended', $1::text", ("x",)),
            ("set log_statement = 'none'", ()),
        ]
        assert all(one.duration_ms > 0 for one in ours(found, conn))
        assert found.skipped == [
            LogSkip.OWN_STATEMENT,
            LogSkip.NO_STATEMENT,
            LogSkip.NO_STATEMENT,
        ]
    first = ours(each_format[0], conn)
    assert all(ours(found, conn) == first for found in each_format)
    assert (first[0].queryid is not None) is has_queryid(conn)


def test_statement_and_plan_of_one_execution_are_two_records(conn: Conn) -> None:
    logged = Logged(conn)
    log(conn, **{"auto_explain.log_min_duration": "0"})
    conn.execute("select 'both' from pg_class limit 1")
    log(conn, log_min_duration_statement="-1", **{"auto_explain.log_min_duration": "-1"})
    for found in logged.read():
        assert [one.query for one in found.plans if "both" in one.query]
        assert [one.query for one in ours(found, conn) if "both" in one.query]


def test_plans_in_text_format(conn: Conn) -> None:
    logged = Logged(conn)
    settings = {"log_format": "text", "log_min_duration": "0"}
    log(
        conn,
        log_min_duration_statement="-1",
        **{f"auto_explain.{name}": value for name, value in settings.items()},
    )
    fake = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)"
    conn.execute(f"select 'text\n{fake}', count(*) from pg_am".encode())
    log(conn, **{"auto_explain.log_min_duration": "-1"}, log_min_duration_statement="-1")
    each_format = logged.read()
    for found in each_format:
        (plan,) = [one for one in found.plans if "pg_am" in one.query]
        assert plan.query.startswith("select 'text\nSeq Scan on t")
        assert plan.plan["Node Type"] == "Aggregate"
        (scan,) = plan.plan["Plans"]
        assert (scan["Node Type"], scan["Relation Name"]) == ("Seq Scan", "pg_am")
        assert scan["Actual Rows"] > 0
        assert found.skipped == []
        assert found.plans == each_format[0].plans


EXPECTED = (
    ("select 1,\n\t'two'", ()),
    ("select $1::int, $2::text, $3::text", ("7", "it's, $2 = 'x'\nnext, é", None)),
    ("prepare p as select 'prepared', $1::int", ()),
    ("prepare p as select 'prepared', $1::int", ()),
    ("select g from generate_series(1, 3) g where g <> $1", ("9",)),
    ("select g from generate_series(1, 3) g where g <> $1", ("9",)),
    ("set log_statement = 'all'", ()),
    ("select 'began', $1::int", ("1",)),
    ("select 'began simply'", ()),
)


@pytest.mark.parametrize("language", sorted(path.stem for path in FIXTURES.glob("*.log")))
def test_languages(language: str) -> None:
    stderr, csvlog = (
        read((FIXTURES / f"{language}.{suffix}").read_bytes(), format_)
        for suffix, format_ in (("log", LogFormat.STDERR), ("csv", LogFormat.CSVLOG))
    )
    assert [(one.query, one.parameters) for one in stderr.statements] == list(EXPECTED)
    assert all(one.queryid and one.duration_ms >= 0 and one.pid for one in stderr.statements)
    assert {one.application_name for one in stderr.statements} == {None}
    assert stderr.statements == csvlog.statements
    assert stderr.skipped == csvlog.skipped == []


ENTRY = "2026-11-22 06:48:41.{ms:03} UTC [7] ann@shop app= id=9 LOG:  {message}\n"


def lines(*entries: tuple[int, str]) -> bytes:
    return "".join(ENTRY.format(ms=ms, message=message) for ms, message in entries).encode()


@pytest.mark.parametrize(
    ("message", "query", "parameters_line"),
    [
        ("czas trwania: 1.5 ms  wyrażenie: select 1", "select 1", ""),
        ("czas trwania: 1.5 ms  wykonanie a/b: select $1", "select $1", "parametry: $1 = 'x'"),
        ("süre: 1.5 milisaniye  komut: select 1", "select 1", ""),
        ("duração: 1.5 ms  comando: select 1", "select 1", ""),
        ("duração: 1.5 ms  executar <unnamed>: select $1", "select $1", "parâmetros: $1 = 'x'"),
        ("执行时间: 1.5 ms 语句: select 1", "select 1", ""),
        ("执行时间: 1.5 ms 执行<unnamed>: select $1", "select $1", "参数: $1 = 'x'"),
        ("varaktighet: 1.5 ms  sats: select 1", "select 1", ""),
        ("duration: 1.5 ms  execute a: select $1", "select $1", "Parameters: $1 = 'x'"),
    ],
)
def test_languages_by_their_catalogues(message: str, query: str, parameters_line: str) -> None:
    data = lines((1, message))
    if parameters_line:
        data += lines((1, parameters_line)).replace(b"LOG:", b"DETAIL:")
    (statement,) = read(data, LogFormat.STDERR).statements
    assert (statement.query, statement.duration_ms) == (query, 1.5)
    assert statement.parameters == (("x",) if parameters_line else ())


@pytest.mark.parametrize(
    "message",
    [
        "duration: 1.5 ms  parse a: select 1",
        "duration: 1.5 ms  bind <unnamed>/p: select 1",
        'duration: 1.5 ms  fastpath function call: "f" (OID 5)',
        "duration: a ms  statement: select 1",
        "duration: 1.5 s  statement: select 1",
        "durations: 1.5 ms  statement: select 1",
        "process 7 acquired ShareLock on transaction 5 after 1000.5 ms",
    ],
)
def test_what_is_no_execution(message: str) -> None:
    found = read(lines((1, message)), LogFormat.STDERR)
    assert found == Found([], [], [])


def test_duration_of_another_statement_is_not_joined() -> None:
    began = (100, "statement: select 'failed'")
    for ms, duration, expected in ((150, 50.0, True), (400, 50.0, False), (900, 0.5, False)):
        data = lines(began, (ms, f"duration: {duration:.3f} ms"))
        found = read(data, LogFormat.STDERR)
        assert len(found.statements) == expected
        assert found.skipped == ([] if expected else [LogSkip.NO_STATEMENT])
    other_pid = lines((150, "duration: 50.000 ms")).replace(b"[7]", b"[8]")
    assert read(lines(began) + other_pid, LogFormat.STDERR).statements == []
    other_database = lines((150, "duration: 50.000 ms")).replace(b"@shop", b"@other")
    assert read(lines(began) + other_database, LogFormat.STDERR).statements == []


def test_join_over_pieces_of_a_log_is_bounded() -> None:
    source = LogSource(path="", format=LogFormat.STDERR, line_prefix=PREFIX)
    started = Started()

    def records(data: bytes) -> list[Any]:
        entries = split_entries(source, data, final=True, dropping=False, limit=10**9).entries
        return list(log_records(source, entries, started))

    def of(pid: int, data: bytes) -> bytes:
        return data.replace(b"[7]", b"[%d]" % pid)

    begun = b"".join(of(pid, lines((100, "statement: select 1"))) for pid in range(1, 1502))
    assert records(begun) == []
    ended = lines((105, "duration: 5.000 ms"))
    assert records(of(1, ended)) == [LogSkip.NO_STATEMENT]
    (statement,) = records(of(1501, ended))
    assert (statement.query, statement.pid) == ("select 1", 1501)
    assert records(of(1501, ended)) == [LogSkip.NO_STATEMENT]
    for pid in (1, 2):
        assert records(of(pid, lines((100, f"statement: select '{'x' * 20_000_000}'")))) == []
    assert records(of(1, ended)) == [LogSkip.NO_STATEMENT]
    assert len(records(of(2, ended))[0].query) > 20_000_000


def test_second_resolution_of_the_prefix() -> None:
    data = (
        b"2026-11-22 06:48:41 UTC [7] shop LOG:  statement: select 1\n"
        b"2026-11-22 06:48:43 UTC [7] shop LOG:  duration: 1500.000 ms\n"
    )
    (statement,) = read(data, LogFormat.STDERR, line_prefix="%t [%p] %d ").statements
    assert (statement.query, statement.duration_ms) == ("select 1", 1500)


def test_database_of_lines_that_name_none() -> None:
    data = b"2026-11-22 06:48:41.001 UTC [7] LOG:  duration: 1.500 ms  statement: select 1\n"
    found = read(data, LogFormat.STDERR, line_prefix="%m [%p] ")
    assert (found.statements, found.skipped) == ([], [LogSkip.NO_DATABASE])
    found = read(data, LogFormat.STDERR, line_prefix="%m [%p] ", database="shop")
    assert [(one.database, one.query) for one in found.statements] == [("shop", "select 1")]


def test_what_no_database_takes_is_replaced() -> None:
    entry = {
        "timestamp": "2026-11-22 06:48:41.123 UTC",
        "user": "\ud800",
        "dbname": "a\x00b",
        "error_severity": "LOG",
        "message": "duration: 1.5 ms  statement: select '\x00\udfff'",
        "detail": "parameters: $1 = '\ud800\x00'",
        "query_id": 2**70,
    }
    (statement,) = read(json.dumps(entry).encode() + b"\n", LogFormat.JSONLOG).statements
    assert (statement.user, statement.database, statement.query) == ("?", "ab", "select '?'")
    assert (statement.parameters, statement.queryid) == (("?",), None)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("", ()),
        ("parameters: ", ()),
        ("parameters: $1 = ", ()),
        ("parameters: $1 = 'a", ()),
        ("parameters: $1 = 'a', $3 = 'b'", ("a",)),
        ("parameters: $1 = 'a', $2 = b", ("a",)),
        ("$1 = 'a' parametresi", ("a",)),
        ("x" * 100 + "$1 = 'a'", ()),
    ],
)
def test_damaged_parameters(detail: str, expected: tuple[str, ...]) -> None:
    assert parameters(detail) == expected


@pytest.mark.parametrize("make", [lambda n: "'" * n, lambda n: "$1 = 'a', " * n])
def test_parameters_take_linear_time(make: Callable[[int], str]) -> None:
    assert len(parameters("parameters: $1 = '" + make(1_000_000))) <= 2


def test_statement_keeps_its_place_in_time() -> None:
    data = lines((100, "statement: select 1"), (150, "duration: 50.000 ms"))
    (statement,) = read(data, LogFormat.STDERR).statements
    assert statement.logged_at.microsecond == 150_000
    assert replace(statement, query="") != statement
