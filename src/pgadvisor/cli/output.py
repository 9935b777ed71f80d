"""What all verbs print with."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import structlog
from rich.console import Console

__all__ = ["console", "errors", "log_to_stderr", "now", "print_json"]

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def now() -> datetime:
    """The clock of the doors: everything below takes the time as an argument."""
    return datetime.now(UTC)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


def log_to_stderr(level: str, *, as_json: bool) -> None:
    """Structured log lines on standard error; standard output stays for results."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if as_json
            else structlog.dev.ConsoleRenderer(colors=errors.is_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
