"""A value of the user's, as much of it as may be kept."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MaskedValue", "ParameterMode"]


class ParameterMode(StrEnum):
    """What is kept of values in statements, plans and parameters (PGADVISOR_PARAMETERS)."""

    #: as they are
    KEEP = "keep"
    #: a salted hash, type, length, and a bucket of numbers and times
    HASH = "hash"
    #: nothing but that there was one
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedValue:
    """One value after masking."""

    #: integer, numeric, boolean, date, timestamp, interval, text, null, ...; None when dropped
    type: str | None = None
    #: characters of its text
    length: int | None = None
    #: 16 hex digits of an HMAC with the store's salt: equal values have equal hashes
    hash: str | None = None
    #: a number to two significant digits, a time to its hour, a date to its month
    bucket: str | None = None
    #: the value itself, with `ParameterMode.KEEP` only
    value: str | None = None
