"""Logs that are sent: counted once, bounded, whatever the bytes."""

import gzip
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgadvisor.api import create_app, ingest
from pgadvisor.config import Settings
from pgadvisor.store import Store

Serve = Callable[[FastAPI], AbstractContextManager[str]]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "/api/v1/ingest/logs"


def entry(number: int, *, ms: float = 1.5, text: str = "select * from t where id = 7") -> bytes:
    at = f"2026-11-22 06:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03} UTC"
    line = f"{at} [{number % 97}] ann@shop LOG:  duration: {ms:.3f} ms  statement: {text}\n"
    return line.encode()


LOG = b"".join(entry(number) for number in range(300))


@pytest.fixture
def client(store: Store, serve: Serve) -> Any:
    app = create_app(store, Settings(ingest_limit=1_000_000), clock=lambda: NOW)
    with (
        serve(app) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=60) as client,
    ):
        yield client


_numbers = iter(range(10**6))


@pytest.fixture
def target() -> str:
    return f"sent-{next(_numbers)}"


def send(client: httpx.Client, content: bytes, target: str, **more: Any) -> dict[str, Any]:
    headers = more.pop("headers", {})
    answer = client.post(PATH, content=content, headers=headers, params={"target": target, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stored(store: Store, target: str) -> int:
    with store.transaction() as conn:
        row = conn.execute(
            """select count(*) from executions e join targets t on t.id = e.target_id
               where t.name = %s""",
            [target],
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_log_is_read_and_known_again(client: httpx.Client, store: Store, target: str) -> None:
    first = send(client, LOG, target, threshold_ms=0)
    assert first["statements"] == 300 and first["lines"] == 300
    assert first["format"] == "stderr" and first["line_prefix"] == "%m [%p] %q%u@%d "
    assert first["is_whole"] and "every execution" in first["shows"]
    assert first["next_offset"] == len(LOG) == first["bytes_read"]
    again = send(client, LOG, target)
    assert again["statements"] == 0 and again["known_bytes"] == len(LOG)
    # grown, and gzipped with and without saying so
    grown = LOG + entry(301)
    packed = gzip.compress(grown)
    assert send(client, packed, target)["statements"] == 1
    told = send(client, packed, target, headers={"content-encoding": "gzip"})
    assert told["statements"] == 0
    assert stored(store, target) == 301


def test_pieces_by_source_and_offset(client: httpx.Client, store: Store, target: str) -> None:
    offset, size = 0, 1000
    while offset < len(LOG) - 200:
        piece = LOG[offset : offset + size]
        done = send(client, piece, target, source="db1", offset=offset)
        retried = send(client, piece, target, source="db1", offset=offset)
        assert retried["statements"] == 0
        assert offset < done["next_offset"] <= offset + size
        offset = done["next_offset"]
    send(client, LOG[offset:], target, source="db1", offset=offset, final=True)
    assert stored(store, target) == 300


def test_small_pieces_and_small_files_after_a_rotation(
    client: httpx.Client, store: Store, target: str
) -> None:
    """Pieces are cut anywhere, and the prefix of the first holds for those that show none."""

    def ship(content: bytes, size: int) -> None:
        offset, want = 0, size
        for _ in range(10_000):
            piece = content[offset : offset + want]
            done = send(client, piece, target, source="db1", offset=offset)
            # nothing whole in it yet: more is sent the next time, as a file grows
            want = size if done["next_offset"] > offset else want + size
            offset = done["next_offset"]
            if offset + want >= len(content):
                break
        send(client, content[offset:], target, source="db1", offset=offset, final=True)

    text = "select *\n\tfrom t\n\twhere id = 7"
    first = entry(0) + b"".join(entry(n, text=text) for n in range(1, 10))
    head = first[:400]
    send(client, head, target, source="db1", offset=0)
    ship(first, 50)
    assert stored(store, target) == 10
    rotated = b"".join(entry(n, text=text) for n in range(100, 105))
    ship(rotated, 30)
    assert stored(store, target) == 15


def test_an_empty_body_is_no_error(client: httpx.Client, target: str) -> None:
    done = send(client, b"", target)
    assert (done["lines"], done["next_offset"]) == (0, 0)


def test_a_missing_piece_is_a_conflict(client: httpx.Client, target: str) -> None:
    send(client, LOG[:5000], target, source="db1", offset=0, final=True)
    params: dict[str, Any] = {"target": target, "source": "db1", "offset": 6000}
    answer = client.post(PATH, content=LOG[6000:], params=params)
    assert answer.status_code == 409
    assert answer.json()["next_offset"] <= 5000
    assert "missing" in answer.json()["detail"]


def test_a_rotated_log_begins_anew(client: httpx.Client, store: Store, target: str) -> None:
    send(client, LOG[:5000], target, source="db1", offset=0, final=True)
    before = stored(store, target)
    other = b"".join(entry(number) for number in range(1000, 1010))
    assert send(client, other, target, source="db1", offset=0, final=True)["statements"] == 10
    # the old one again: another beginning than what is known now, so it is a new file again
    assert stored(store, target) == before + 10


def test_two_that_send_the_same_count_once(client: httpx.Client, store: Store, target: str) -> None:
    large = b"".join(entry(number) for number in range(3000))
    codes: list[int] = []

    def post() -> None:
        answer = client.post(PATH, content=large, params={"target": target})
        codes.append(answer.status_code)

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {200, 409} and 200 in codes
    assert stored(store, target) == 3000


def test_what_is_too_large_is_refused_and_nothing_stored(
    client: httpx.Client, store: Store, target: str
) -> None:
    large = LOG * 40
    bomb = gzip.compress(b"\n" * 50_000_000)
    assert len(bomb) < 100_000

    def unannounced() -> Any:
        yield from (large[at : at + 65536] for at in range(0, len(large), 65536))

    for content, headers in (
        (large, {}),
        (unannounced(), {}),
        (bomb, {}),
        (bomb, {"content-encoding": "gzip"}),
    ):
        answer = client.post(PATH, content=content, headers=headers, params={"target": target})
        assert answer.status_code == 413, answer.text
        assert "PGADVISOR_INGEST_LIMIT" in answer.json()["hint"]
    assert stored(store, target) == 0


@pytest.mark.parametrize(
    ("params", "headers", "content", "status", "words"),
    [
        ({}, {}, LOG, 422, "target"),
        ({"target": "x", "offset": 5}, {}, LOG, 422, "source"),
        ({"target": "x", "final": False}, {}, LOG, 422, "source"),
        ({"target": "x", "timezone": "Nowhere/Else"}, {}, LOG, 422, "Nowhere/Else"),
        ({"target": "x", "timezone": "../../etc/passwd"}, {}, LOG, 422, "timezone"),
        ({"target": "x", "format": "xml"}, {}, LOG, 422, "format"),
        ({"target": "x\x00"}, {}, LOG, 422, "target"),
        ({"target": "x"}, {}, b"\xff\x00" * 500, 422, "log_line_prefix"),
        ({"target": "x"}, {"content-encoding": "br"}, LOG, 415, "gzip"),
        ({"target": "x"}, {"content-encoding": "gzip"}, LOG, 422, "gzip"),
        ({"target": "x"}, {"origin": "http://evil.example"}, LOG, 403, "origin"),
        ({"target": "x"}, {"origin": "null"}, LOG, 403, "origin"),
    ],
)
def test_what_cannot_be_used_is_said(
    client: httpx.Client,
    params: dict[str, Any],
    headers: dict[str, str],
    content: bytes,
    status: int,
    words: str,
) -> None:
    answer = client.post(PATH, content=content, headers=headers, params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.text


def test_only_so_many_at_once(
    client: httpx.Client, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow senders are held to a number, and given up after a while."""
    monkeypatch.setattr(ingest, "_PATIENCE_SECONDS", 4.0)
    host, port = client.base_url.host, client.base_url.port
    request = (
        f"POST {PATH}?target={target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nx"
    )
    sockets: list[socket.socket] = []
    try:
        deadline = time.monotonic() + 60
        while (answer := client.post(PATH, content=LOG, params={"target": target})).is_success:
            assert time.monotonic() < deadline
            sockets.append(socket.create_connection((host, port or 80)))
            sockets[-1].sendall(request.encode())
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        # one that came while a request of another test was under way may have been too many, too
        ends = [one.recv(4096).split(b"\r\n")[0] for one in sockets]
        assert b"HTTP/1.1 408 Request Timeout" in ends
        assert set(ends) <= {b"HTTP/1.1 408 Request Timeout", b"HTTP/1.1 429 Too Many Requests"}
    finally:
        for one in sockets:
            one.close()


def test_times_of_other_ages_make_no_partitions(
    client: httpx.Client, store: Store, target: str
) -> None:
    def partitions() -> int:
        with store.transaction() as conn:
            row = conn.execute(
                "select count(*) from pg_inherits where inhparent = 'executions'::regclass"
            ).fetchone()
        assert row is not None
        return int(row[0])

    before = partitions()
    years = (b"0001", b"1999", b"2027", b"9999")
    log = entry(1) + b"".join(entry(2).replace(b"2026", year, 1) for year in years)
    done = send(client, log, target)
    assert done["statements"] == 1
    assert done["skipped"] == {"time before the history that is kept, or in the future": 4}
    assert partitions() <= before + 1


def test_names_and_numbers_of_any_size(client: httpx.Client, store: Store, target: str) -> None:
    line = (
        '{{"timestamp":"2026-11-22 06:48:41.123 UTC","user":"{0}","dbname":"{1}","pid":{2},'
        '"error_severity":"LOG","application_name":"{0}","query_id":{2},'
        '"message":"duration: 1.500 ms  statement: select 1"}}\n'
    )
    content = "".join(
        [
            line.format("a" * 500, "shop", 10**30),
            line.format("a", "d" * 500, 7),
            line.format("a", "shop", -5),
            line.format("\\u0000\\ud800", "shop", 2**31),
        ]
    )
    done = send(client, content.encode(), target)
    assert done["statements"] == 3
    assert stored(store, target) == 3


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    noise=st.binary(max_size=400),
    cut=st.integers(0, 400),
    format_=st.sampled_from(["jsonlog", "csvlog", "stderr"]),
)
def test_any_bytes_are_answered(client: httpx.Client, noise: bytes, cut: int, format_: str) -> None:
    content = entry(1)[:cut] + noise + entry(2) + noise
    params = {"target": "noise", "format": format_, "line_prefix": "%m [%p] %q%u@%d "}
    answer = client.post(PATH, content=content, params=params)
    assert answer.status_code in (200, 422), answer.text


def test_the_event_loop_is_not_held_up(client: httpx.Client, target: str) -> None:
    """While a log is being stored, other requests are answered."""
    large = b"".join(entry(n, text=f"select {n} from t{n}") for n in range(8000))[:990_000]
    thread = threading.Thread(target=lambda: send(client, large, target))
    thread.start()
    took = []
    while thread.is_alive():
        started = time.monotonic()
        assert client.get("/healthz").status_code == 200
        took.append(time.monotonic() - started)
    thread.join()
    assert took and max(took) < 5
