"""Which reader goes with which format."""

from collections.abc import Iterable, Iterator

from pgadvisor.collect.logs.auto_explain import plan_capture
from pgadvisor.collect.logs.csvlog import parse_csvlog, split_csvlog
from pgadvisor.collect.logs.entry import Entry, Split
from pgadvisor.collect.logs.jsonlog import parse_jsonlog, split_jsonlog
from pgadvisor.collect.logs.prefix import compile_prefix
from pgadvisor.collect.logs.stderr import parse_stderr, split_stderr
from pgadvisor.records.log import LogFormat, LogSkip, LogSource
from pgadvisor.records.workload import PlanCapture

__all__ = ["plan_captures", "split_entries"]


def split_entries(
    source: LogSource, data: bytes, *, final: bool, dropping: bool, limit: int
) -> Split:
    """Cut the complete entries that may hold a plan out of bytes that begin with an entry.

    `final` says that nothing will follow `data`, `dropping` that it begins inside an entry that
    is left out, being over `limit` bytes.
    """
    if source.format is LogFormat.JSONLOG:
        return split_jsonlog(data, final=final, dropping=dropping, limit=limit)
    if source.format is LogFormat.CSVLOG:
        return split_csvlog(data, final=final, dropping=dropping, limit=limit)
    prefix = compile_prefix(source.line_prefix)
    return split_stderr(data, final=final, dropping=dropping, limit=limit, prefix=prefix)


def plan_captures(source: LogSource, entries: Iterable[bytes]) -> Iterator[PlanCapture | LogSkip]:
    """The captures of entries, or why there is none; nothing for entries without a plan.

    Raises `LogUnreadable` for a log_timezone that is needed and not known on this machine.
    """
    for raw in entries:
        entry = _parse(source, raw)
        if isinstance(entry, Entry):
            yield plan_capture(entry, source.timezone)
        elif entry is not None:
            yield entry


def _parse(source: LogSource, raw: bytes) -> Entry | LogSkip | None:
    if source.format is LogFormat.JSONLOG:
        return parse_jsonlog(raw)
    if source.format is LogFormat.CSVLOG:
        return parse_csvlog(raw)
    return parse_stderr(raw, compile_prefix(source.line_prefix))
