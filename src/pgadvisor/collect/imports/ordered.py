"""Readings by time, however they stand in a file: sorted on disk, so memory stays flat."""

import pickle
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from tempfile import TemporaryFile
from typing import IO

from pgadvisor.records.imported import Reading

__all__ = ["by_time"]

_RUN = 100_000
_BLOCK = 200


def by_time(batches: Iterable[list[Reading]]) -> Iterator[list[Reading]]:
    """The same readings, oldest first; of equal times in the order of the file.

    The first step of an external merge sort writes runs that fit into memory to temporary files.
    """
    with ExitStack() as stack:
        runs: list[IO[bytes]] = []
        run: list[Reading] = []
        for batch in batches:
            run += batch
            if len(run) >= _RUN:
                runs.append(_write(stack.enter_context(TemporaryFile()), run))
                run = []
        run.sort(key=_order)
        readings = merge(*(_read(file) for file in runs), run, key=_order)
        block: list[Reading] = []
        for reading in readings:
            block.append(reading)
            if len(block) >= 5_000:
                yield block
                block = []
        yield block


def _order(reading: Reading) -> tuple[object, int]:
    return reading.instant, reading.line


def _write(file: IO[bytes], run: list[Reading]) -> IO[bytes]:
    run.sort(key=_order)
    for start in range(0, len(run), _BLOCK):
        pickle.dump(run[start : start + _BLOCK], file, protocol=pickle.HIGHEST_PROTOCOL)
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Reading]:
    while True:
        try:
            yield from pickle.load(file)
        except EOFError:
            return
