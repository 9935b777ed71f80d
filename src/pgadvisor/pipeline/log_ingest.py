"""A log that is brought to us, with or without a server that is watched."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

from pgadvisor.collect.logs.brought import brought_logs
from pgadvisor.collect.logs.guess import guess_format, guess_prefix
from pgadvisor.collect.logs.instant import zone
from pgadvisor.collect.logs.sampling import log_sampling
from pgadvisor.collect.logs.stream import (
    ByteStream,
    LogStream,
    start_of_stream,
    unpacked_size,
)
from pgadvisor.config import Settings
from pgadvisor.errors import LogConflict
from pgadvisor.pipeline.log_history import LogHistory
from pgadvisor.pipeline.log_intake import LogIntake, LogReading
from pgadvisor.pipeline.privacy import privacy_of
from pgadvisor.records.log import LogBatch, LogFormat, LogPosition, LogSampling, LogSource
from pgadvisor.store import Store
from pgadvisor.store.catalog import current_settings
from pgadvisor.store.logs import drop_log_positions, load_log_positions, log_target

__all__ = [
    "IngestedLog",
    "LogNotes",
    "brought_logs",
    "ingest_log",
    "sampling_of",
    "unpacked_size",
    "what_it_shows",
]

_BROUGHT = "brought:"
_NAMED = "source:"
#: enough for a time and a process; a shipper's first piece may be small
_NAMED_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNotes:
    """What is known of a log that the log does not say itself; None: told from its content."""

    format: LogFormat | None = None
    line_prefix: str | None = None
    #: log_timezone, for zone abbreviations
    timezone: str | None = None
    #: the database of entries that name none
    database: str | None = None
    #: which executions it shows; None: what the settings of a watched server of that name say
    sampling: LogSampling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestedLog:
    """What one log brought."""

    target: str
    target_id: int
    format: LogFormat
    #: of the format stderr only
    line_prefix: str | None
    reading: LogReading
    #: bytes that were read at another time, and are not counted again
    known_bytes: int
    #: where the next piece of the log begins
    next_offset: int
    #: which executions the log shows, as far as that is known
    sampling: LogSampling

    @property
    def is_whole(self) -> bool:
        """The log shows every execution, so that counters per minute were made of it."""
        return is_whole(self.sampling)


def sampling_of(
    threshold_ms: float | None, sample_rate: float | None, plan_threshold_ms: float | None = None
) -> LogSampling:
    """The sampling of a log as a person knows it: from which duration on, and which share.

    A rate below 1 is that of log_min_duration_sample, 1 that of log_min_duration_statement.
    """
    if threshold_ms is None:
        return LogSampling(plan_threshold_ms=plan_threshold_ms)
    if sample_rate is not None and sample_rate < 1:
        return LogSampling(
            plan_threshold_ms=plan_threshold_ms,
            statement_threshold_ms=float("inf"),
            sample_threshold_ms=threshold_ms,
            sample_rate=sample_rate,
        )
    return LogSampling(plan_threshold_ms=plan_threshold_ms, statement_threshold_ms=threshold_ms)


def is_whole(sampling: LogSampling) -> bool:
    """True where every execution was logged."""
    return sampling.statement_threshold_ms == 0


def what_it_shows(sampling: LogSampling) -> str:
    """A sentence: is the log the whole, or only the slow part of it?"""
    threshold, rate = sampling.statement_threshold_ms, sampling.sample_rate
    if is_whole(sampling):
        return "The log shows every execution: counts and times are those of the whole."
    if threshold is None:
        return (
            "It is not known which executions the log shows, so counts and times are of those "
            "alone: give as threshold what SHOW log_min_duration_statement says."
        )
    if sampling.sample_threshold_ms is not None and rate is not None and rate < 1:
        slow = "" if threshold == float("inf") else f", and all that took {threshold:g} ms or more"
        return (
            f"The log shows {rate:.3g} of the executions that took {sampling.sample_threshold_ms:g}"
            f" ms or more{slow}: it is a sample, not the whole."
        )
    if threshold == float("inf"):
        return "The server is set to log no durations, so what the log shows is of another time."
    return (
        f"The log shows only executions that took {threshold:g} ms or more: counts and means are "
        "of those, not of the queries."
    )


def ingest_log(
    store: Store,
    stream: ByteStream,
    notes: LogNotes,
    settings: Settings,
    *,
    target: str,
    name: str,
    now: datetime,
    source: str | None = None,
    offset: int | None = None,
    final: bool = True,
    progress: Callable[[int], None] = lambda bytes_read: None,
) -> IngestedLog:
    """Read a log into the store, as one of the target of that name; made if new.

    `name` is for people. A log is known again by its first bytes, however it came: what was
    read of it is not counted twice. A shipper that sends pieces names the log with `source` and
    says at which `offset` of it the piece begins; what lies before the known position is left
    out. Not `final`, the last entry is left for the next piece, which begins at `next_offset`.

    `progress` is given the bytes read so far. Raises `LogUnreadable` where format, prefix or zone
    cannot be known, `LogConflict` where a piece is missing or another process reads the same log.
    """
    with store.transaction() as conn:
        target_id = log_target(conn, target, now=now)
        server = current_settings(conn, target_id)
        drop_log_positions(conn, target_id, _BROUGHT, before=now - settings.hourly_retention)
        known = load_log_positions(conn, target_id, _BROUGHT if source is None else _NAMED)
    if source is None:
        opened = LogStream(stream)
        place = _recognized(opened, known, name)
    else:
        opened = LogStream(stream, begin=offset or 0, signature_bytes=_NAMED_SIGNATURE_BYTES)
        place = _named(opened, known.get(f"{_NAMED}{source}"), source, offset or 0)
    server_settings = {name: setting.setting for name, setting in server.items()}
    log = _source(opened.sample, notes, place.position, server_settings)
    sampling = notes.sampling or log_sampling(server_settings)
    intake = LogIntake(
        store=store,
        target_id=target_id,
        source=place.key,
        privacy=privacy_of(store),
        sampling=sampling,
        now=now,
        kept=settings.hourly_retention,
        history=LogHistory(raw_retention=settings.raw_retention) if is_whole(sampling) else None,
    )
    begin = replace(place.position, format=log.format, line_prefix=log.line_prefix)
    batches = () if place.is_too_short else opened.batches(log, begin, final=final)
    reading, end = _ingest(intake, batches, place.stored, begin, progress)
    return IngestedLog(
        target=target,
        target_id=target_id,
        format=log.format,
        line_prefix=log.line_prefix if log.format is LogFormat.STDERR else None,
        reading=reading,
        known_bytes=opened.known_bytes,
        next_offset=end.offset,
        sampling=sampling,
    )


def _source(
    sample: bytes, notes: LogNotes, position: LogPosition, server: Mapping[str, str]
) -> LogSource:
    """How to read the log: as we are told, as before, as the watched server is set, a guess."""
    timezone = notes.timezone or server.get("log_timezone", "UTC")
    zone(timezone)  # a wrong name is an error now, not at the first entry that needs it
    format_ = notes.format or LogFormat(position.format or guess_format(sample))
    prefix = notes.line_prefix
    if prefix is None:
        prefix = position.line_prefix or server.get("log_line_prefix")
    if prefix is None and format_ is LogFormat.STDERR and sample:
        prefix = guess_prefix(sample)
    return LogSource(
        path=position.path,
        format=format_,
        line_prefix=prefix or "",
        timezone=timezone,
        database=notes.database,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a log is to be read on from."""

    #: under which name its position is stored, and that position
    key: str
    stored: LogPosition | None
    position: LogPosition
    #: it cannot be told yet whether this is the log that is known
    is_too_short: bool = False


