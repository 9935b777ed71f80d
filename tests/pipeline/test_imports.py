"""History from a file into the store: masked, identified, once, whatever happens on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.collect.imports.reading import csv_text

from pgadvisor.collect.imports import FileSource, ImportOptions
from pgadvisor.pipeline.imports import ImportReport, history_sources, import_history
from pgadvisor.pipeline.imports import Origin as From
from pgadvisor.records.imported import Piece
from pgadvisor.sql import fingerprint
from pgadvisor.store import Store
from pgadvisor.store.imported import made_queryid
from pgadvisor.store.targets import save_names

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def write(path: Path, rows: list[tuple[Any, ...]], *names: str) -> Path:
    path.write_text(csv_text(names or ("hour", "database", "query", "calls", "rows"), rows))
    return path


def bring(store: Store, path: Path, target: str = "old", **more: Any) -> ImportReport:
    options = more.pop("options", ImportOptions())
    with history_sources(str(path), From.FILE, options) as (source,):
        return import_history(
            source,
            store,
            target,
            **{
                "now": NOW,
                "raw_retention": timedelta(days=7),
                "hourly_retention": timedelta(days=400),
                **more,
            },
        )


def fetch(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.transaction() as conn:
        return conn.execute(query).fetchall()


def total(store: Store) -> int:
    return int(fetch(store, "select coalesce(sum(calls), 0) from statement_hours")[0][0])


@pytest.fixture
def history(tmp_path: Path) -> Path:
    rows = [
        ((DAY + hour * HOUR).isoformat(), database, query, 1 + (hour * 7 + n) % 11, hour)
        for hour in range(60)
        for n, (database, query) in enumerate(
            [("shop", "select 1"), ("shop", "select 'x' from t"), ("crm", "update t set a = 1")]
        )
    ]
    return write(tmp_path / "history.csv", rows)


def test_texts_are_masked_and_have_one_identity_whatever_their_constants(
    store: Store, tmp_path: Path
) -> None:
    texts = [
        *("select * from t where a = 1", "select * from t where a = 22"),
        *("select * from t where a = 'secret'", "SELECT * FROM t WHERE a=$1"),
    ]
    others = ["select * from secret where 'pass", "checkout page"]
    rows = [(DAY.isoformat(), "shop", one, 1, 0) for one in (*texts, *others)]
    report = bring(store, write(tmp_path / "a.csv", rows), options=ImportOptions(interval=HOUR))
    assert (report.rows, report.calls, report.statements) == (6, 6, 3)
    identity = fingerprint(texts[0])
    found = {row[0]: row[1:] for row in fetch(
        store, "select fingerprint, queryid, identity, kind, tables, unreadable, query from queries"
    )}  # fmt: skip
    assert found[identity][:5] == (made_queryid(identity), "fingerprint", "select", ["t"], None)
    assert "secret" not in found[identity][5]
    (name,) = (row for row in found.values() if row[5] == "checkout page")
    assert name[4] == "not SQL: the name of an imported series"
    (broken,) = (row for row in found.values() if row[4] and "not parsable" in row[4])
    assert "pass" not in broken[5]
    assert total(store) == 6
    assert fetch(store, "select max(calls) from statement_hours") == [(4,)]


def test_our_own_statements_stay_out(store: Store, tmp_path: Path) -> None:
    rows = [
        (DAY.isoformat(), "shop", "select /* pgadvisor */ 1", 5, 0),
        (DAY.isoformat(), "shop", "select 1", 6, 0),
    ]
    report = bring(store, write(tmp_path / "a.csv", rows), options=ImportOptions(interval=HOUR))
    assert total(store) == 6
    assert report.refused["statement of pgadvisor itself"].count == 1


def test_the_same_file_twice_and_a_longer_one(store: Store, history: Path, tmp_path: Path) -> None:
    first = bring(store, history)
    assert (first.rows_read, first.rows, first.overlapping) == (180, 180, 0)
    whole = total(store)
    assert whole == first.calls
    again = bring(store, history)
    assert (again.rows, again.overlapping) == (0, 180)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(history.read_bytes() + b"2026-02-05 00:00:00,shop,select 1,1000,0\r\n")
    longer = bring(store, copy)
    assert (longer.rows, longer.calls, longer.overlapping) == (1, 1000, 180)
    assert total(store) == whole + 1000


def test_a_dry_run_reports_the_same_and_saves_nothing(store: Store, history: Path) -> None:
    dry = bring(store, history, dry_run=True)
    assert not fetch(store, "select 1 from targets") and total(store) == 0
    real = bring(store, history)
    for name in ("rows_read", "rows", "calls", "total_exec_time", "statements", "databases",
                 "since", "until", "taken", "warnings", "source"):  # fmt: skip
        assert getattr(dry, name) == getattr(real, name)
    assert bring(store, history, dry_run=True).overlapping == 180


class Stopping:
    """A source that breaks off behind some pieces, as a killed process does."""

    def __init__(self, path: Path, pieces: int) -> None:
        self._source = FileSource(path, ImportOptions())
        self._pieces = pieces
        self.notes = self._source.notes
        self.name = self._source.name
        self.target = "old"

    def shift_to_now(self, now: datetime, earlier: Any) -> None:
        raise AssertionError("not asked for")

    def pieces(self, *, now: datetime) -> Iterator[Piece]:
        for number, piece in enumerate(self._source.pieces(now=now)):
            if number == self._pieces:
                raise KeyboardInterrupt
            yield piece


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_an_import_that_was_cut_off_goes_on(
    store: Store, history: Path, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgadvisor.collect.imports.deltas._ROWS", 20)
    with pytest.raises(KeyboardInterrupt):
        import_history(
            Stopping(history, pieces),
            store,
            "old",
            now=NOW,
            raw_retention=timedelta(days=7),
            hourly_retention=timedelta(days=400),
        )
    before = total(store)
    assert (before > 0) == (pieces > 0)
    report = bring(store, history)
    assert report.calls + before == total(store)
    assert total(store) == sum(1 + (hour * 7 + n) % 11 for hour in range(60) for n in range(3))
    assert fetch(store, "select count(*) from imported_spans") == [(2,)]


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_of_any_length_across_pieces(
    store: Store, tmp_path: Path, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgadvisor.collect.imports.deltas._ROWS", 5)
    rows = [
        ((DAY + n * HOUR / 12).isoformat(), (DAY + (n + 1) * HOUR / 12).isoformat(), "select 1", 1)
        for n in range(48)
    ]
    rows += [
        ((DAY + n * HOUR).isoformat(), (DAY + (n + 1) * HOUR).isoformat(), "select * from t", 100)
        for n in range(4)
    ]
    path = write(
        tmp_path / "a.csv", sorted(rows, reverse=newest_first), "since", "until", "query", "calls"
    )
    assert bring(store, path).overlapping == 0
    assert total(store) == 448
    assert bring(store, path).overlapping == 52


def test_executions_of_one_minute_are_one_row_whatever_the_pieces(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgadvisor.collect.imports.deltas._ROWS", 2)
    rows = [
        ((DAY + timedelta(seconds=n)).isoformat(), f"select {'a, ' * (n % 5)} b from t", 1.5)
        for n in range(300)
    ]
    path = write(tmp_path / "log.csv", rows, "time", "query", "duration_ms")
    report = bring(store, path)
    assert (report.calls, total(store)) == (300, 300)
    assert report.total_exec_time == 450
    assert fetch(store, "select since, until from imported_spans") == [(DAY, DAY + 5 * HOUR / 60)]


def test_snapshots_of_a_custom_table_go_on_where_they_were_cut_off(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgadvisor.collect.imports.cumulative._ROWS", 3)
    rows = [
        (DAY + n * HOUR / 6, "shop", 10, query, 100 + n * query, 5.0 * n, 0)
        for n in range(30)
        for query in (1, 2, 3)
        if n == 0 or (n + query) % 4 or n == 29
    ]
    path = write(tmp_path / "snapshots.csv", rows, "captured_at", "datname", "userid", "queryid",
                 "calls", "total_exec_time", "rows")  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        import_history(
            Stopping(path, 4), store, "old", now=NOW, raw_retention=HOUR,
            hourly_retention=timedelta(days=400),
        )  # fmt: skip
    assert 0 < total(store) < 29 * 6
    bring(store, path)
    assert total(store) == 29 * 6
    assert bring(store, path).rows == 0


def test_what_will_not_be_kept_is_said(store: Store, history: Path) -> None:
    report = bring(store, history, now=NOW + timedelta(days=1000))
    assert any("hourly_retention" in text for text in report.warnings)
    moved = bring(store, history, target="moved", now=NOW + timedelta(days=1000), shift_to_now=True)
    assert not any("hourly_retention" in text for text in moved.warnings)
    later = bring(store, history, target="moved", now=NOW + timedelta(days=2000), shift_to_now=True)
    assert (later.rows, later.overlapping) == (0, 180)


def test_an_import_and_what_is_collected_later_are_one_history(store: Store, history: Path) -> None:
    bring(store, history, target="db.example.org:5432")
    with store.transaction() as conn:
        (target_id,) = conn.execute("select id from targets").fetchone() or (0,)
        save_names(conn, target_id, databases={16384: "shop", 16385: "crm"}, roles={}, now=NOW)
    bring(store, history, target="db.example.org:5432")
    sums = fetch(
        store,
        """select d.datname, count(distinct h.hour) from statement_hours h
           join statements s on s.id = h.statement_id
           join databases d on d.target_id = s.target_id and d.dbid = s.dbid
           group by 1 order by 1""",
    )
    assert sums == [("crm", 60), ("shop", 60)]
