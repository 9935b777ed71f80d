"""Whether a server answers on its socket, as pg_isready says it, which not every package has."""

import socket
import struct
from enum import Enum
from pathlib import Path

__all__ = ["Answer", "ping"]

_PROTOCOL = 3 << 16
_CANNOT_CONNECT_NOW = b"C57P03\0"
_TIMEOUT_SECONDS = 3


class Answer(Enum):
    """What a server says to somebody who connects (PGPing in libpq-fe.h)."""

    ACCEPTING = "takes connections"
    #: starts, recovers or shuts down
    REJECTING = "lives and takes none"
    NONE = "nothing answers"


def ping(path: Path) -> Answer:
    """Ask the server behind a Unix socket; as libpq's PQping, which starts a session and leaves.

    Any answer but one means that it takes connections: that of a wrong password too.
    """
    parameters = b"user\0postgres\0database\0postgres\0\0"
    packet = struct.pack("!ii", 8 + len(parameters), _PROTOCOL) + parameters
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            connection.connect(str(path))
            connection.sendall(packet)
            said = connection.recv(4096)
    except OSError:  # no socket, nobody behind it, or it does not speak in time
        return Answer.NONE
    if not said:
        return Answer.NONE
    if said.startswith(b"E") and _CANNOT_CONNECT_NOW in said:
        return Answer.REJECTING
    return Answer.ACCEPTING
