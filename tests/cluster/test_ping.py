"""Whether a server takes connections, from what it says to the first message."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgadvisor.cluster import Cluster, embedded_binaries
from pgadvisor.cluster.ping import Answer, ping

STARTING = b"E\0\0\0\x40SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
NO_DATABASE = b"E\0\0\0\x40SFATAL\0VFATAL\0C3D000\0Mdatabase does not exist\0\0"


@contextmanager
def server_that_says(path: Path, said: bytes) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(1)

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (STARTING, Answer.REJECTING),
        (NO_DATABASE, Answer.ACCEPTING),
        (b"R\0\0\0\x08\0\0\0\x03", Answer.ACCEPTING),  # asks for a password
        (b"", Answer.NONE),
    ],
)
def test_what_the_first_message_tells(tmp_path: Path, said: bytes, answer: Answer) -> None:
    with server_that_says(tmp_path / "s", said):
        assert ping(tmp_path / "s") is answer


def test_nobody_is_there(tmp_path: Path) -> None:
    assert ping(tmp_path / "s") is Answer.NONE
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))  # and nobody listens
    assert ping(tmp_path / "s") is Answer.NONE


def test_a_real_server() -> None:
    with Cluster.temporary(embedded_binaries()) as cluster:
        path = cluster.socket_dir / ".s.PGSQL.5432"
        assert ping(path) is Answer.ACCEPTING
        cluster.stop("immediate")
        assert ping(path) is Answer.NONE
