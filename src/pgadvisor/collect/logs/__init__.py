"""Plans of real executions, from the server's log: auto_explain in jsonlog, csvlog or stderr."""

from pgadvisor.collect.logs.read import MAX_BYTES, read_log
from pgadvisor.collect.logs.source import log_source

__all__ = ["MAX_BYTES", "log_source", "read_log"]
