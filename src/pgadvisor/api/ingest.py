"""POST /ingest/logs: a server log, or a piece of one, sent to us."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from pgadvisor.api.context import Context, Door
from pgadvisor.api.problems import (
    EncodingUnknown,
    RequestInvalid,
    TooLarge,
    TooMany,
    TooSlow,
    problem_responses,
)
from pgadvisor.api.schemas import IngestedLogs
from pgadvisor.pipeline.log_ingest import (
    IngestedLog,
    LogNotes,
    ingest_log,
    sampling_of,
    unpacked_size,
    what_it_shows,
)
from pgadvisor.records.log import LogFormat

__all__ = ["ingest_router"]

#: requests that are received or read at one time: each takes room on disk, and a thread
_MOST_AT_ONCE = 4
#: a client that sends nothing for so long is gone
_PATIENCE_SECONDS = 30.0
#: bytes held in memory before they go to a file
_IN_MEMORY = 1024 * 1024
_LARGEST_OFFSET = 2**62

_NAME = {"min_length": 1, "max_length": 63, "pattern": r"^[^\x00-\x1f]+$"}

Target = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]+$",
        description="The server the log is of, by its name in the history; made if new.",
        examples=["shop"],
    ),
]
Database = Annotated[
    str | None,
    Query(description="The database of entries that name none.", examples=["shop"], **_NAME),
]
Format = Annotated[
    LogFormat | None, Query(description="The format; told from the first bytes without it.")
]
LinePrefix = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[^\x00-\x1f]*$",
        description="The server's log_line_prefix, for stderr. Without it: that of a watched "
        "server of this name, else the usual ones are tried.",
        examples=["%m [%p] %q%u@%d "],
    ),
]
Timezone = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_+/-]{1,64}$",
        description="The server's log_timezone; that of a watched server of this name, else UTC.",
        examples=["Europe/Berlin"],
    ),
]
Threshold = Annotated[
    float | None,
    Query(
        ge=0,
        le=1e12,
        allow_inf_nan=False,
        description="log_min_duration_statement in ms, with `sample_rate` log_min_duration_sample. "
        "0 says that the log shows everything. Left out: not known.",
    ),
]
SampleRate = Annotated[
    float | None,
    Query(gt=0, le=1, allow_inf_nan=False, description="log_statement_sample_rate."),
]
PlanThreshold = Annotated[
    float | None,
    Query(ge=0, le=1e12, allow_inf_nan=False, description="auto_explain.log_min_duration in ms."),
]
Source = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f]+$",
        description="What the shipper calls the log that this is a piece of.",
        examples=["db1:/var/log/postgresql/postgresql-15-main.log"],
    ),
]
Offset = Annotated[
    int | None,
    Query(
        ge=0,
        le=_LARGEST_OFFSET,
        description="With `source`: where in the (unpacked) log the piece begins. The first is 0, "
        "then `next_offset` of the answer before.",
    ),
]
Final = Annotated[
    bool | None,
    Query(description="The last entry is whole. Without it: true without `source`, false with it."),
]

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes of the log as the server wrote them, or gzip of them.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class _Slots:
    """How many requests are under way. All on one event loop, so a number is enough."""

    def __init__(self) -> None:
        self._taken = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        if self._taken >= _MOST_AT_ONCE:
            raise TooMany(
                f"{_MOST_AT_ONCE} logs are being received already",
                hint="Send it again in a few seconds.",
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def ingest_router() -> APIRouter:
    """The route, with the count of requests under way."""
    router = APIRouter(tags=["ingest"])
    slots = _Slots()

    @router.post(
        "/ingest/logs",
        responses=problem_responses(403, 408, 409, 413, 415, 429),
        openapi_extra=_BODY,
    )
    async def post_logs(
        request: Request,
        door: Context,
        target: Target,
        database: Database = None,
        format: Format = None,
        line_prefix: LinePrefix = None,
        timezone: Timezone = None,
        threshold_ms: Threshold = None,
        sample_rate: SampleRate = None,
        plan_threshold_ms: PlanThreshold = None,
        source: Source = None,
        offset: Offset = None,
        final: Final = None,
    ) -> IngestedLogs:
        """Read a log into the history of a target, without connecting to it.

        What was read once is not counted again: a log is known by its first bytes, a piece of
        one by `source` and `offset`. docs/logs.md has examples.
        """
        if source is None and (offset is not None or final is False):
            raise RequestInvalid(
                "source", "offset and final=false need a source", hint="Name the log."
            )
        is_said = threshold_ms is not None or plan_threshold_ms is not None
        notes = LogNotes(
            format=format,
            line_prefix=line_prefix,
            timezone=timezone,
            database=database,
            sampling=sampling_of(threshold_ms, sample_rate, plan_threshold_ms) if is_said else None,
        )
        is_packed = _is_packed(request)
        async with slots.one():
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
                await _receive(request, body, door.settings.ingest_limit)
                done = await run_in_threadpool(
                    _ingest,
                    door,
                    body,
                    notes,
                    is_packed=is_packed,
                    target=target,
                    source=source,
                    offset=offset,
                    final=source is None if final is None else final,
                )
        return _answer(done)

    return router


def _is_packed(request: Request) -> bool:
    """Raise unless the body is gzip or as it is; a .gz sent as it is, is seen by its bytes."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise EncodingUnknown(
            "the body has a Content-Encoding other than gzip", hint="Send gzip, or the bytes."
        )
    return encoding != "identity"


async def _receive(request: Request, body: IO[bytes], limit: int) -> None:
    """The body into a file, so that no transaction waits for a client."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    received = 0
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError as exc:
            raise TooSlow(
                f"nothing came for {_PATIENCE_SECONDS:g} s", hint="Send it again."
            ) from exc
        except ClientDisconnect as exc:
            raise TooSlow("the client went away", hint="Send it again.") from exc
        if chunk is None:
            break
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        body.write(chunk)
    body.seek(0)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the log is larger than {limit} bytes",
        hint="Send it in pieces with source and offset, or raise PGADVISOR_INGEST_LIMIT.",
    )


def _ingest(
    door: Door,
    body: IO[bytes],
    notes: LogNotes,
    *,
    is_packed: bool,
    target: str,
    source: str | None,
    offset: int | None,
    final: bool,
) -> IngestedLog:
    limit = door.settings.ingest_limit
    # looked through before anything is stored: a small body may unpack to anything
    if unpacked_size(body, most=limit, must_be_gzip=is_packed) > limit:
        raise _too_large(limit)
    body.seek(0)
    return ingest_log(
        door.store,
        body,
        notes,
        door.settings,
        target=target,
        name=source or "sent",
        now=door.clock(),
        source=source,
        offset=offset,
        final=final,
    )


def _answer(done: IngestedLog) -> IngestedLogs:
    return IngestedLogs(
        target=done.target,
        format=done.format,
        line_prefix=done.line_prefix,
        plans=done.reading.plans,
        statements=done.reading.statements,
        lines=done.reading.lines,
        bytes_read=done.reading.bytes_read,
        known_bytes=done.known_bytes,
        next_offset=done.next_offset,
        skipped=dict(done.reading.skipped),
        is_whole=done.is_whole,
        shows=what_it_shows(done.sampling),
    )
