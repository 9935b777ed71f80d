"""A log without its server: counted once, its times and its sampling right."""

import gzip
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.store.made import rows, value

from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.config import Settings
from pgadvisor.errors import LogConflict, LogUnreadable
from pgadvisor.pipeline.log_ingest import (
    IngestedLog,
    LogNotes,
    brought_logs,
    ingest_log,
    sampling_of,
    what_it_shows,
)
from pgadvisor.records.log import LogFormat, LogSampling
from pgadvisor.records.server import Setting
from pgadvisor.store import Store
from pgadvisor.store.catalog import save_settings
from pgadvisor.store.logs import log_target
from pgadvisor.store.targets import register_target

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WHOLE = sampling_of(0, None)
PREFIX = "%m [%p] %q%u@%d "


def entry(at: str, message: str, *, pid: int = 7, zone: str = "UTC") -> str:
    return f"{at} {zone} [{pid}] ann@shop LOG:  {message}\n"


def duration(number: int, *, ms: float = 1.5, text: str = "select * from t where id = 7") -> str:
    at = f"2026-11-22 06:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}"
    return entry(at, f"duration: {ms:.3f} ms  statement: {text}")


def ingest(
    store: Store, log: str | bytes, notes: LogNotes | None = None, **more: Any
) -> IngestedLog:
    content = log.encode() if isinstance(log, str) else log
    wanted = {"target": "shop", "name": "x.log", "now": NOW, **more}
    given = notes or LogNotes(line_prefix=PREFIX, sampling=WHOLE)
    return ingest_log(store, io.BytesIO(content), given, Settings(), **wanted)


def test_a_whole_log_becomes_history(store: Store) -> None:
    log = "".join(duration(n, ms=n + 1) for n in range(120))
    done = ingest(store, log)
    assert (done.reading.statements, done.reading.lines, done.is_whole) == (120, 120, True)
    assert rows(
        store,
        """select d.since, d.until, d.calls, d.total_exec_time, d.sum_squared_exec_time
           from statement_deltas d order by since""",
    ) == [
        (
            datetime(2026, 11, 22, 6, minute, tzinfo=UTC),
            datetime(2026, 11, 22, 6, minute + 1, tzinfo=UTC),
            60,
            float(sum(each)),
            float(sum(ms * ms for ms in each)),
        )
        for minute, each in ((0, range(1, 61)), (1, range(61, 121)))
    ]
    assert rows(store, "select name, kind from targets") == [("shop", "log")]
    assert value(store, "select tables from queries") == ["t"]
    # the rest of the second minute adds to it
    ingest(store, log + duration(119, ms=1000))
    assert value(store, "select sum(calls) from statement_hours") == 121
    assert value(store, "select count(*) from executions where threshold_ms = 0") == 121


def test_a_part_of_the_executions_makes_no_history(store: Store) -> None:
    log = duration(1, ms=150) + duration(2, ms=90)
    done = ingest(store, log, LogNotes(line_prefix=PREFIX, sampling=sampling_of(100, None)))
    assert not done.is_whole
    assert "100 ms or more" in what_it_shows(done.sampling)
    assert value(store, "select count(*) from statement_hours") == 0
    assert rows(store, "select threshold_ms, sample_rate from executions order by duration_ms") == [
        (None, None),
        (100.0, 1.0),
    ]


@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        (WHOLE, "every execution"),
        (sampling_of(None, None), "not known which"),
        (sampling_of(250, None), "only executions that took 250 ms or more"),
        (sampling_of(250, 1.0), "only executions that took 250 ms or more"),
        (sampling_of(10, 0.1), "0.1 of the executions that took 10 ms or more: it is a sample"),
        (
            LogSampling(statement_threshold_ms=500, sample_threshold_ms=10, sample_rate=0.01),
            "0.01 of the executions that took 10 ms or more, and all that took 500 ms or more",
        ),
        (sampling_of(float("inf"), None), "log no durations"),
    ],
)
def test_what_a_log_shows_is_a_sentence(sampling: LogSampling, words: str) -> None:
    assert words in what_it_shows(sampling)


