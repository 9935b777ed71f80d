"""What the formats have in common: entries of auto_explain, cut out of bytes, in one shape."""

import re
from dataclasses import dataclass, field

from pgadvisor.records.log import LogSkip

__all__ = ["DURATION", "ENTRY_LIMIT_BYTES", "HEAD_BYTES", "Entry", "Split"]

#: entries over this are left out, as the pganalyze collector does (its limit to stitch lines)
ENTRY_LIMIT_BYTES = 10 * 1024 * 1024

#: what is read of the line behind an entry, and the longest head of a line in stderr
HEAD_BYTES = 8192

#: auto_explain.c, explain_ExecutorEnd: not translated, since contrib has no message catalogue
DURATION = re.compile(r"duration: (\d{1,15}\.\d{1,6}) ms  plan:\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of auto_explain, before the plan is parsed."""

    #: as the log shows it, with the zone
    logged_at: str
    user: str | None
    database: str | None
    pid: int | None
    application_name: str | None
    queryid: int | None
    #: the statement ran inside another one, whose id `queryid` then is
    is_nested: bool
    duration_ms: float
    plan: str


@dataclass(slots=True)
class Split:
    """The complete entries of auto_explain in some bytes, and how far those bytes are done with."""

    entries: list[bytes] = field(default_factory=list)
    skipped: list[LogSkip] = field(default_factory=list)
    #: bytes that need not be seen again
    consumed: int = 0
    #: the bytes behind `consumed` go on an entry that is left out
    dropping: bool = False

    def add(self, entry: bytes, limit: int) -> None:
        """Keep an entry, or count it when it is over the limit."""
        if len(entry) > limit:
            self.skipped.append(LogSkip.TOO_LARGE)
        else:
            self.entries.append(entry)
