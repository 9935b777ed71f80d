"""Loads the .sql files beside the code: ``load("workload")`` is sql/workload.sql."""

from functools import cache
from importlib.resources import files
from typing import LiteralString

__all__ = ["load"]


@cache
def load(name: str) -> LiteralString:
    """The text of one query.

    The texts are files of this package, nothing a user wrote: that makes them LiteralString.
    """
    return (files("pgadvisor.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
