"""What a watched server is: version, role, extensions."""

from pgadvisor.collect.extensions import fetch_extensions
from pgadvisor.collect.target import Target
from pgadvisor.records.server import ServerInfo

__all__ = ["server_info"]


def server_info(target: Target) -> ServerInfo:
    """The server, the connected database and our rights there."""
    columns, rows = target.table("server")
    return ServerInfo(
        **dict(zip(columns, rows[0], strict=True)),
        system_identifier=target.fetch_system_identifier(),
        behind_proxy=target.behind_proxy,
        extensions=fetch_extensions(target),
    )
