"""A connection that does not wait for ever for a server that has gone silent.

statement_timeout is the server's: where the network swallows what it says, or a proxy that
accepted the connection never answers, nothing else would end the wait.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

__all__ = ["Conn", "PatientConnection"]

Conn = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")


class PatientConnection(psycopg.Connection[tuple[Any, ...]]):
    """Gives up a connection whose server says nothing for `patience` seconds."""

    #: None: waits for ever; set once the server's own limits are known
    patience: float | None = None

    def wait(self, gen: Generator[Any, Any, Result], *args: Any, **kwargs: Any) -> Result:
        """As psycopg's, up to the deadline; past it the connection is closed.

        Raises `psycopg.OperationalError`.
        """
        if self.patience is None:
            return super().wait(gen, *args, **kwargs)
        return super().wait(self._until(gen, time.monotonic() + self.patience), *args, **kwargs)

    def _until(
        self, gen: Generator[Any, Any, Result], deadline: float
    ) -> Generator[Any, Any, Result]:
        """The generator of psycopg, which its loop resumes several times a second."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if time.monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(
                        f"no answer within {self.patience:.0f} s, the connection was given up"
                    )
                wanted = gen.send(ready)
        except StopIteration as end:
            result: Result = end.value
            return result
