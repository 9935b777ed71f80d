"""Secrets planted everywhere in a workload are nowhere in the store and in what we print."""

import io
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pgadvisor import pipeline
from pgadvisor.cli.output import log_to_stderr
from pgadvisor.cluster import Cluster
from pgadvisor.collect.target import Target
from pgadvisor.config import Settings, load_settings
from pgadvisor.errors import ConfigInvalid
from pgadvisor.pipeline.log_ingest import LogNotes, ingest_log
from pgadvisor.pipeline.mask_stored import mask_stored
from pgadvisor.records.log import LogFormat, LogSampling
from pgadvisor.records.parameter import ParameterMode
from pgadvisor.store import Store, open_store

EMAIL = "zq7person@secret.example"
NAME = "Zq7 Quxley"
CARD = "4929182736451827"
PASSWORD = "zq7-hunter2"
TOKEN = "zq7token5551234"
BORN = "1987-06-05"
#: most rows have it: the planner knows it, and the analysis finds it by its hash
COMMON = "zq7common"
SECRETS = (EMAIL, NAME, CARD, PASSWORD, TOKEN, BORN, COMMON, "zq7")

SETUP = f"""
create table people (id int primary key, email text not null, name text, card text, number bigint,
                     status text, born date, doc jsonb, note text);
insert into people
select g, 'person' || g || '@example.org', 'name ' || g, (4000000000000000 + g)::text,
       4000000000000000 + g, case when g % 20 = 0 then 'rare' || g % 7 else '{COMMON}' end,
       date '1960-01-01' + g % 20000, jsonb_build_object('k', g), repeat('x', 100)
from generate_series(1, 30000) g;
insert into people values (0, '{EMAIL}', '{NAME}', '{CARD}', {CARD}, '{COMMON}', '{BORN}',
                           '{{"token": "{TOKEN}"}}', '{PASSWORD}');
analyze people
"""
LITERALS = [
    f"select id, note from people where email = '{EMAIL}'",
    f"select count(*) from people where status = '{COMMON}' and name = '{NAME}'",
    f"select id from people where number = {CARD} or card = '{CARD}'",
    f"select id from people where born = '{BORN}' or born = date '{BORN}' and name like '{NAME}%'",
    f"select doc ->> '{TOKEN}' from people where doc @> '{{\"token\": \"{TOKEN}\"}}'",
    f"select id from people where name in ('{NAME}', E'{NAME}', $x${NAME}$x$) order by note",
    f"select case when note = '{PASSWORD}' then '{NAME}' end, count(*) from people"
    f" where email > '{EMAIL}' group by 1",
    f"select id from people where id = 17 /* user='{EMAIL}', card={CARD} */ -- {TOKEN}",
    f"update people set note = '{PASSWORD}' where email = '{EMAIL}'",
    f"insert into people (id, email) values (-1, '{EMAIL}') on conflict (id) do nothing",
    f"delete from people where email = '{TOKEN}'",
    f"select * from unnest('{{{NAME},{TOKEN}}}'::text[]) u join people on name = u",
    f"begin; select '{PASSWORD}'; commit",
]
UTILITY = [
    f"create role {{role}} password '{PASSWORD}' valid until '{BORN}'",
    f"alter role {{role}} password '{PASSWORD}'",
    f"alter role {{role}} set app.token = '{TOKEN}'",
    f"set app.token = '{TOKEN}'",
    f"set app.token to {TOKEN}",
    f"do $$ begin perform count(*) from people where email = '{EMAIL}'; end $$",
    f"create function f(text) returns bigint language sql as $f$ select count(*) from people"
    f" where email = $1 or name = '{NAME}' /* {TOKEN} */ $f$",
    f"select f('{EMAIL}')",
    f"comment on table people is '{TOKEN}'",
    f"create table copied as select * from people where email = '{EMAIL}'",
    f"create view seen as select id from people where email = '{EMAIL}'",
    f"prepare p as select id from people where name = '{NAME}' and email = $1",
    f"execute p('{EMAIL}')",
    f"explain analyze select * from people where email = '{EMAIL}'",
    f"notify channel, '{TOKEN}'",
    f"begin; declare c cursor for select '{NAME}'; commit",
    f"copy (select * from people where email = '{EMAIL}') to '/dev/null'",
    "drop role {role}",
]
ERRORS = [
    f"select '{TOKEN}'::int",
    f"select * from people where born = '{TOKEN}'",
    f"insert into people values (0, '{EMAIL}')",
    f"selec '{PASSWORD}' -- {TOKEN}",
    f"select '{PASSWORD}",
    f"select id from people where email = '{EMAIL}' and nothing = '{TOKEN}'",
]


def now() -> datetime:
    return datetime.now(UTC)


def run(conn: psycopg.Connection[Any]) -> None:
    """The workload, each statement as an application would send it."""
    role = f"zq_{conn.info.dbname}"
    for text in (*LITERALS, *UTILITY):
        conn.execute(text.replace("{role}", role).encode())
    for text in ERRORS:
        with pytest.raises(psycopg.Error):
            conn.execute(text.encode())
    for prepare in (False, True):
        conn.execute(
            "select id from people where email = %s and card = %s and number = %s::bigint"
            " and born = %s and name is not distinct from %s",
            [EMAIL, CARD, int(CARD), BORN, None],
            prepare=prepare,
        )
    for number in range(20):
        conn.execute("select id from people where email = %s and status = %s", [EMAIL, COMMON])
        conn.execute(f"select note from people where email = '{EMAIL}{number}'".encode())
    for level in ("text", "json"):
        conn.execute(f"set auto_explain.log_format = {level}".encode())
        conn.execute(LITERALS[0].encode())