def _recognized(opened: LogStream, known: Mapping[str, LogPosition], name: str) -> _Place:
    """A whole log, told by its first bytes."""
    found = [(key, position) for key, position in known.items() if opened.is_at(position)]
    if found:
        key, position = max(found, key=lambda one: (one[1].signature_bytes, one[1].offset))
        return _Place(key, position, position)
    digest = blake2b(opened.head, digest_size=8).hexdigest()
    return _Place(f"{_BROUGHT}{name}#{digest}", None, start_of_stream(name))


def _named(opened: LogStream, known: LogPosition | None, source: str, offset: int) -> _Place:
    """A piece of a log that a shipper names."""
    key = f"{_NAMED}{source}"
    if known is None:
        return _Place(key, None, start_of_stream(source, offset))
    if offset == 0 and known.signature_bytes and not opened.is_at(known):
        # rotated: the name stays, the bytes begin anew; unless there are too few to tell
        is_too_short = len(opened.head) < known.signature_bytes
        anew = replace(start_of_stream(source), format=known.format, line_prefix=known.line_prefix)
        return _Place(key, known, anew, is_too_short)
    if offset > known.offset:
        raise LogConflict(
            f"bytes {known.offset} to {offset} of log {source} are missing",
            hint=f"Send it from offset {known.offset} on, or under another source name.",
            offset=known.offset,
        )
    return _Place(key, known, known)


def _ingest(
    intake: LogIntake,
    batches: Iterable[LogBatch],
    stored: LogPosition | None,
    position: LogPosition,
    progress: Callable[[int], None],
) -> tuple[LogReading, LogPosition]:
    whole, expected = LogReading(), stored
    for batch in batches:
        saved = intake.save(batch, expected)
        if saved is None:
            raise LogConflict(
                "another process reads the same log at this moment",
                hint="Send it again when that has ended: what was read is not counted twice.",
            )
        whole += saved
        expected = position = batch.position or position
        progress(whole.bytes_read)
    return whole, position
