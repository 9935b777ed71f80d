"""Runs the comparison: primary keys only, pgadvisor's advice, Dexter-style advice."""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import LiteralString

import psycopg
from benchmarks.tpch.advisor import Advice, advise_statements, observing, read_advice
from benchmarks.tpch.data import prepare, read_queries
from benchmarks.tpch.dexter_style import advise_indexes
from benchmarks.tpch.report import slower, table, write_json
from benchmarks.tpch.run import Configuration, create, run_queries, run_query
from benchmarks.tpch.target import SETTINGS, tpch_cluster

PGADVISOR, DEXTER = "pgadvisor", "dexter style"
_STARTED = monotonic()


def note(text: str) -> None:
    print(f"{monotonic() - _STARTED:7.0f} s  {text}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tpch", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="scale factor (default 1)")
    parser.add_argument("--runs", type=int, default=3, help="runs a query; the median counts")
    parser.add_argument("--timeout", type=float, default=300, help="seconds a query may take")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(tempfile.gettempdir()) / "pgadvisor-tpch",
        help="where generated data and results are kept",
    )
    parser.add_argument("--only", choices=(PGADVISOR, DEXTER), help="leave out the other")
    parser.add_argument("--top", type=int, default=20, help="recommendations to apply")
    parser.add_argument(
        "--advice", type=Path, help="a file with the output of `pgadvisor advise --json`"
    )
    return parser.parse_args()


def observed_advice(
    dsn: str, queries: Mapping[str, LiteralString], options: argparse.Namespace
) -> list[Advice]:
    """Let pgadvisor watch one round of the queries, then ask it."""
    if options.advice:
        return read_advice(options.advice.read_text())[: options.top]
    with tempfile.TemporaryDirectory(prefix="pgadvisor-tpch-store-") as folder:
        Path(folder).chmod(0o755)  # the store below it may belong to another account
        store_dir = Path(folder) / "store"
        with observing(dsn, store_dir), psycopg.connect(dsn, autocommit=True) as conn:
            for name, text in queries.items():
                time = run_query(conn, text, options.timeout)
                note(f"observed {name}: {time.median_ms / 1000:.2f} s")
        return advise_statements(dsn, store_dir, top=options.top)


def configurations(
    dsn: str, queries: Mapping[str, LiteralString], options: argparse.Namespace
) -> list[Configuration]:
    """All advice is taken from the bare target, before any of it is built."""
    wanted = [options.only] if options.only else [PGADVISOR, DEXTER]
    statements: dict[str, list[tuple[str, str]]] = {}
    if PGADVISOR in wanted:
        advice = observed_advice(dsn, queries, options)
        statements[PGADVISOR] = [(one.statement, one.undo) for one in advice]
        for one in advice:
            note(f"{PGADVISOR}: {one.rule}, roi_score {one.roi_score:.1f}")
    if DEXTER in wanted:
        indexes = [index.definition.as_string(None) for index in advise_indexes(dsn, queries)]
        statements[DEXTER] = [(text, "") for text in indexes]
    found = [Configuration(name="primary keys")]
    for name, each in statements.items():
        for text, _ in each:
            note(f"{name}: {text}")
        found.append(create(dsn, name, each))
        note(f"{name}: built in {found[-1].create_seconds:.0f} s")
    return found


def show_sizes(dsn: str, built: list[Configuration]) -> None:
    """What each index takes, as PostgreSQL says; then the statistics that all share."""
    owner = {index: one.name for one in built for index in one.indexes}
    query = Path(__file__).with_name("added_indexes.sql").read_text()
    with psycopg.connect(dsn, autocommit=True) as conn:
        for index, size in conn.execute(query):
            note(f"{owner[index]}: {index} {size}")
        conn.execute("vacuum (analyze)")


def main() -> None:
    options = arguments()
    folder = prepare(options.data_dir, options.scale, note)
    queries = read_queries(folder)
    note("settings: " + ", ".join(f"{k}={v}" for k, v in SETTINGS.items()))
    with tpch_cluster(folder, note) as dsn:
        built = configurations(dsn, queries, options)
        show_sizes(dsn, built)
        times = run_queries(
            dsn, queries, built, runs=options.runs, timeout_seconds=options.timeout, note=note
        )
    write_json(folder / "results.json", times)
    print(table(times))
    for one in built[1:]:
        worse = slower(times[built[0].name], times[one.name])
        print(f"slower by more than 10 % with {one.name}: {', '.join(worse) or 'none'}")


if __name__ == "__main__":
    main()
