"""Parquet, row group by row group."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pgadvisor.collect.imports.table import Batch, Refuse
from pgadvisor.errors import ImportUnreadable

__all__ = ["ParquetTable", "is_parquet"]

_ROWS = 5_000


def is_parquet(path: Path) -> bool:
    """True for a file that begins as Parquet does, whatever its name is."""
    try:
        with path.open("rb") as raw:
            return raw.read(4) == b"PAR1"
    except OSError as exc:
        raise ImportUnreadable(
            f"{path} cannot be read: {exc}", hint="Check the path and the rights of the file."
        ) from exc


class ParquetTable:
    """A Parquet file; raises `ImportUnreadable` where it is damaged."""

    decimal_comma = False

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        with self._opened() as file:
            schema = file.schema_arrow
            self.names = list(schema.names)
            self.digest = _digest(file, path)
            self.taken = [f"{self.name}: Parquet, {file.metadata.num_rows:,} rows"]

    def batches(self, columns: Sequence[int], refuse: Refuse) -> Iterator[Batch]:
        """The rows in the order of the file."""
        done = 0
        with self._opened() as file:
            whole = max(file.metadata.num_rows, 1)
            names = [self.names[index] for index in columns]
            try:
                for batch in file.iter_batches(batch_size=_ROWS, columns=names):
                    lines = range(done + 1, done + batch.num_rows + 1)
                    done += batch.num_rows
                    values = [_values(batch.column(batch.schema.names.index(n))) for n in names]
                    yield Batch(lines, values, done / whole)
            except (pa.ArrowException, OSError) as exc:
                raise _damaged(self._path, exc) from exc

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as exc:
            raise _damaged(self._path, exc) from exc


def _damaged(path: Path, exc: Exception) -> ImportUnreadable:
    return ImportUnreadable(
        f"{path} is not a whole Parquet file: {' '.join(str(exc).split())[:200]}",
        hint="Write it again; a Parquet file that was cut off cannot be read at all.",
    )


def _values(column: Any) -> list[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Python's datetime ends at microseconds
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    elif pa.types.is_duration(kind):
        column = column.cast(pa.duration("us"), safe=False)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [v if v is None else v.decode(errors="replace") for v in column.to_pylist()]
    found: list[Any] = column.to_pylist()
    return found


def _digest(file: pq.ParquetFile, path: Path) -> str:
    """Of all bytes: two exports may have the same statistics in their footers."""
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as raw:
        while piece := raw.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
