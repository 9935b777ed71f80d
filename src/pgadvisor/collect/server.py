"""What a watched server is: version, role, extensions, and its state at the moment."""

from collections.abc import Callable
from datetime import datetime

from pgadvisor.collect.extensions import fetch_extensions
from pgadvisor.collect.target import Target
from pgadvisor.records.server import ServerInfo, ServerState

__all__ = ["server_info", "server_state"]


def server_info(target: Target) -> ServerInfo:
    """The server, the connected database and our rights there."""
    columns, rows = target.table("server")
    return ServerInfo(
        **dict(zip(columns, rows[0], strict=True)),
        system_identifier=target.fetch_system_identifier(),
        behind_proxy=target.behind_proxy,
        extensions=fetch_extensions(target),
    )


def server_state(target: Target, clock: Callable[[], datetime]) -> ServerState:
    """Primary or replica, how far behind, and how its clock differs from ours.

    The server reads its clock somewhere between our question and its answer: half way is meant.
    """
    asked = clock()
    captured_at, in_recovery, replay_lag_ms = target.row("state")
    ours = asked + (clock() - asked) / 2
    return ServerState(
        in_recovery=in_recovery,
        replay_lag_ms=replay_lag_ms,
        clock_skew_ms=(captured_at - ours).total_seconds() * 1000,
    )
