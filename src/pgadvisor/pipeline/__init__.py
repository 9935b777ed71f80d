"""The sentence of the project in code; nothing else knows all the stages.

    collect -> store -> analyze -> predict -> recommend -> (a person implements) -> measure -> learn

A door calls these functions with an open target, an open store and the time.
"""

from pgadvisor.pipeline.advise import Advice, advise
from pgadvisor.pipeline.databases import due_databases, study_database
from pgadvisor.pipeline.imports import history_sources, import_history
from pgadvisor.pipeline.logs import LogReading, observe_logs
from pgadvisor.pipeline.observe import (
    explain_unplanned,
    observe_activity,
    observe_catalog,
    observe_state,
    observe_statements,
)
from pgadvisor.pipeline.targets import (
    add_target,
    check_target,
    connect_target,
    observe_server,
    parts_of,
    register_target,
    require_usable,
    without_password,
)
from pgadvisor.pipeline.watched import Watched

__all__ = [
    "Advice",
    "LogReading",
    "Watched",
    "add_target",
    "advise",
    "check_target",
    "connect_target",
    "due_databases",
    "explain_unplanned",
    "history_sources",
    "import_history",
    "observe_activity",
    "observe_catalog",
    "observe_logs",
    "observe_server",
    "observe_state",
    "observe_statements",
    "parts_of",
    "register_target",
    "require_usable",
    "study_database",
    "without_password",
]