def test_a_log_is_known_under_any_name(store: Store) -> None:
    log = "".join(map(duration, range(50)))
    ingest(store, log)
    assert ingest(store, log, name="x.log.1").reading.statements == 0
    packed = ingest(store, gzip.compress(log.encode()), name="x.log.2.gz")
    assert (packed.reading.statements, packed.known_bytes) == (0, len(log))
    assert ingest(store, log + duration(51)).reading.statements == 1
    # another target is another history
    assert ingest(store, log, target="other").reading.statements == 50
    # a file that begins otherwise is another one
    assert ingest(store, "".join(map(duration, range(60, 70)))).reading.statements == 10


def test_a_log_that_grows_while_it_is_read_in_pieces(store: Store) -> None:
    log = "".join(map(duration, range(100))).encode()
    counted = 0
    for end in range(0, len(log), 777):
        counted += ingest(store, log[:end]).reading.statements if end else 0
    counted += ingest(store, log).reading.statements
    assert counted == 100 == value(store, "select count(*) from executions")
    assert value(store, "select count(*) from log_positions") == 1


def test_two_readers_of_the_same_log_conflict(store: Store) -> None:
    # longer than the sample that is looked at before the position is
    log = "".join(duration(1, text=f"select '{'x' * 9000}'") for _ in range(50))

    class Meanwhile(io.BytesIO):
        """Another process is faster."""

        was_read = False

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data and not self.was_read:
                self.was_read = True
                ingest(store, log)
            return data

    with pytest.raises(LogConflict, match="another process"):
        ingest_log(
            store,
            Meanwhile(log.encode()),
            LogNotes(line_prefix=PREFIX),
            Settings(),
            target="shop",
            name="x.log",
            now=NOW,
        )
    assert value(store, "select count(*) from executions") == 50


def test_the_hour_that_comes_twice(store: Store) -> None:
    """Clocks in Berlin go back from 3 to 2 on 25 October 2026: CEST, then CET."""
    message = "duration: 1.000 ms  statement: select 1"
    log = "".join(
        entry(f"2026-10-25 {time}", message, zone=zone)
        for time, zone in (
            ("02:30:00.000", "CEST"),
            ("02:30:00.000", "CET"),
            ("03:30:00.000", "CET"),
        )
    )
    notes = LogNotes(line_prefix=PREFIX, timezone="Europe/Berlin", sampling=WHOLE)
    assert ingest(store, log, notes).reading.statements == 3
    assert rows(store, "select logged_at from executions order by 1") == [
        (datetime(2026, 10, 25, hour, 30, tzinfo=UTC),) for hour in (0, 1, 2)
    ]
    with pytest.raises(LogUnreadable, match="Nowhere/Else"):
        ingest(store, log, LogNotes(line_prefix=PREFIX, timezone="Nowhere/Else"))


def test_a_cut_plan_is_counted_and_takes_nothing_along(store: Store) -> None:
    """As log collectors cut lines: at 16 KiB, at 256 KiB."""

    def plan(size: int) -> str:
        text = f"select '{'x' * size}'"
        tree = {"Query Text": text, "Plan": {"Node Type": "Result"}}
        message = f"duration: 2.000 ms  plan:\n{json.dumps(tree)}"
        fields = {
            "timestamp": "2026-11-22 06:48:41.123 UTC",
            "dbname": "shop",
            "user": "ann",
            "pid": 7,
            "error_severity": "LOG",
            "message": message,
        }
        return json.dumps(fields) + "\n"

    lines = [plan(10), plan(20_000)[:16_384] + "\n", plan(10), plan(300_000)[:262_144] + "\n"]
    done = ingest(store, "".join([*lines, plan(10)]), LogNotes())
    assert (done.format, done.reading.plans) == (LogFormat.JSONLOG, 3)
    assert done.reading.skipped == {"truncated plan": 2}


