"""CSV as people export it: any delimiter, quoting, encoding and compression, told by itself."""

import bz2
import csv
import gzip
import hashlib
import io
import lzma
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pgadvisor.collect.imports.columns import layout_of
from pgadvisor.collect.imports.numbers import has_decimal_comma
from pgadvisor.collect.imports.table import Batch, Refuse
from pgadvisor.errors import ConfigInvalid, ImportUnreadable

__all__ = ["CsvTable"]

_ROWS = 5_000
_SAMPLE_ROWS = 1_000
_SAMPLE = 256 * 1024
_DELIMITERS = (",", "\t", ";", "|")
#: a query text is long at times, a field of this size is a quote that nobody closed
_LONGEST_FIELD = 16 * 1024 * 1024
_PACKED: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
)


class CsvTable:
    """A CSV file; raises `ImportUnreadable` where it cannot be read as one."""

    def __init__(
        self, path: Path, *, columns: Sequence[str] | None = None, encoding: str | None = None
    ) -> None:
        self.name = path.name
        self._path = path
        head = _head(path)
        self._encoding = encoding or _encoding(head)
        text = _decoded(head, self._encoding, path)
        self._delimiter, self._quote = _dialect(text)
        sample = self._parsed(io.StringIO(text, newline=""))
        first = next(iter(sample), None)
        if first is None:
            raise ImportUnreadable(f"{path} has no rows", hint="Export it again, with a header.")
        self._has_header = columns is None and not _is_data(first)
        self.names = _names(columns, first, self._has_header, path)
        rows = list(islice(sample, _SAMPLE_ROWS))
        self.decimal_comma = self._delimiter != "," and has_decimal_comma(
            value for row in rows for value in row
        )
        self.digest = _digest(path)
        self.taken = self._how()

    def batches(self, columns: Sequence[int], refuse: Refuse) -> Iterator[Batch]:
        """The rows in the order of the file; those with another number of columns are refused."""
        size = max(self._path.stat().st_size, 1)
        with self._path.open("rb") as raw, _text(raw, self._encoding) as text:
            reader = self._parsed(text)
            if self._has_header:
                next(reader, None)
            try:
                while rows := _some(reader, len(self.names), refuse):
                    lines, values = rows
                    turned = list(zip(*values, strict=True)) or [()] * len(self.names)
                    picked = [turned[index] for index in columns]
                    yield Batch(lines, picked, min(raw.tell() / size, 1.0))
            except (csv.Error, OSError, EOFError, lzma.LZMAError) as exc:
                raise ImportUnreadable(
                    f"{self._path} cannot be read after line {reader.line_num}: {exc}",
                    hint="A quote that is not closed, or a file that was cut off while it was "
                    "copied. Mend the file and import it again: nothing is counted twice.",
                ) from exc

    def _parsed(self, text: IO[str]) -> Any:
        csv.field_size_limit(_LONGEST_FIELD)
        return csv.reader(text, delimiter=self._delimiter, quotechar=self._quote)

    def _how(self) -> list[str]:
        delimiter = {"\t": "tab", "|": "bar", ";": "semicolon", ",": "comma"}[self._delimiter]
        comma = ", decimal commas" if self.decimal_comma else ""
        return [f"{self.name}: CSV with {delimiter}, {self._encoding}{comma}"]


def _some(reader: Any, width: int, refuse: Refuse) -> tuple[list[int], list[list[str]]] | None:
    """The next rows of the right width with their line numbers, None at the end."""
    lines: list[int] = []
    rows: list[list[str]] = []
    seen = 0
    for row in islice(reader, _ROWS):
        seen += 1
        if len(row) == width:
            lines.append(reader.line_num)
            rows.append(row)
        elif row:
            refuse("wrong number of columns", f"line {reader.line_num}: {len(row)}, not {width}")
    return (lines, rows) if seen else None


def _text(raw: IO[bytes], encoding: str) -> IO[str]:
    start = raw.read(6)
    raw.seek(0)
    opened: Any = next((unpack(raw) for magic, unpack in _PACKED if start.startswith(magic)), raw)
    return io.TextIOWrapper(opened, encoding=encoding, errors="replace", newline="")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            start = raw.read(6)
            raw.seek(0)
            unpack = next((one for magic, one in _PACKED if start.startswith(magic)), None)
            return bytes((unpack(raw) if unpack else raw).read(_SAMPLE))
    except (OSError, EOFError, lzma.LZMAError) as exc:
        raise ImportUnreadable(
            f"{path} cannot be read: {exc}", hint="Check the path and the rights of the file."
        ) from exc


def _encoding(head: bytes) -> str:
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return name
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as exc:
        if exc.start < len(head) - 4:  # else a character that the sample cuts
            return "windows-1252"
    return "utf-8"


def _decoded(head: bytes, encoding: str, path: Path) -> str:
    try:
        text = head.decode(encoding, errors="replace")
    except LookupError as exc:
        raise ConfigInvalid(f"there is no encoding {encoding!r}", hint="Write utf-8.") from exc
    if "\0" in text:
        raise ImportUnreadable(
            f"{path} is not a text file",
            hint="CSV (also .gz, .bz2, .xz) and Parquet can be imported.",
        )
    # whole lines only, unless there is but one
    return text if len(head) < _SAMPLE else text[: text.rfind("\n") + 1] or text


def _dialect(text: str) -> tuple[str, str]:
    """Delimiter and quote that make the sample a table, the one with most known columns first."""
    found = []
    for delimiter in _DELIMITERS:
        for quote in ('"', "'"):
            rows = list(
                islice(
                    csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote),
                    100,
                )
            )
            rows = [row for row in rows if row]
            if not rows:
                continue
            width = len(rows[0])
            even = sum(len(row) == width for row in rows) / len(rows)
            known = len(layout_of(rows[0]).columns)
            found.append(
                (known > 0, even > 0.8 and width > 1, known, even * width, delimiter, quote)
            )
    if not found:
        return ",", '"'
    # ties go to the first of each list
    best = max(found, key=lambda one: one[:4])
    return best[4], best[5]


def _is_data(row: Sequence[str]) -> bool:
    """True for a first row that is not a header: none of its names is known, one is a number."""
    return not layout_of(row).columns and any(
        value.strip().replace(".", "", 1).lstrip("-").isdigit() for value in row
    )


def _names(
    columns: Sequence[str] | None, first: Sequence[str], has_header: bool, path: Path
) -> list[str]:
    if columns is not None:
        if len(columns) != len(first):
            raise ConfigInvalid(
                f"{len(columns)} columns are named and {path} has {len(first)}",
                hint="Name all columns in --columns, with any name for those not wanted.",
            )
        return list(columns)
    if has_header:
        return [name.strip().lstrip("\ufeff") for name in first]
    if len(first) == 2:
        return ["captured_at", "value"]
    raise ImportUnreadable(
        f"{path} has no header",
        hint="Name its columns: --columns captured_at,database,query,calls,total_exec_time",
    )


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as raw:
        while piece := raw.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
