"""What all verbs print with."""

import contextlib
import io
import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from rich.console import Console

from pgadvisor.sql import mask_traceback

__all__ = ["console", "errors", "log_to_stderr", "now", "print_json", "printable"]

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def now() -> datetime:
    """The clock of the doors: everything below takes the time as an argument."""
    return datetime.now(UTC)


def printable(text: str) -> str:
    """A text of a server without what would steer the terminal.

    >>> printable("refused\\x1b[31m")
    'refused?[31m'
    """
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


class _WithoutValues(logging.Formatter):
    """The same for what the API logs through the standard library."""

    def formatException(self, ei: Any) -> str:
        return mask_traceback(super().formatException(ei))


def _without_values(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Errors of a server quote values and statements: our log must not repeat them."""
    if isinstance(event.get("exception"), str):
        event["exception"] = mask_traceback(event["exception"])
    return event


class _Outlived(io.TextIOBase):
    """A stream that may go away, as a pipe does: what cannot be written is lost, work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write, where there is still somebody to read it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush likewise."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def log_to_stderr(level: str, *, as_json: bool) -> None:
    """Structured log lines on standard error; standard output stays for results."""
    if logging.lastResort is not None:  # the handler of a program that sets up none
        logging.lastResort.setFormatter(_WithoutValues())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_values,
            structlog.processors.JSONRenderer()
            if as_json
            else structlog.dev.ConsoleRenderer(colors=errors.is_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Outlived(sys.stderr))),
    )
