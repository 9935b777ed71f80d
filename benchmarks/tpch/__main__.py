"""Runs the comparison: without advice, with pgadvisor's, with Dexter-style advice."""

import argparse
import tempfile
from pathlib import Path
from time import monotonic

import psycopg
from benchmarks.tpch.advisor import Advice, advise_statements, observing, read_advice
from benchmarks.tpch.data import prepare, read_queries
from benchmarks.tpch.dexter_style import advise_indexes
from benchmarks.tpch.report import read_json, slower, table, write_json
from benchmarks.tpch.run import QueryTime, apply, run_queries
from benchmarks.tpch.target import SETTINGS, tpch_cluster

CONFIGURATIONS = ("primary keys", "pgadvisor", "dexter style")
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
    parser.add_argument(
        "--only",
        choices=CONFIGURATIONS,
        action="append",
        help="run only these; times of the others are taken from the last run's results",
    )
    parser.add_argument(
        "--advice", type=Path, help="a file with the output of `pgadvisor advise --json`"
    )
    return parser.parse_args()


class Benchmark:
    """One loaded target and the times measured on it."""

    def __init__(self, options: argparse.Namespace, dsn: str, folder: Path) -> None:
        self.options, self.dsn, self.folder = options, dsn, folder
        self.queries = read_queries(folder)
        self.results = read_json(folder / "results.json")

    def measure(self, configuration: str) -> None:
        """Time all queries and keep the result, so that an interrupted run is not lost."""
        note(f"--- {configuration}")
        self.results[configuration] = self._run(self.options.runs)
        write_json(self.folder / "results.json", self.results)

    def with_statements(self, configuration: str, do: list[str], undo: list[str]) -> None:
        """Apply, time, undo."""
        for statement in do:
            note(statement)
        note(f"applied in {apply(self.dsn, do):.0f} s")
        with psycopg.connect(self.dsn) as conn:
            for name, size in conn.execute(
                Path(__file__).with_name("added_indexes.sql").read_text()
            ):
                note(f"index {name}: {size}")
        self.measure(configuration)
        apply(self.dsn, undo)

    def observed_advice(self) -> list[Advice]:
        """Let pgadvisor watch one round of the queries, then ask it."""
        if self.options.advice:
            return read_advice(self.options.advice.read_text())
        with tempfile.TemporaryDirectory(prefix="pgadvisor-tpch-store-") as store:
            store_dir = Path(store) / "store"  # made by pgadvisor, for the account it uses
            Path(store).chmod(0o755)
            with observing(self.dsn, store_dir):
                note("--- observed by pgadvisor")
                self._run(1)
            return advise_statements(self.dsn, store_dir)

    def _run(self, runs: int) -> dict[str, QueryTime]:
        return run_queries(
            self.dsn,
            self.queries,
            runs=runs,
            timeout_seconds=self.options.timeout,
            note=note,
        )


def run(benchmark: Benchmark, wanted: tuple[str, ...]) -> None:
    if "primary keys" in wanted:
        benchmark.measure("primary keys")
    if "pgadvisor" in wanted:
        advice = benchmark.observed_advice()
        for one in advice:
            note(f"pgadvisor: {one.rule}, roi_score {one.roi_score:.1f}")
        undo = [one.undo for one in reversed(advice)]
        benchmark.with_statements("pgadvisor", [one.statement for one in advice], undo)
    if "dexter style" in wanted:
        indexes = advise_indexes(benchmark.dsn, benchmark.queries)
        names = [f"dexter_{number}" for number in range(len(indexes))]
        do = [
            index.definition.as_string(None).replace("index on", f"index {name} on", 1)
            for name, index in zip(names, indexes, strict=True)
        ]
        benchmark.with_statements("dexter style", do, [f"drop index {name}" for name in names])


def main() -> None:
    options = arguments()
    folder = prepare(options.data_dir, options.scale, note)
    with tpch_cluster(folder, note) as dsn:
        note("settings: " + ", ".join(f"{k}={v}" for k, v in SETTINGS.items()))
        benchmark = Benchmark(options, dsn, folder)
        run(benchmark, tuple(options.only or CONFIGURATIONS))
    results = {
        name: benchmark.results[name] for name in CONFIGURATIONS if name in benchmark.results
    }
    print(table(results))
    for name in CONFIGURATIONS[1:]:
        if name in results and "primary keys" in results:
            worse = slower(results["primary keys"], results[name])
            print(f"slower by more than 10 % with {name}: {', '.join(worse) or 'none'}")


if __name__ == "__main__":
    main()
