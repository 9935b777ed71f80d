"""A watched server: who it is, what we may read there, how it is set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = [
    "ActivitySample",
    "Extension",
    "RunningStatement",
    "ServerInfo",
    "ServerState",
    "Setting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An extension as pg_extension knows it."""

    name: str
    version: str
    schema: str

    @property
    def version_tuple(self) -> tuple[int, ...]:
        """The version as numbers: 1.10 is newer than 1.9."""
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What a server is, read once per connection. Instants are on the server's clock."""

    system_identifier: str
    server_version_num: int
    captured_at: datetime
    postmaster_start_at: datetime
    in_recovery: bool
    current_database: str
    current_user: str
    is_superuser: bool
    #: member of pg_read_all_stats (pg_monitor is), so texts of other users are visible
    reads_all_stats: bool
    #: True where a proxy such as pgbouncer stands in front of the server
    behind_proxy: bool = False
    extensions: Mapping[str, Extension] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """The major version: 15 of 150018."""
        return self.server_version_num // 10000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What may change about a server from one reading to the next."""

    in_recovery: bool
    #: how far a replica is behind in replaying; None on a primary, and where it is not known
    replay_lag_ms: float | None = None
    #: the server's clock minus ours, corrected by half of the round trip
    clock_skew_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A row of pg_settings."""

    name: str
    setting: str
    unit: str | None
    source: str
    boot_val: str | None = None
    pending_restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySample:
    """How many client backends were in one state at one moment, of pg_stat_activity."""

    captured_at: datetime
    datname: str | None
    usename: str | None
    state: str | None
    wait_event_type: str | None
    wait_event: str | None
    queryid: int | None
    backends: int
    longest_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStatement:
    """A statement that was running at `captured_at`, of pg_stat_activity."""

    captured_at: datetime
    pid: int
    started_at: datetime
    dbid: int
    datname: str
    usename: str | None
    queryid: int
    query: str
