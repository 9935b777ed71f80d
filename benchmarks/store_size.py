"""How large the store gets: 1,000 active statements a minute for 30 days, default retention.

The server has 5,000 statements: 850 run every minute, 140 are jobs of one hour of the day, and
each minute 10 more run that nobody expects, so about 1,500 statements have a row in an hour.

- The last day (--minutes-for) is written a snapshot a minute through `record_snapshot`.
- The days before are written a snapshot an hour through `record_snapshot`: of most of them only the
  hours are left. A row of statement_hours that was updated 60 times lies in the same page as one
  written once as long as the updates are HOT, so look at that share.
- The deltas of the other six days of raw_retention are those of the last day, copied by SQL.
- Once a day `maintain` runs.
- Texts, activity samples and table statistics are added by SQL as collecting would: a text of 600
  characters a statement, 8 states every 10 seconds, and 100 tables and indexes that change every
  10 minutes.

With --timescaledb-bin the store is a private cluster of that PostgreSQL with the extension, whose
chunks `maintain` compresses. The data stays in --data-dir for benchmarks/history_chart.py.

Usage: python -m benchmarks.store_size --data-dir DIR [--days 30] [--minutes-for 1]
       [--timescaledb-bin BIN]
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from benchmarks.made_history import Made
from psycopg import sql

from pgadvisor.cluster import Binaries, Cluster
from pgadvisor.config import Settings, load_settings
from pgadvisor.records.statement import StatementSnapshot
from pgadvisor.store import Store, open_store
from pgadvisor.store.counters import COUNTER_COLUMNS
from pgadvisor.store.partitions import ensure_partitions
from pgadvisor.store.retention import maintain
from pgadvisor.store.snapshots import record_snapshot
from pgadvisor.store.targets import register_target

END = datetime(2026, 3, 31, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STATEMENTS, CORE, JOBS, OTHERS = 5000, 850, 140, 10


class Server:
    """What runs in which minute."""

    def __init__(self, seed: int) -> None:
        self.made = Made(STATEMENTS, seed=seed)
        self._random = random.Random(seed)

    def move_on(self, at: datetime, minutes: int) -> None:
        """The minutes that end at this instant."""
        first = CORE + at.hour * JOBS
        others = self._random.sample(
            range(CORE + 24 * JOBS, STATEMENTS), min(OTHERS * minutes, 600)
        )
        self.made.move_on([*range(CORE), *range(first, first + JOBS), *others])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--minutes-for", type=int, default=1, help="days written by the minute")
    parser.add_argument("--timescaledb-bin", type=Path)
    options = parser.parse_args()
    with opened(options.data_dir, options.timescaledb_bin) as (store, settings):
        began = time.perf_counter()
        fill(store, settings, options.days, options.minutes_for)
        copy_deltas(store, settings, options.minutes_for)
        maintain(store, settings, now=END + MINUTE)
        print(
            f"written in {time.perf_counter() - began:.0f} s, this process "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
        )
        add_the_rest(store, settings)
        report(store)


@contextmanager
def opened(data_dir: Path, timescaledb_bin: Path | None) -> Iterator[tuple[Store, Settings]]:
    """The embedded store in a folder, or one on a PostgreSQL with TimescaleDB."""
    if timescaledb_bin is None:
        settings = load_settings(data_dir=data_dir)
        with open_store(settings, now=END) as store:
            yield store, settings
        return
    binaries = Binaries.at(timescaledb_bin)
    own = {"shared_preload_libraries": "timescaledb", "max_wal_size": "512MB"}
    with Cluster.at(data_dir, binaries, settings=own) as cluster:
        with psycopg.connect(cluster.dsn(), autocommit=True) as conn:
            conn.execute("create extension if not exists timescaledb")
        settings = load_settings(database_url=cluster.dsn())
        with open_store(settings, now=END, upgrade=True) as store:
            yield store, settings


def fill(store: Store, settings: Settings, days: int, minutes_for: int) -> None:
    server = Server(seed=1)
    with store.transaction() as conn:
        target_id = register_target(conn, "size", "host=size", now=END - days * DAY)
    server.made.move_on(list(range(STATEMENTS)))
    at = END - days * DAY
    head = server.made.snapshot(at)
    while at <= END:
        record_snapshot(store, target_id, lambda at=at: reading(server, head, at))  # type: ignore[misc]
        if at.time() == datetime.min.time():
            done = maintain(store, settings, now=at + MINUTE)
            print(
                f"{at:%d %b}",
                ", ".join(
                    f"{n} {len(v)}"
                    for n, v in (
                        ("made", done.made),
                        ("dropped", done.dropped),
                        ("compressed", done.compressed),
                    )
                ),
            )
        step = MINUTE if at >= END - minutes_for * DAY else HOUR
        at += step
        server.move_on(at - MINUTE, step // MINUTE)


def copy_deltas(store: Store, settings: Settings, minutes_for: int) -> None:
    """Minutes for the raw days that were written by the hour."""
    columns = sql.SQL("target_id, statement_id, since, until, {}").format(COUNTER_COLUMNS)
    for days in range(minutes_for, settings.raw_retention // DAY):
        with store.transaction() as conn:
            ensure_partitions(conn, "statement_deltas", [END - days * DAY - HOUR])
            place = {"shift": days * DAY, "since": END - DAY, "until": END}
            conn.execute(
                """delete from statement_deltas
                   where until > %(since)s::timestamptz - %(shift)s
                     and until < %(until)s::timestamptz - %(shift)s""",
                place,
            )
            conn.execute(
                sql.SQL(
                    """insert into statement_deltas ({columns})
                       select target_id, statement_id, since - %(shift)s, until - %(shift)s,
                              {counters}
                       from statement_deltas where until > %(since)s and until < %(until)s"""
                ).format(columns=columns, counters=COUNTER_COLUMNS),
                place,
            )


def reading(server: Server, head: StatementSnapshot, at: datetime) -> StatementSnapshot:
    found = server.made.snapshot(at)
    return StatementSnapshot(
        captured_at=at,
        system_identifier=head.system_identifier,
        postmaster_start_at=head.postmaster_start_at,
        stats_reset=head.stats_reset,
        dealloc=0,
        extension_version=head.extension_version,
        statements=found.statements,
    )


def add_the_rest(store: Store, settings: Settings) -> None:
    place = {"until": END, "since": END - settings.raw_retention}
    with store.transaction() as conn:
        conn.execute(
            """insert into queries
                   (target_id, dbid, queryid, query, fingerprint, kind, first_seen_at)
               select distinct on (target_id, dbid, queryid) target_id, dbid, queryid,
                   'select ' || repeat(md5(queryid::text), 18), substr(md5(queryid::text), 1, 16),
                   'select', %(since)s::timestamptz
               from statements""",
            place,
        )
        conn.execute(
            """insert into activity_samples (target_id, captured_at, datname, usename, state,
                   wait_event_type, wait_event, queryid, backends, longest_ms)
               select 1, at, 'shop', 'app', case when n < 5 then 'active' else 'idle' end,
                   'Client', 'ClientRead', hashint8extended(n, 7), 1 + n, 12.5 * n
               from generate_series(%(since)s::timestamptz, %(until)s, '10 s') at,
                   generate_series(1, 8) n""",
            place,
        )
        conn.execute(
            """insert into relation_statistics (target_id, dbid, oid, captured_at, kind, statistics)
               select 1, 16384, 20000 + n, at, case when n %% 3 = 0 then 'table' else 'index' end,
                   case when n %% 3 = 0 then jsonb_build_object(
                       'n_tup_ins', n * e, 'n_tup_upd', n * e, 'n_tup_del', e,
                       'n_tup_hot_upd', e, 'n_live_tup', n * 1000, 'n_dead_tup', e,
                       'seq_scan', e, 'seq_tup_read', e * 9, 'idx_scan', e * 7,
                       'idx_tup_fetch', e, 'heap_blks_read', e, 'heap_blks_hit', e * 8,
                       'size_bytes', n * 8192, 'last_analyze', at, 'last_autovacuum', at)
                   else jsonb_build_object(
                       'idx_scan', e, 'idx_tup_read', e * 3, 'idx_tup_fetch', e,
                       'idx_blks_read', e, 'idx_blks_hit', e * 5, 'size_bytes', n * 8192) end
               from generate_series(%(since)s::timestamptz, %(until)s, '10 min') at,
                   generate_series(1, 100) n,
                   lateral (select extract(epoch from at)::bigint as e) e""",
            place,
        )


SIZES = """
select regexp_replace(coalesce(p.relname, c.relname), '^_hyper_.*', 'chunks'), count(*),
       sum(pg_relation_size(c.oid))::float8, sum(pg_indexes_size(c.oid))::float8,
       sum(pg_table_size(c.oid) - pg_relation_size(c.oid))::float8,
       sum(s.n_live_tup)::bigint, sum(s.n_dead_tup)::bigint,
       sum(s.n_tup_hot_upd) / nullif(sum(s.n_tup_upd), 0)::float
