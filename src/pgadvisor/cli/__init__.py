"""The command line: one file a verb; parses, calls the pipeline, prints tables or JSON."""

from pgadvisor.cli.app import main

__all__ = ["main"]