def test_an_entry_over_ten_megabytes_is_left_out(store: Store) -> None:
    large = entry(
        "2026-11-22 06:48:41.123", f"duration: 1.000 ms  statement: select '{'x' * 11**7}'"
    )
    done = ingest(store, duration(1) + large + duration(2))
    assert done.reading.statements == 2
    assert done.reading.skipped == {"entry over the size limit": 1}


def test_what_is_older_than_the_history_is_left_out(store: Store) -> None:
    old = duration(1).replace("2026", "2024", 1)
    done = ingest(store, old + duration(2))
    assert done.reading.statements == 1
    assert sum(done.reading.skipped.values()) == 1


def test_a_watched_server_says_how_its_log_is_read(store: Store) -> None:
    settings = {
        "log_line_prefix": "%m <%p> %u/%d: ",
        "log_timezone": "Europe/Berlin",
        "log_min_duration_statement": "100",
        "log_min_duration_sample": "-1",
    }
    with store.transaction() as conn:
        target_id = register_target(conn, "shop", "host=shop", now=NOW)
        saved = [
            Setting(
                name=name,
                setting=setting,
                unit=None,
                source="configuration file",
                boot_val=None,
                pending_restart=False,
            )
            for name, setting in settings.items()
        ]
        save_settings(conn, target_id, saved, now=NOW)
    head = "2026-11-22 07:48:41.123 CET <7> ann/shop: LOG"
    log = f"{head}:  duration: 150.000 ms  statement: select 1\n"
    done = ingest(store, log, LogNotes())
    assert done.target_id == target_id
    assert done.line_prefix == "%m <%p> %u/%d: "
    assert rows(store, "select logged_at, threshold_ms from executions") == [
        (datetime(2026, 11, 22, 6, 48, 41, 123000, tzinfo=UTC), 100.0)
    ]
    assert value(store, "select kind from targets") == "server"


def test_values_reach_the_store_only_hashed(store: Store) -> None:
    secret = "4929-1234-5678-9012"
    log = (
        duration(1, text=f"select * from cards where number = '{secret}'")
        + entry("2026-11-22 06:00:02.000", "duration: 1.000 ms  execute <unnamed>: select $1")
        + f"2026-11-22 06:00:02.000 UTC [7] ann@shop DETAIL:  parameters: $1 = '{secret}'\n"
        + duration(3, text=f"select '{secret}")
    )
    assert ingest(store, log).reading.statements == 3
    with store.transaction() as conn:
        tables = conn.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = "
            "current_schema()::regnamespace"
        ).fetchall()
        for (table,) in tables:
            found = conn.execute(f"select x::text from {table} x".encode()).fetchall()
            assert not [row for row in found if secret in row[0]], table
        parameters = value(store, "select parameters from executions where parameters is not null"
                           " and logged_at = '2026-11-22 06:00:02+00'")  # fmt: skip
    assert parameters[0]["length"] == len(secret)


def test_a_directory_gives_one_format_of_a_server(tmp_path: Path) -> None:
    (tmp_path / "server.json.1").write_text('{"timestamp":"2026-11-22 06:48:41.123 UTC"}\n')
    (tmp_path / "server.json").write_text('{"timestamp":"2026-11-22 07:48:41.123 UTC"}\n')
    (tmp_path / "server.log.gz").write_bytes(gzip.compress(duration(1).encode()))
    (tmp_path / "notes.txt").write_text("not a log\n")
    found = brought_logs(tmp_path, format=None, line_prefix=None)
    assert {path.name for path in found.paths} == {"server.json.1", "server.json"}
    assert "1 files in stderr were left out" in found.notes[0]
    assert "notes.txt" in found.notes[1]
    chosen = brought_logs(tmp_path, format=LogFormat.STDERR, line_prefix=None)
    assert [path.name for path in chosen.paths] == ["server.log.gz"]
    with pytest.raises(LogUnreadable, match="no PostgreSQL log in csvlog"):
        brought_logs(tmp_path, format=LogFormat.CSVLOG, line_prefix=None)


