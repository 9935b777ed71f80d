"""How long the 30-day chart of one query takes, on the store that benchmarks/store_size.py made.

Charts of the busiest, a middling and the rarest query are read as the doors read them: buckets by
`bucket_seconds_of`, points by `query_history`, and what they are divided by from `coverage`. First
with PostgreSQL just started (its own cache empty; the operating system's is not), then again and
again. The last 12 hours in minutes stand beside it.

Usage: python -m benchmarks.history_chart --data-dir DIR [--repeat 30] [--timescaledb-bin BIN]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from benchmarks.store_size import DAY, END, opened

from pgadvisor.store import Store
from pgadvisor.store.history import (
    QuerySummary,
    bucket_seconds_of,
    is_of_hours,
    list_queries,
    query_history,
)
from pgadvisor.store.status import coverage


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--timescaledb-bin", type=Path)
    options = parser.parse_args()
    with opened(options.data_dir, options.timescaledb_bin) as (store, _):
        queries = chosen(store)
    # opened again: the server was restarted, its cache is empty
    with opened(options.data_dir, options.timescaledb_bin) as (store, _):
        for name, query in queries.items():
            print(f"{name}: {query.calls:,} calls in 30 days")
            for span in (30 * DAY, timedelta(hours=12)):
                measure(store, query, span, options.repeat)


def chosen(store: Store) -> dict[str, QuerySummary]:
    with store.transaction() as conn:
        conn.execute(
            """insert into databases (target_id, dbid, datname, last_seen_at)
               select distinct target_id, dbid, 'db' || dbid, %s::timestamptz from statements
               on conflict do nothing""",
            [END],
        )
        found = list_queries(conn, since=END - 30 * DAY, until=END, limit=100_000)
    return {"busiest": found[0], "middling": found[len(found) // 2], "rarest": found[-1]}


def measure(store: Store, query: QuerySummary, span: timedelta, repeat: int) -> None:
    since = END - span
    width = bucket_seconds_of(since, END)

    def chart() -> int:
        with store.transaction() as conn:
            points = query_history(conn, query, since=since, until=END, bucket_seconds=width)
            coverage(
                conn,
                query.target_ids,
                since=since,
                until=END,
                bucket_seconds=width,
                of_hours=is_of_hours(width),
                database=query.database_name,
            )
        return len(points)

    first, points = timed(chart)
    again = sorted(timed(chart)[0] for _ in range(repeat))
    print(
        f"  {span.total_seconds() / 3600:4.0f} h in {width:6.0f} s: {points:4} points, "
        f"first {first:6.1f} ms, then median {statistics.median(again):6.1f} ms, "
        f"p95 {again[int(0.95 * (len(again) - 1))]:6.1f} ms"
    )


def timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1000, result


if __name__ == "__main__":
    main()
