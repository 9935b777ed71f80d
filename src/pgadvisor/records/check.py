"""What `doctor` says about a target: one line a check, each with the command that mends it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "CheckStatus"]


class CheckStatus(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at on a target."""

    #: kebab-case, stable
    name: str
    status: CheckStatus
    message: str
    #: the exact SQL or shell command, empty when there is nothing to mend; a comment says
    #: whether a reload or a restart has to follow
    remedy: str = ""