from pg_class c
join pg_stat_all_tables s on s.relid = c.oid
left join pg_inherits i on i.inhrelid = c.oid
left join pg_class p on p.oid = i.inhparent
where c.relkind = 'r' and s.schemaname !~ '^(pg_|information_schema)'
group by 1
having sum(pg_total_relation_size(c.oid)) > 1e6
order by sum(pg_total_relation_size(c.oid)) desc
"""


def report(store: Store) -> None:
    with store.transaction() as conn:
        conn.execute("analyze")
        rows = conn.execute(SIZES).fetchall()
        whole = conn.execute("select pg_database_size(current_database())").fetchone()
        counted = [
            (table, conn.execute(f"select count(*) from {table}".encode()).fetchone())
            for table in ("statement_deltas", "statement_hours")
        ]
    print(
        f"{'table':24} {'parts':>5} {'heap MB':>8} {'index MB':>8} {'other MB':>8} "
        f"{'rows':>11} {'dead':>8} {'HOT':>5}"
    )
    for name, parts, heap, index, other, live, dead, hot in rows:
        print(
            f"{name:24} {parts:5} {heap / 1e6:8.1f} {index / 1e6:8.1f} {other / 1e6:8.1f} "
            f"{live:11,} {dead:8,} {'' if hot is None else f'{hot:5.3f}'}"
        )
    for table, row in counted:
        print(f"{table}: {row[0] if row else 0:,} rows")
    print(f"the whole database: {whole[0] / 1e9 if whole else 0:.2f} GB (goal: 3)")


if __name__ == "__main__":
    main()
