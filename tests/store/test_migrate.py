"""The schema comes from the migrations, once, whole, and is checked before use."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from pgadvisor.cluster import Cluster
from pgadvisor.config import load_settings
from pgadvisor.errors import SchemaOutdated
from pgadvisor.store import Store, migrate, open_store

Connection = psycopg.Connection[TupleRow]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAST = len(migrate.migrations())
ADVICE = {
    *("workload_patterns", "query_rewrite_suggestions", "parameter_tuning_suggestions"),
    *("optimization_recommendations", "optimization_implementations"),
    "query_performance_models",
}
TABLES = """select c.relname, obj_description(c.oid, 'pg_class') from pg_class c
            where c.relnamespace = current_schema()::regnamespace
              and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition"""


@pytest.fixture(params=["oldest", "newest"])
def empty(
    request: pytest.FixtureRequest, new_database: Callable[[], str], store_cluster: Cluster
) -> Iterator[str]:
    """A database without a schema on the installed PostgreSQL, then on the embedded one."""
    if request.param == "oldest":
        yield new_database()
        return
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("create database migrated")
    yield store_cluster.dsn("migrated")
    with psycopg.connect(store_cluster.dsn(), autocommit=True) as conn:
        conn.execute("drop database migrated with (force)")


def test_from_zero_once_with_a_comment_on_every_table(empty: str) -> None:
    with psycopg.connect(empty) as conn:
        applied = migrate.apply(conn, now=NOW)
        assert [one.version for one in applied] == list(range(1, LAST + 1))
        assert migrate.apply(conn, now=NOW) == ()
        migrate.check(conn)
        tables: dict[str, str | None] = dict(conn.execute(TABLES).fetchall())
        assert tables.keys() >= ADVICE
        assert [name for name, comment in tables.items() if not comment] == []
        noted = conn.execute("select version, digest, applied_at from schema_migrations").fetchall()
        assert noted == [(one.version, one.digest, NOW) for one in migrate.migrations()]


def test_every_constraint_and_index_has_a_written_name(store: Store) -> None:
    """Names that PostgreSQL makes up differ between versions."""
    with store.transaction() as conn:
        made_up = conn.execute(
            """select conname from pg_constraint
               where connamespace = current_schema()::regnamespace and contype in ('c', 'f', 'u')
                 and conname ~ '(_check|_fkey|_key)[0-9]+$'"""
        ).fetchall()
    assert made_up == []


def test_two_processes_at_once_apply_once(empty: str) -> None:
    barrier = threading.Barrier(2)
    applied: list[int] = []

    def work() -> None:
        with psycopg.connect(empty) as conn:
            barrier.wait()
            applied.append(len(migrate.apply(conn, now=NOW)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [0, LAST]


def test_all_or_nothing(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = migrate.migrations()
    broken = (
        *good,
        migrate.Migration(LAST + 1, "broken", "create table half (n integer); select 1/0"),
    )
    monkeypatch.setattr(migrate, "migrations", lambda: broken)
    with pytest.raises(psycopg.errors.DivisionByZero), psycopg.connect(empty) as conn:
        migrate.apply(conn, now=NOW)
    with psycopg.connect(empty) as conn:
        assert conn.execute(TABLES).fetchall() == []
        assert migrate.status(conn) == {}


def test_a_new_database_and_an_old_store_are_too_old(empty: str) -> None:
    with psycopg.connect(empty) as conn:
        with pytest.raises(SchemaOutdated, match="lacks migration 001") as caught:
            migrate.check(conn)
        assert caught.value.hint == "Run `pgadvisor migrate`."
        migrate.apply(conn, now=NOW)
        conn.execute("delete from schema_migrations where version = %s", [LAST])
        with pytest.raises(SchemaOutdated, match=f"lacks migration {LAST:03d}"):
            migrate.check(conn)


@pytest.mark.parametrize("act", [migrate.check, lambda conn: migrate.apply(conn, now=NOW)])
def test_a_newer_store_and_a_changed_file_are_refused(
    store_dsn: str, act: Callable[[Connection], Any]
) -> None:
    with psycopg.connect(store_dsn) as conn:
        conn.execute("insert into schema_migrations values (999, 'later', 'x', now())")
        with pytest.raises(SchemaOutdated, match="999 and is too new") as caught:
            act(conn)
        assert "newer pgadvisor" in caught.value.hint
        conn.execute("delete from schema_migrations where version = 999")
        conn.execute("update schema_migrations set digest = 'x' where version = 3")
        with pytest.raises(SchemaOutdated, match="003 differs") as caught:
            act(conn)
        assert "unchanged release" in caught.value.hint
        conn.rollback()


def test_a_named_store_is_not_changed_without_being_asked(
    new_database: Callable[[], str],
) -> None:
    settings = load_settings(database_url=new_database())
    with pytest.raises(SchemaOutdated), open_store(settings, now=NOW):
        pass
    with open_store(settings, now=NOW, upgrade=True) as store:
        store.check()
    with open_store(settings, now=NOW) as store:
        store.check()


def test_the_digest_is_of_the_text() -> None:
    one = migrate.Migration(1, "x", "select 1")
    assert one.digest == hashlib.sha256(b"select 1").hexdigest()


RECOMMENDATION = {
    **{"database_name": "shop", "rule": "missing-index", "key": "k", "title": "t"},
    **{"statement": "s", "undo": "u", "reasoning": "r", "queryids": [1], "effects": "[]"},
    **{"evidence_level": "costed", "factors": "[]", "confidence_score": 0.8},
    **{"estimated_improvement_percent": 50.0, "improvement_low_percent": 30.0},
    **{"improvement_high_percent": 70.0, "frequency": 120.0, "current_impact": 0.25},
    **{"urgency_score": 30.0, "state": "proposed", "created_at": NOW, "updated_at": NOW},
}


def insert(conn: Connection, table: str, values: dict[str, Any]) -> Any:
    names = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    query = f"insert into {table} ({names}) values ({places}) returning *"
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchone()


@pytest.fixture
def conn(store_dsn: str) -> Iterator[Connection]:
    """A transaction on a migrated store with one target."""
    with psycopg.connect(store_dsn) as opened:
        opened.execute(
            "insert into targets (name, conninfo, first_seen_at) values ('t', 'host=t', now())"
        )
        yield opened
        opened.rollback()


def recommended(conn: Connection, **differing: Any) -> Any:
    return insert(
        conn, "optimization_recommendations", {"target_id": 1, **RECOMMENDATION, **differing}
    )


def test_the_score_is_the_product(conn: Connection) -> None:
    assert recommended(conn)["roi_score"] == 0.8 * 50.0 * 30.0
    assert recommended(conn, key="worse", estimated_improvement_percent=-10.0)["roi_score"] < 0


BAD = [
    ("optimization_recommendations", {"confidence_score": 2.0}),
    ("optimization_recommendations", {"confidence_score": -0.1}),
    ("optimization_recommendations", {"improvement_low_percent": 71.0}),
    ("optimization_recommendations", {"state": "done"}),
    ("optimization_recommendations", {"evidence_level": "sure"}),
    ("optimization_recommendations", {"urgency_score": -1.0}),
    ("optimization_recommendations", {"target_id": 99}),
    ("optimization_recommendations", {"title": None}),
]


@pytest.mark.parametrize(("table", "differing"), BAD)
def test_bad_advice_is_refused(conn: Connection, table: str, differing: dict[str, Any]) -> None:
    with pytest.raises(psycopg.IntegrityError):
        recommended(conn, **differing)


def test_advice_is_unique_by_key(conn: Connection) -> None:
    recommended(conn)
    with pytest.raises(psycopg.errors.UniqueViolation):
        recommended(conn)


PATTERN = {
    **{"target_id": 1, "database_name": "shop", "pattern_type": "daily_cycle", "confidence": 0.9},
    **{"first_seen_at": NOW, "last_seen_at": NOW, "detected_at": NOW},
}
REWRITE = {
    **{"target_id": 1, "database_name": "shop", "queryid": -5, "rule": "r", "class": "E"},
    **{"original_sql": "a", "suggested_sql": "b", "reasoning": "c", "evidence_level": "costed"},
    **{"confidence_score": 0.5, "created_at": NOW, "updated_at": NOW},
}
PARAMETER = {
    **{"target_id": 1, "database_name": "shop", "parameter": "work_mem", "scope": "role"},
    **{"suggested_value": "64MB", "reasoning": "c", "evidence_level": "heuristic"},
    **{"confidence_score": 0.5, "created_at": NOW, "updated_at": NOW},
}
MODEL = {
    **{"database_name": "shop", "model_type": "xgboost", "version": 1, "feature_names": ["a"]},
    **{"training_rows": 5, "trained_since": NOW, "trained_until": NOW, "artifact": b"x"},
    **{"artifact_format": "xgboost", "created_at": NOW, "is_active": True},
}


@pytest.mark.parametrize(
    ("table", "good", "bad"),
    [
        ("workload_patterns", PATTERN, {"pattern_type": "lunar"}),
        ("workload_patterns", PATTERN, {"confidence": 1.01}),
        ("workload_patterns", PATTERN, {"last_seen_at": datetime(2025, 1, 1, tzinfo=UTC)}),
        ("query_rewrite_suggestions", REWRITE, {"class": "X"}),
        ("query_rewrite_suggestions", REWRITE, {"feedback": "meh"}),
        ("query_rewrite_suggestions", REWRITE, {}),
        ("parameter_tuning_suggestions", PARAMETER, {"scope": "galaxy"}),
        ("parameter_tuning_suggestions", PARAMETER, {}),
        ("query_performance_models", MODEL, {"artifact_format": "pickle"}),
        ("query_performance_models", MODEL, {"version": 2}),
        ("optimization_implementations", {}, {"status": "maybe"}),
        (
            "optimization_implementations",
            {},
            {"actual_low_percent": 2.0, "actual_high_percent": 1.0},
        ),
    ],
)
def test_a_good_row_fits_and_a_bad_one_does_not(
    conn: Connection, table: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    """An empty difference is the same row again; the second active model is one too many."""
    if table == "optimization_implementations":
        good = {
            "recommendation_id": recommended(conn)["id"],
            "created_at": NOW,
            "updated_at": NOW,
        }
    assert insert(conn, table, good)
    with pytest.raises(psycopg.IntegrityError):
        insert(conn, table, {**good, **bad})


def test_a_password_is_never_stored(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "insert into targets (name, conninfo, first_seen_at)"
            " values ('p', 'host=a password=b', now())"
        )
