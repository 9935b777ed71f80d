"""Which reader goes with which format, and which record with which message."""

from collections.abc import Iterable, Iterator

from pgadvisor.collect.logs.auto_explain import plan_capture
from pgadvisor.collect.logs.csvlog import parse_csvlog, split_csvlog
from pgadvisor.collect.logs.entry import Entry, Split
from pgadvisor.collect.logs.jsonlog import parse_jsonlog, split_jsonlog
from pgadvisor.collect.logs.languages import MESSAGE
from pgadvisor.collect.logs.prefix import compile_prefix
from pgadvisor.collect.logs.slow_statement import Started, logged_statement
from pgadvisor.collect.logs.stderr import parse_stderr, split_stderr
from pgadvisor.records.log import LogFormat, LoggedStatement, LogSkip, LogSource
from pgadvisor.records.workload import PlanCapture

__all__ = ["log_records", "split_entries"]


def split_entries(
    source: LogSource, data: bytes, *, final: bool, dropping: bool, limit: int
) -> Split:
    """Cut the complete entries that may tell of an execution out of bytes.

    `final` says that nothing will follow `data`, `dropping` that it begins inside a line that
    is left out, being over `limit` bytes. Otherwise it begins where the last call's `consumed` was.
    """
    if source.format is LogFormat.JSONLOG:
        return split_jsonlog(data, final=final, dropping=dropping, limit=limit)
    if source.format is LogFormat.CSVLOG:
        return split_csvlog(data, final=final, dropping=dropping, limit=limit)
    prefix = compile_prefix(source.line_prefix)
    return split_stderr(data, final=final, dropping=dropping, limit=limit, prefix=prefix)


def log_records(
    source: LogSource, entries: Iterable[bytes], started: Started | None = None
) -> Iterator[PlanCapture | LoggedStatement | LogSkip]:
    """What entries tell: plans, statements, or why there is none; nothing for other entries.

    `started`, kept from one call to the next, joins the lines of log_statement with durations
    that come later. Raises `LogUnreadable` for a log_timezone that is needed and not known on
    this machine.
    """
    seen = Started() if started is None else started
    for raw in entries:
        entry = _parse(source, raw)
        found = _record(source, entry, seen) if isinstance(entry, Entry) else entry
        if found is not None:
            yield found


def _record(
    source: LogSource, entry: Entry, started: Started
) -> PlanCapture | LoggedStatement | LogSkip | None:
    message = MESSAGE.match(entry.message)
    if message is None:
        return None
    if entry.database is None and source.database is not None:
        entry.database = source.database
    text = entry.message[message.end() :]
    kind = message.lastgroup
    if kind == "plan":
        return plan_capture(entry, float(message["ms"]), text, source.timezone)
    # RAISE LOG can say anything; what the server says of a statement it says outside of any
    if not entry.is_log or entry.has_context:
        return None
    return logged_statement(
        entry,
        None if kind == "begun" else float(message["ms"]),
        None if kind == "alone" else text,
        started,
        source.timezone,
    )


def _parse(source: LogSource, raw: bytes) -> Entry | LogSkip | None:
    if source.format is LogFormat.JSONLOG:
        return parse_jsonlog(raw)
    if source.format is LogFormat.CSVLOG:
        return parse_csvlog(raw)
    return parse_stderr(raw, compile_prefix(source.line_prefix))
