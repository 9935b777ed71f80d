"""A reading that builds on the last one is the same as one of everything."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pgadvisor.cluster import Cluster, find_binaries
from pgadvisor.collect.known import Entries, KnownStatements, Moment, complete, usable
from pgadvisor.collect.statements import fetch_statements
from pgadvisor.collect.target import connect
from pgadvisor.records.server import Extension
from pgadvisor.records.statement import QueryId, StatementKey, StatementSnapshot

Conn = psycopg.Connection[Any]
NewRole = Callable[..., str]
Whole = Callable[[], StatementSnapshot]


@pytest.fixture(scope="module")
def small_cluster() -> Iterator[Cluster]:
    """Room for few entries, so that they are evicted, and nobody else on it."""
    settings = {
        "shared_preload_libraries": "pg_stat_statements",
        "pg_stat_statements.max": "100",
        "pg_stat_statements.track_planning": "on",
        "pg_stat_statements.track_utility": "off",
    }
    with Cluster.temporary(find_binaries(), settings=settings) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension pg_stat_statements")
        yield cluster


@pytest.fixture
def conn(small_cluster: Cluster) -> Iterator[Conn]:
    with psycopg.connect(small_cluster.dsn(), autocommit=True, prepare_threshold=None) as conn:
        conn.execute("select pg_stat_statements_reset()")
        yield conn


class Watched:
    """A connection of ours that notes how many rows the server sent."""

    def __init__(self, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.target = connect(dsn)
        self.sent: list[int] = []
        self._table = self.target.table
        monkeypatch.setattr(self.target, "table", self._noted)

    def _noted(
        self, name: str, parameters: Mapping[str, Any], *, extension: Extension | None = None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        found = self._table(name, parameters, extension=extension)
        self.sent.append(len(found[1]))
        return found

    def read(self) -> StatementSnapshot:
        self.sent.clear()
        return fetch_statements(self.target)


@pytest.fixture
def watched(small_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched(small_cluster.dsn(), monkeypatch)
    yield watched
    watched.target.close()


@pytest.fixture
def whole(small_cluster: Cluster) -> Iterator[Whole]:
    """Reads as a connection does that knows nothing yet."""
    with connect(small_cluster.dsn()) as target:

        def read() -> StatementSnapshot:
            target.known_statements = None
            return fetch_statements(target)

        yield read


def same(one: StatementSnapshot, other: StatementSnapshot) -> bool:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return replace(one, captured_at=moment) == replace(other, captured_at=moment)


def run(conn: Conn, number: int, times: int = 1) -> None:
    """A statement of its own for each number: column names and constants do not count."""
    for _ in range(times):
        conn.execute(sql.SQL("select {}").format(sql.SQL(", ").join([sql.SQL("1")] * number)))


def queryid(snapshot: StatementSnapshot, seed: int) -> QueryId:
    return sorted(snapshot.statements)[seed % len(snapshot.statements)].queryid


def test_only_what_changed_is_sent(conn: Conn, watched: Watched, whole: Whole) -> None:
    for number in range(50):
        run(conn, number)
    first = watched.read()
    assert watched.sent[0] >= 50

    run(conn, 7)
    run(conn, 100)
    second = watched.read()

    # two of these, and those from the number of the last one on
    assert len(watched.sent) == 1 and watched.sent[0] <= 4
    assert same(second, whole())
    untouched = [key for key in first.statements if first.statements[key] is second.statements[key]]
    assert len(untouched) >= len(first.statements) - watched.sent[0]


def test_nothing_happened(conn: Conn, watched: Watched) -> None:
    for number in range(20):
        run(conn, number)
    first, second = watched.read(), watched.read()

    assert watched.sent == [1]
    assert same(first, second)


def test_many_changes_make_the_next_reading_whole(
    conn: Conn, watched: Watched, whole: Whole
) -> None:
    for _ in range(3):
        for number in range(30):
            run(conn, number)
        last = watched.read()

    assert watched.sent[0] >= 30
    assert same(last, whole())
    watched.read()  # of everything, as most had changed before
    assert watched.sent[0] >= 30
    watched.read()
    assert watched.sent == [1]


def test_an_entry_that_is_reset_alone_is_gone(conn: Conn, watched: Watched, whole: Whole) -> None:
    for number in range(20):
        run(conn, number)
    first = watched.read()
    gone = queryid(first, 5)
    conn.execute("select pg_stat_statements_reset(0, 0, %s)", [gone])

    second = watched.read()

    assert len(watched.sent) == 2  # what changed did not add up, so everything was read
    assert gone not in {key.queryid for key in second.statements}
    assert same(second, whole())


def test_one_gone_and_one_new_do_not_add_up_to_nothing(
    conn: Conn, watched: Watched, whole: Whole
) -> None:
    for number in range(20):
        run(conn, number)
    gone = queryid(watched.read(), 3)
    conn.execute("select pg_stat_statements_reset(0, 0, %s)", [gone])
    run(conn, 101)

    assert same(watched.read(), whole())


def test_evictions_and_resets_make_the_reading_whole(
    conn: Conn, watched: Watched, whole: Whole
) -> None:
    watched.read()
    for number in range(200):
        run(conn, number)
    assert same(watched.read(), whole())
    conn.execute("select pg_stat_statements_reset()")
    run(conn, 1)
    assert same(watched.read(), whole())


@pytest.mark.parametrize("seed", range(3))
def test_any_history(conn: Conn, watched: Watched, whole: Whole, seed: int) -> None:
    choice = random.Random(seed)
    incremental = 0
    for _ in range(40):
        for _ in range(choice.choice([0, 1, 1, 2, 30])):
            run(conn, choice.randrange(choice.choice([20, 60, 150])), choice.randrange(1, 4))
        if choice.random() < 0.2:
            snapshot = whole()
            if snapshot.statements:
                picked = queryid(snapshot, choice.randrange(100))
                conn.execute("select pg_stat_statements_reset(0, 0, %s)", [picked])
        if choice.random() < 0.05:
            conn.execute("select pg_stat_statements_reset()")
        found = watched.read()
        assert same(found, whole())
        incremental += watched.sent[0] < len(found.statements)
    assert incremental > 5


def test_a_right_that_comes_and_goes(target_conn: Conn, new_role: NewRole) -> None:
    target_conn.execute("select 1 as somebody_elses")
    dsn = new_role()
    role = sql.Identifier(str(conninfo_to_dict(dsn)["user"]))
    with connect(dsn) as target:
        before = fetch_statements(target)
        target_conn.execute(sql.SQL("grant pg_read_all_stats to {}").format(role))
        visible = fetch_statements(target)
        target_conn.execute(sql.SQL("revoke pg_read_all_stats from {}").format(role))
        after = fetch_statements(target)

    assert before.hidden > 0 and visible.hidden == 0 and after.hidden > 0
    assert len(visible.statements) > len(before.statements)
    assert set(after.statements) < set(visible.statements)


# --- without a server -----------------------------------------------------------------------------

AT = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = Moment(AT, AT, AT, 0, 4 << 20)


def entries(states: Mapping[int, int], total: int, changed: int = 0) -> Entries:
    keys = {StatementKey(1, 1, QueryId(n), True): state for n, state in states.items()}
    return Entries({}, keys, total, changed)


def known_of(found: Entries, moment: Moment = MOMENT) -> KnownStatements:
    return KnownStatements(moment=moment, extension_version="1.10", entries=found)


KNOWN = known_of(entries({1: 11, 2: 12, 3: 13}, total=4))  # and a hidden one


def test_where_everything_rests() -> None:
    found = complete(KNOWN, entries({}, total=4), rows=1)  # the hidden one
    assert found is not None and found.states == KNOWN.entries.states


def test_a_changed_state_replaces_the_known_one() -> None:
    found = complete(KNOWN, entries({2: 99}, total=4), rows=2)
    assert found is not None and sorted(found.states.values()) == [11, 13, 99]


@pytest.mark.parametrize(
    ("sent", "total", "rows"),
    [
        ({}, 3, 1),  # one is gone, and the hidden one has the highest number
        ({}, 1, 1),  # one is gone; what was sent has a low number
        ({4: 14}, 4, 2),  # one is gone, another new
        ({2: 99}, 3, 2),  # one is gone, another changed
    ],
)
def test_what_is_gone_shows(sent: Mapping[int, int], total: int, rows: int) -> None:
    assert complete(KNOWN, entries(sent, total=total), rows=rows) is None


def test_when_to_build_on_what_is_known() -> None:
    assert usable(KNOWN, MOMENT, "1.10") is KNOWN
    assert usable(None, MOMENT, "1.10") is None
    assert usable(KNOWN, MOMENT, "1.11") is None
    assert usable(KNOWN, MOMENT._replace(dealloc=1), "1.10") is None
    assert usable(KNOWN, MOMENT._replace(stats_reset=None), "1.10") is None
    assert usable(KNOWN, MOMENT._replace(work_mem=100), "1.10") is None
    assert usable(known_of(entries({1: 1}, total=2, changed=2)), MOMENT, "1.10") is None
