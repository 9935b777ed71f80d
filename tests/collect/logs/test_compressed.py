"""Rotated files are found again under another name, copied or compressed, and nothing is lost."""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.collect.logs.made import Reader, line, write

from pgadvisor.collect.logs.files import LogFile
from pgadvisor.collect.logs.opened import Opened
from pgadvisor.collect.logs.read import read_log
from pgadvisor.collect.logs.unzipped import Inflations
from pgadvisor.records.log import LogFormat, LogSource

#: long enough to be told from others by its first bytes
FIRST = line("select 'first', " + "1 + " * 50 + "1")


def numbered(*numbers: int) -> bytes:
    return b"".join(line(f"select {number}") for number in numbers)


def compressed(path: Path, to: Path, second: int) -> Path:
    """As logrotate does: the time of the file is that of the original."""
    to.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(to, ns=(second * 10**9, second * 10**9))
    path.unlink()
    return to


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(LogSource(path=str(tmp_path / "server.json"), format=LogFormat.JSONLOG))


def test_rotated_and_compressed_file_is_read_on(tmp_path: Path, reader: Reader) -> None:
    path = write(tmp_path / "server.json", FIRST + numbered(1), 1)
    reader.read_all()
    write(path, numbered(2, 3), 2)
    rotated = path.rename(tmp_path / "server.json.1")
    compressed(rotated, tmp_path / "server.json.1.gz", 2)
    write(path, numbered(4), 3)
    reader.read_all()
    assert reader.queries[1:] == [f"select {number}" for number in (1, 2, 3, 4)]
    assert reader.gaps == []
    write(path, numbered(5), 4)
    reader.read_all()
    assert reader.queries[-1] == "select 5"


@pytest.mark.parametrize("is_dated", [True, False])
def test_files_rotated_while_nobody_read(tmp_path: Path, reader: Reader, is_dated: bool) -> None:
    names = ["-20261120.gz", "-20261121.gz", "-20261122"] if is_dated else [".3.gz", ".2.gz", ".1"]
    path = write(tmp_path / "server.json", FIRST + numbered(1), 1)
    reader.read_all()
    for number, name in enumerate(names, start=1):
        write(path, numbered(10 * number, 10 * number + 1), number)
        moved = tmp_path / f"server.json{name}"
        if name.endswith(".gz"):
            compressed(path, moved, number)
        else:
            path.rename(moved)
    write(path, numbered(40), 9)
    # an older one, of before our time
    (tmp_path / "server.json.4.gz").write_bytes(gzip.compress(numbered(99)))
    reader.read_all(max_bytes=200)
    assert reader.queries[1:] == [f"select {n}" for n in (1, 10, 11, 20, 21, 30, 31, 40)]
    assert reader.gaps == []


def test_copied_and_truncated_file_is_read_on_in_its_copy(tmp_path: Path, reader: Reader) -> None:
    path = write(tmp_path / "server.json", FIRST + numbered(1), 1)
    reader.read_all()
    write(path, numbered(2), 2)
    shutil.copyfile(path, tmp_path / "server.json.1")
    os.utime(tmp_path / "server.json.1", ns=(3 * 10**9, 3 * 10**9))
    path.write_bytes(b"")
    write(path, numbered(3), 4)
    reader.read_all()
    assert reader.queries[1:] == ["select 1", "select 2", "select 3"]
    assert reader.gaps == []


def test_compressed_file_of_a_whole_date_is_the_next_one(tmp_path: Path) -> None:
    name = "postgresql-%Y-%m-%d.log"
    reader = Reader(LogSource(path=str(tmp_path), format=LogFormat.JSONLOG, filename=name))
    first = write(tmp_path / "postgresql-2026-11-20.json", FIRST + numbered(1), 1)
    reader.read_all()
    write(first, numbered(2), 2)
    compressed(first, tmp_path / "postgresql-2026-11-20.json.gz", 2)
    second = write(tmp_path / "postgresql-2026-11-21.json", numbered(3), 3)
    compressed(second, tmp_path / "postgresql-2026-11-21.json.gz", 3)
    write(tmp_path / "postgresql-2026-11-22.json", numbered(4), 4)
    reader.read_all()
    assert reader.queries[1:] == ["select 1", "select 2", "select 3", "select 4"]
    assert reader.gaps == []


def test_another_file_in_its_place_is_a_gap_as_before(tmp_path: Path, reader: Reader) -> None:
    path = write(tmp_path / "server.json", FIRST + numbered(1), 1)
    reader.read_all()
    (tmp_path / "server.json.1.gz").write_bytes(gzip.compress(line("select 'else'") * 9))
    path.write_bytes(b"")
    write(path, numbered(2), 2)
    reader.read_all()
    assert reader.queries[1:] == ["select 1", "select 2"]
    assert reader.gaps == ["truncated"]


def test_damaged_file_gives_what_it_can_and_is_a_gap(tmp_path: Path, reader: Reader) -> None:
    path = write(tmp_path / "server.json", FIRST, 1)
    reader.read_all()
    with path.open("ab") as file:
        file.writelines(line(f"select '{os.urandom(40).hex()}'") for _ in range(2000))
    whole = gzip.compress(path.read_bytes())
    path.unlink()
    rotated = tmp_path / "server.json.1.gz"
    rotated.write_bytes(whole[: len(whole) // 2])
    os.utime(rotated, ns=(2 * 10**9, 2 * 10**9))
    write(path, numbered(2), 3)
    reader.read_all()
    assert 500 < len(reader.queries) < 1500
    assert reader.queries[-1] == "select 2"
    assert reader.gaps == ["damaged"]


def raw_pieces(path: Path, wanted: list[tuple[int, int]]) -> Iterator[bytes]:
    inflations = Inflations()
    status = path.stat()
    file = LogFile(
        path=path,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified_at_ns=status.st_mtime_ns,
        is_current_name=True,
    )
    for offset, length in wanted:
        with inflations.of(file, Opened(file)) as unzipped:
            yield unzipped.read(offset, length)


def test_any_offset_of_a_compressed_file(tmp_path: Path) -> None:
    content = b"".join(b"%08d\n" % number for number in range(200_000))
    path = tmp_path / "x.gz"
    # two members and padding, as gzip -a and tapes make them
    path.write_bytes(
        gzip.compress(content[:700_001]) + gzip.compress(content[700_001:]) + b"\0" * 9
    )
    wanted = [(0, 10), (5, 300_000), (299_000, 500_000), (0, 9), (1_799_990, 50), (2_000_000, 5)]
    found = list(raw_pieces(path, wanted))
    assert found == [content[offset : offset + length] for offset, length in wanted]


def test_bytes_of_nobody_are_no_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(b"\x1f\x8b" + b"nonsense" * 99)
    assert list(raw_pieces(path, [(0, 100)])) == [b""]


def test_a_piece_of_a_compressed_file_is_decompressed_once(tmp_path: Path, reader: Reader) -> None:
    """Over one folder; without, each call begins anew and finds the same."""
    path = write(tmp_path / "server.json", FIRST, 1)
    reader.read_all()
    write(path, numbered(*range(3000)), 2)
    compressed(path, tmp_path / "server.json.1.gz", 2)
    options: dict[str, Any] = {"max_bytes": 50_000}
    reader.read_all(**options)
    assert reader.queries[1:] == [f"select {number}" for number in range(3000)]
    assert read_log(reader.source, reader.position).captures == ()