@pytest.fixture
def noisy(target_conn: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """A session that logs all it does in every way there is."""
    target_conn.execute(SETUP.encode())
    for name, value in {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_verbose": "on",
        "auto_explain.log_settings": "on",
        "auto_explain.log_nested_statements": "on",
        "log_min_duration_statement": "0",
        "log_error_verbosity": "verbose",
        "log_parameter_max_length": "-1",
    }.items():
        target_conn.execute(sql.SQL("set {} = {}").format(sql.Identifier(name), value))
    yield target_conn


def dump(store: Store) -> str:
    """Every row of every table of the store as text."""
    with store.transaction() as conn:
        tables = conn.execute(
            """select c.oid::regclass::text from pg_class c join pg_namespace n
               on n.oid = c.relnamespace where c.relkind = 'r'
               and n.nspname not in ('pg_catalog', 'information_schema')"""
        ).fetchall()
        rows = []
        for (name,) in tables:
            found = conn.execute(f"select t::text from {name} t".encode()).fetchall()
            rows += [f"{name}: {row}" for (row,) in found]
    return "\n".join(rows)


def leaks(text: str) -> list[str]:
    lines = text.lower().splitlines()
    return [line[:500] for line in lines if any(word.lower() in line for word in SECRETS)]


def collect_all(store: Store, dsn: str, conn: psycopg.Connection[Any], settings: Settings) -> None:
    """All that a worker does, around the workload."""
    with pipeline.connect_target(dsn, settings) as target:
        target_id = pipeline.register_target(store, target, dsn, now=now())
        pipeline.observe_logs(target, store, target_id, now=now())
        pipeline.observe_statements(target, store, target_id, now=now())
        run(conn)
        running(target, store, target_id, dsn)
        pipeline.observe_statements(target, store, target_id, now=now())
        reading = pipeline.observe_logs(target, store, target_id, now=now())
        assert reading.plans > len(LITERALS)
        assert reading.statements > len(LITERALS)
        pipeline.observe_catalog(target, store, target_id, now=now())
        pipeline.explain_unplanned(
            target, store, target_id, now=now(), since=now() - timedelta(hours=1)
        )
        pipeline.advise(target, store, target_id, now=now())


def running(target: Target, store: Store, target_id: int, dsn: str) -> None:
    def slow() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("set statement_timeout = '3s'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                conn.execute(
                    f"select pg_sleep(60), count(*) from people where email = '{EMAIL}'".encode()
                )

    thread = threading.Thread(target=slow)
    thread.start()
    while thread.is_alive():
        pipeline.observe_activity(target, store, target_id, now=now())
        thread.join(0.2)


def bring(store: Store, path: Path, start: int, settings: Settings) -> None:
    """The same log, brought as a file."""
    content = path.read_bytes()[start:]
    form = {".json": LogFormat.JSONLOG, ".csv": LogFormat.CSVLOG}.get(path.suffix, LogFormat.STDERR)
    ingest_log(
        store,
        io.BytesIO(content),
        LogNotes(
            format=form,
            line_prefix="%m [%p] %q%u@%d app=%a id=%Q " if form is LogFormat.STDERR else None,
            sampling=LogSampling(statement_threshold_ms=0, plan_threshold_ms=0),
        ),
        settings,
        target=f"brought {form}",
        name=path.name,
        now=now(),
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", [ParameterMode.HASH, ParameterMode.DROP])
def test_planted_secrets_are_nowhere(
    mode: ParameterMode,
    noisy: psycopg.Connection[Any],
    target_cluster: Cluster,
    target_dsn: str,
    store_dsn: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    log_to_stderr("DEBUG", as_json=True)
    logs = {path: path.stat().st_size for path in target_cluster.log_dir.iterdir()}
    settings = load_settings(database_url=store_dsn, parameters=mode)
    with open_store(settings, now=now()) as store:
        collect_all(store, target_dsn, noisy, settings)
        logged: dict[str, str] = {}
        for path in sorted(target_cluster.log_dir.iterdir()):  # one may be new by rotation
            size = logs.get(path, 0)
            if path.stat().st_size > size:
                logged[path.suffix] = (
                    logged.get(path.suffix, "") + path.read_bytes()[size:].decode()
                )
                bring(store, path, size, settings)
        assert len(logged) == len({path.suffix for path in logs})
        assert all(map(leaks, logged.values())), "the logs have what must not be kept"
        kept = dump(store)
    assert leaks(kept) == []
    printed = "".join(capfd.readouterr()) + caplog.text
    assert leaks(printed) == []
    # what is useful stays
    assert "people" in kept
    assert ('"hash"' in kept) == (mode is ParameterMode.HASH)
    assert re.search(r"where email = \$\d+", kept)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [ParameterMode.HASH, ParameterMode.DROP])
def test_keep_keeps_them_until_they_are_masked(
    mode: ParameterMode, noisy: psycopg.Connection[Any], target_dsn: str, store_dsn: str
) -> None:
    keeping = load_settings(database_url=store_dsn, parameters=ParameterMode.KEEP)
    with open_store(keeping, now=now()) as store:
        collect_all(store, target_dsn, noisy, keeping)
        kept = dump(store)
        with pytest.raises(ConfigInvalid, match="nothing to mask"):
            mask_stored(store)
    for secret in (EMAIL, NAME, CARD, TOKEN, BORN):
        assert secret in kept
    masking = load_settings(database_url=store_dsn, parameters=mode)
    with open_store(masking, now=now()) as store:
        changed = mask_stored(store)
        assert changed["plans"] and changed["queries"]
        assert changed["executions"] and changed["logged_statements"]
        assert leaks(dump(store)) == []
        assert not any(mask_stored(store).values())
