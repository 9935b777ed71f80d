"""The format stderr: log_line_prefix, a severity, a message; further lines begin with a tab.

Source: send_message_to_server_log and append_with_tabs in elog.c.
"""

import re

from pgadvisor.collect.logs.entry import DURATION, HEAD_BYTES, Entry, Split
from pgadvisor.collect.logs.prefix import Prefix
from pgadvisor.records.log import LogSkip

__all__ = ["parse_stderr", "split_stderr"]

_MARK = b" ms  plan:\n"
_LINE_END = re.compile(rb"\n(?!\t)")
#: the end of a plan in JSON: the only brace that stands at the margin
_CLOSED = b"\n\t}\n"

#: "LOG:  " in any language, with the SQLSTATE of log_error_verbosity = verbose
_SEVERITY = re.compile(r"[^\s:]{1,40}:  (?:[0-9A-Z]{5}: )?\Z")
#: CONTEXT in PostgreSQL's message catalogues
_CONTEXT = re.compile(
    "(?:CONTEXT|ZUSAMMENHANG|CONTEXTE|CONTEXTO|CONTESTO|KONTEKST|KONTEXT|КОНТЕКСТ|BAĞLAM"
    "|文脈|コンテキスト|상황|上下文|背景|კონტექსტი):  "
)


def split_stderr(data: bytes, *, final: bool, dropping: bool, limit: int, prefix: Prefix) -> Split:
    """Cut the entries that may hold a plan out of `data`, with the next line where it matters.

    An entry is complete when the next one begins, the last one also when its plan is closed. A
    nested statement's CONTEXT is a line of its own behind the plan, so that must have come, too.
    """
    split = Split()
    if dropping and not _leave_out(split, data, final=final):
        return split
    at = split.consumed
    while (mark := data.find(_MARK, at)) >= 0:
        start = data.rfind(b"\n", 0, mark) + 1
        if data[start : start + 1] == b"\t":
            at = mark + len(_MARK)
            continue
        stop = _end(data, mark, final=final)
        if stop is None:
            _hold(split, data, start, limit)
            return split
        if stop - start > limit:
            split.skipped.append(LogSkip.TOO_LARGE)
        else:
            behind = _end_of_context(data, start, stop, final=final, prefix=prefix)
            if behind is None:
                split.consumed = start
                return split
            split.entries.append(data[start:behind])
        split.consumed = at = stop
    if final:
        split.consumed = len(data)
    else:
        _hold(split, data, _last_entry(data, split.consumed), limit)
    return split


def _end(data: bytes, mark: int, *, final: bool) -> int | None:
    """Where an entry ends; None for not yet."""
    end = _LINE_END.search(data, mark + len(_MARK) - 1)
    stop = end.end() if end else len(data)
    return stop if stop < len(data) or final or data.endswith(_CLOSED) else None


def _end_of_context(
    data: bytes, start: int, stop: int, *, final: bool, prefix: Prefix
) -> int | None:
    """Where the line behind an entry ends, if that line is to be seen at all; None for not yet.

    The log's id is the outermost statement's, EXPLAIN's own (verbose, 16 and newer) the plan's.
    """
    if "Q" not in prefix.escapes or data.find(b'"Query Identifier"', start, stop) >= 0:
        return stop
    newline = data.find(b"\n", stop, stop + HEAD_BYTES)
    if newline >= 0:
        return newline + 1
    return min(len(data), stop + HEAD_BYTES) if final or len(data) - stop > HEAD_BYTES else None


def _last_entry(data: bytes, start: int) -> int:
    """Where the last entry begins: the last line without a tab, perhaps unfinished."""
    at = data.rfind(b"\n", start, max(start, len(data) - 1)) + 1
    while at > start and data[at : at + 1] == b"\t":
        at = data.rfind(b"\n", start, at - 1) + 1
    return max(at, start)


def _hold(split: Split, data: bytes, start: int, limit: int) -> None:
    """Leave an incomplete entry for later, unless it is over the limit."""
    split.consumed = start
    if len(data) - start > limit:
        if data.find(_MARK, start) >= 0:
            split.skipped.append(LogSkip.TOO_LARGE)
        split.dropping = True
        split.consumed = len(data) - data.endswith(b"\n")


def _leave_out(split: Split, data: bytes, *, final: bool) -> bool:
    """Go to where the entry that is left out ends; False when it goes on."""
    end = _LINE_END.search(data)
    if end is None or end.end() == len(data):
        split.consumed = len(data) if final else len(data) - data.endswith(b"\n")
        split.dropping = not final
        return False
    split.consumed = end.end()
    return True


def parse_stderr(entry: bytes, prefix: Prefix) -> Entry | LogSkip | None:
    """The entry of some lines; None when it is not one of auto_explain."""
    head, _, body = entry.decode(errors="replace").partition("\n")
    begin = head.rfind("duration: ")
    duration = DURATION.match(f"{head[begin:]}\n")
    severity = _SEVERITY.search(head[:begin]) if begin < HEAD_BYTES else None
    if duration is None or severity is None:
        return None
    fields = prefix.match(head[: severity.start()])
    if fields is None:
        return LogSkip.NO_PREFIX
    if not fields.keys() & {"m", "t", "n"}:
        return LogSkip.NO_TIME
    if "d" not in fields:
        return LogSkip.NO_DATABASE
    lines = body.split("\n")
    return _entry(fields, float(duration[1]), lines, prefix)


def _entry(fields: dict[str, str], duration_ms: float, lines: list[str], prefix: Prefix) -> Entry:
    plan = [line[1:] for line in lines if line.startswith("\t")]
    following = lines[len(plan)] if len(plan) < len(lines) else ""
    return Entry(
        logged_at=fields.get("m") or fields.get("t") or fields["n"],
        user=_known(fields.get("u")),
        database=_known(fields.get("d")),
        pid=int(fields["p"]) if fields.get("p") else None,
        application_name=_known(fields.get("a")),
        queryid=int(fields["Q"]) if fields.get("Q", "-") != "-" else None,
        is_nested=_is_context(following, prefix),
        duration_ms=duration_ms,
        plan="\n".join(plan),
    )


def _known(name: str | None) -> str | None:
    return None if name in (None, "", "[unknown]") else name


def _is_context(line: str, prefix: Prefix) -> bool:
    found = _CONTEXT.search(line, 0, HEAD_BYTES)
    return found is not None and prefix.match(line[: found.start()]) is not None
