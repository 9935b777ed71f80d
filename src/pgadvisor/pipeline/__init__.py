"""The sentence of the project in code; nothing else knows all the stages.

    collect -> store -> analyze -> predict -> recommend -> (a person implements) -> measure -> learn

A door calls these functions with an open target, an open store and the time.
"""

from pgadvisor.pipeline.advise import Advice, advise
from pgadvisor.pipeline.logs import LogReading, observe_logs
from pgadvisor.pipeline.observe import (
    explain_unplanned,
    observe_activity,
    observe_catalog,
    observe_statements,
)
from pgadvisor.pipeline.targets import (
    check_target,
    connect_target,
    register_target,
    require_usable,
)

__all__ = [
    "Advice",
    "LogReading",
    "advise",
    "check_target",
    "connect_target",
    "explain_unplanned",
    "observe_activity",
    "observe_catalog",
    "observe_logs",
    "observe_statements",
    "register_target",
    "require_usable",
]
