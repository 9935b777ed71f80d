"""How a server is set: pg_settings."""

from pgadvisor.collect.target import Target
from pgadvisor.records.server import Setting

__all__ = ["fetch_settings"]


def fetch_settings(target: Target) -> tuple[Setting, ...]:
    """All settings our role may see, with the values a new session of it gets."""
    return tuple(target.records("settings", Setting))
