"""The rows and the 22 queries, from duckdb's tpch extension, kept in a folder.

The extension comes as a wheel (duckdb-extension-tpch) and carries DuckDB's own signature, which
duckdb checks when it loads it: nothing is fetched from the network. duckdb is needed only the
first time; afterwards the folder is all there is.
"""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

__all__ = ["TABLES", "prepare", "read_queries"]

TABLES = (
    "region",
    "nation",
    "supplier",
    "customer",
    "part",
    "partsupp",
    "orders",
    "lineitem",
)
Note = Callable[[str], None]


def prepare(data_dir: Path, scale: float, note: Note) -> Path:
    """The folder with one CSV file a table and one SQL file a query; made when it is new."""
    folder = data_dir / f"sf{scale:g}"
    complete = folder / "complete"
    if complete.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    note(f"make TPC-H data at scale {scale:g} in {folder}")
    conn = importlib.import_module("duckdb").connect()
    conn.execute(f"load '{_extension_file()}'")
    conn.execute(f"call dbgen(sf={scale})")
    for table in TABLES:
        conn.execute(f"copy {table} to '{folder / table}.csv' (format csv, header false)")
    for number, text in conn.execute("select query_nr, query from tpch_queries()").fetchall():
        (folder / f"q{number:02}.sql").write_text(text.strip() + "\n")
    complete.touch()
    return folder


def read_queries(folder: Path) -> dict[str, str]:
    """The queries by name, q01 to q22, without the closing semicolon."""
    return {p.stem: p.read_text().strip().rstrip(";") for p in sorted(folder.glob("q*.sql"))}


def _extension_file() -> Path:
    spec = importlib.util.find_spec("duckdb_extension_tpch")
    if spec is None or spec.origin is None:
        raise SystemExit("TPC-H data needs the group bench: `uv sync --group bench`")
    return next(Path(spec.origin).parent.glob("extensions/*/tpch.duckdb_extension"))