def test_a_log_target_keeps_what_it_is(store: Store) -> None:
    with store.transaction() as conn:
        first = log_target(conn, "a", now=NOW)
        assert log_target(conn, "a", now=NOW + timedelta(days=1)) == first
    assert value(store, "select kind from targets") == "log"


@pytest.fixture(scope="module")
def busy_cluster() -> Iterator[Cluster]:
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "compute_query_id": "on",
        "logging_collector": "on",
        "log_destination": "stderr,csvlog,jsonlog",
        "log_filename": "server.log",
        "log_line_prefix": "%t [%p]: db=%d,user=%u,app=%a,client=%h ",
        "log_min_duration_statement": "0",
        "log_timezone": "America/New_York",
    }
    with Cluster.temporary(find_binaries(), settings=settings) as cluster:
        yield cluster


def work(dsn: str, number: int) -> None:
    """Simple, extended and prepared, with parameters, errors and texts over lines."""
    with psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        for n in range(20):
            conn.execute("select count(*)\n  from t -- a comment\n where v = %s", [f"it's {n}"])
    with psycopg.connect(dsn, autocommit=True) as conn:
        for n in range(20):
            conn.execute("select * from t where id = %s", [n], prepare=n % 2 == 0)
            conn.execute("update t set v = %s where id = %s", [f"a\n'b' {n}", number])
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute("select %s / 0", [number])


def test_the_same_counts_as_pg_stat_statements(busy_cluster: Cluster, store: Store) -> None:
    """What show 3 of the benchmarks does, in small: several backends, all formats."""
    quiet = f"{busy_cluster.dsn()} options='-c log_min_duration_statement=-1'"
    dsn = busy_cluster.dsn("busy")
    with psycopg.connect(quiet, autocommit=True) as conn:
        conn.execute("create extension pg_stat_statements")
        conn.execute("create database busy")
        with psycopg.connect(f"{quiet} dbname=busy", autocommit=True) as busy:
            busy.execute(
                "create table t as select g as id, g::text as v from generate_series(1, 99) g"
            )
        conn.execute("select pg_stat_statements_reset()")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: work(dsn, number), range(4)))
        counted = conn.execute(
            """select queryid, sum(calls)::bigint from pg_stat_statements
               where dbid = (select oid from pg_database where datname = 'busy') group by queryid"""
        ).fetchall()
    busy_cluster.stop()
    assert len(counted) == 3
    notes = LogNotes(timezone="America/New_York", sampling=WHOLE)
    now = datetime.now(UTC)
    for suffix in ("log", "csv", "json"):
        content = (busy_cluster.log_dir / f"server.{suffix}").read_bytes()
        done = ingest(store, content, notes, target=suffix, now=now)
        assert done.reading.skipped == {}, suffix
        by_text = rows(
            store,
            """select l.query, count(*) from executions e
               join logged_statements l using (target_id, datname, fingerprint)
               where target_id = %s and datname = 'busy' group by 1""",
            [done.target_id],
        )
        assert sorted(count for _, count in by_text) == sorted(calls for _, calls in counted), (
            suffix
        )
        if suffix != "log":  # without %Q in the prefix there is no queryid
            found = rows(
                store,
                """select s.queryid, sum(h.calls)::bigint from statement_hours h
                   join statements s on s.id = h.statement_id
                   join databases d on (d.target_id, d.dbid) = (s.target_id, s.dbid)
                   where h.target_id = %s and d.datname = 'busy' group by 1""",
                [done.target_id],
            )
            assert sorted(found) == sorted(counted)
        assert value(
            store,
            """select max(logged_at) <= %s and min(logged_at) > %s
               from executions where target_id = %s""",
            [now, now - timedelta(minutes=10), done.target_id],
        )
