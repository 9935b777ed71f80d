"""Renders src/pgadvisor/store/schema.sql: what the migrations add up to, for people to read.

Refresh it with ``PYTHONPATH=. .venv/bin/python tests/store/schema.py``.
"""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.store import jobs_schema, migrate

FILE = Path(migrate.__file__).with_name("schema.sql")
_HEAD = (
    "-- What the migrations add up to. Made by tests/store/schema.py with pg_dump; a test checks\n"
    "-- that it is fresh. Change the migrations, not this file.\n"
)


def render(cluster: Cluster, dbname: str) -> str:
    """The schema of a migrated database, without what only a restore needs."""
    dumped = subprocess.run(
        [
            cluster.binaries.bin_dir / "pg_dump",
            *("--schema-only", "--no-owner", "--no-privileges", "--restrict-key=x"),
            f"--exclude-schema={jobs_schema.SCHEMA}",
            *("-d", cluster.dsn(dbname)),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    noise = r"^(--.*|SET .*|SELECT pg_catalog\..*|\\(un)?restrict .*)\n"
    bare = re.sub(noise, "", dumped, flags=re.MULTILINE).replace("public.", "")
    return _HEAD + re.sub(r"\n{3,}", "\n\n", bare).rstrip() + "\n"


def main() -> None:
    with Cluster.temporary(embedded_binaries()) as cluster:
        with psycopg.connect(cluster.dsn()) as conn:
            migrate.apply(conn, now=datetime.now(UTC))
        FILE.write_text(render(cluster, "postgres"), encoding="utf-8")


if __name__ == "__main__":
    main()
