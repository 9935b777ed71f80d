"""The format stderr: log_line_prefix, a severity, a message; further lines begin with a tab.

DETAIL, CONTEXT and the like are lines of their own behind it, each with the prefix. Source:
send_message_to_server_log and append_with_tabs in elog.c.
"""

import re
from collections.abc import Iterator
from itertools import islice

from pgadvisor.collect.logs.entry import HEAD_BYTES, Entry, Marks, Split, reach
from pgadvisor.collect.logs.languages import LABELS, MESSAGE, PLAN, UNKNOWN, Label
from pgadvisor.collect.logs.prefix import Prefix
from pgadvisor.records.log import LogSkip

__all__ = ["parse_stderr", "split_stderr"]

_LINE_END = re.compile(rb"\n(?!\t)")
#: the end of a plan in JSON: the only brace that stands at the margin
_CLOSED = b"\n\t}\n"
_PLAN = b" ms  plan:\n"

#: what stands behind a severity
_COLON = ":  "
#: of log_error_verbosity = verbose
_SQLSTATE = re.compile(r"[0-9A-Z]{5}: ")
#: a severity of another language
_OTHER_WORD = re.compile(r"[^\s:]+\Z")
_LENGTHS = sorted({len(word) for word in LABELS}, reverse=True)
#: lines that go on an entry: at most DETAIL, HINT, QUERY, CONTEXT, LOCATION, STATEMENT, BACKTRACE
_BEHIND = frozenset({Label.DETAIL, Label.CONTEXT, Label.BEHIND})
_MOST_BEHIND = 7
#: names of 63 bytes hold no more that looks like a severity
_MOST_PLACES = 32


def split_stderr(data: bytes, *, final: bool, dropping: bool, limit: int, prefix: Prefix) -> Split:
    """Cut the entries that may tell of an execution out of `data`, with the lines behind them.

    An entry is complete when the next one begins, the last one also when its plan is closed. A
    statement's parameters are DETAIL, what tells a nested one is CONTEXT: lines of their own
    behind it, so those must have come, too.
    """
    split = Split()
    if dropping and not _leave_out(split, data, final=final):
        return split
    marks = Marks(data, before=b" ")
    at = split.consumed
    while (mark := marks.after(at)) >= 0:
        start = data.rfind(b"\n", max(0, mark - HEAD_BYTES), mark) + 1
        if mark - start >= reach(limit) or data[start : start + 1] == b"\t":
            at = data.find(b"\n", mark) % (len(data) + 1)
            continue
        if data[mark - 1 : mark] != b":" and data[mark - 2 : mark] != b": ":
            at = mark + 1
            continue
        stop = _end(data, mark, final=final)
        if stop is None:
            break
        if not _take(split, data, start, stop, final=final, limit=limit, prefix=prefix):
            split.consumed = start
            return split
        split.consumed = at = stop
    if final:
        split.consumed = len(data)
    else:
        _hold(split, data, limit)
    return split


def _take(
    split: Split, data: bytes, start: int, stop: int, *, final: bool, limit: int, prefix: Prefix
) -> bool:
    """Keep an entry with the lines behind it; False when those are to be waited for."""
    if stop - start > limit:
        split.skipped.append(LogSkip.TOO_LARGE)
        return True
    end = stop
    if _needs_behind(data, start, stop, prefix):
        found = _end_behind(data, start, stop, final=final, limit=limit)
        if found is None:
            return False
        end = found
    split.entries.append(data[start:end])
    return True


def _end(data: bytes, mark: int, *, final: bool) -> int | None:
    """Where an entry ends; None for not yet."""
    end = _LINE_END.search(data, mark)
    stop = end.end() if end else len(data)
    return stop if stop < len(data) or final or data.endswith(_CLOSED) else None


def _needs_behind(data: bytes, start: int, stop: int, prefix: Prefix) -> bool:
    """Do the lines behind an entry tell something of it?

    CONTEXT says that a plan's id in the log is the outermost statement's. EXPLAIN's own id
    (verbose, 16 and newer) is the plan's.
    """
    if data.find(_PLAN, start, stop) < 0:
        return True
    return "Q" in prefix.escapes and data.find(b'"Query Identifier"', start, stop) < 0


def _end_behind(data: bytes, start: int, stop: int, *, final: bool, limit: int) -> int | None:
    """Where the lines behind an entry end that may belong to it; None for not yet."""
    for _ in range(_MOST_BEHIND):
        label = _label_of(data, stop)
        if label in (Label.LOG, Label.OTHER):
            return stop
        end = _LINE_END.search(data, stop)
        behind = end.end() if end else len(data)
        if behind == len(data) and not final and behind - start <= limit:
            return None
        if label is None or behind - start > limit:
            return stop
        stop = behind
    return stop


def _last_entry(data: bytes, start: int) -> int:
    """Where the last entry begins: the last line without a tab, perhaps unfinished."""
    at = data.rfind(b"\n", start, max(start, len(data) - 1)) + 1
    while at > start and data[at : at + 1] == b"\t":
        at = data.rfind(b"\n", start, at - 1) + 1
    return max(at, start)


def _hold(split: Split, data: bytes, limit: int) -> None:
    """Leave the incomplete last entry for later, unless it is over the limit."""
    start = split.consumed = _last_entry(data, split.consumed)
    if len(data) - start > limit:
        first_line = data[start : start + reach(limit)].partition(b"\n")[0]
        if Marks(first_line, before=b" ").after(0) >= 0:
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


#: what a line is, the fields of its prefix (None when that does not fit), and its text
_Line = tuple[Label | None, dict[str, str] | None, str]


def parse_stderr(entry: bytes, prefix: Prefix) -> Entry | LogSkip | None:
    """The entry of some lines; None when it surely tells of no execution."""
    lines = entry.decode(errors="replace").split("\n")
    more = 1
    while more < len(lines) and lines[more].startswith("\t"):
        more += 1
    has_plan = lines[0].endswith(" ms  plan:")
    found = _labelled(f"{lines[0]}\n" if has_plan else lines[0], prefix)
    if found is None:
        return None
    label, fields, first = found
    if label in _BEHIND:
        return None
    if fields is None:
        return LogSkip.NO_PREFIX
    logged_at = fields.get("m") or fields.get("t") or fields.get("n")
    if logged_at is None:
        return LogSkip.NO_TIME
    if more > 1:
        first = "\n".join([first.removesuffix("\n"), *(line[1:] for line in lines[1:more])])
    behind = _behind(lines, more, prefix)
    return Entry(
        logged_at=logged_at,
        user=_known(fields.get("u")),
        database=_known(fields.get("d")),
        pid=int(fields["p"]) if fields.get("p") else None,
        application_name=_known(fields.get("a")),
        queryid=int(fields["Q"]) if fields.get("Q", "-") not in ("", "-") else None,
        is_log=label is Label.LOG,
        has_context=Label.CONTEXT in behind,
        message=first,
        detail=behind.get(Label.DETAIL),
    )


def _behind(lines: list[str], at: int, prefix: Prefix) -> dict[Label, str]:
    """The lines behind an entry that belong to it."""
    found: dict[Label, str] = {}
    label: Label | None = None
    for line in islice(lines, at, None):
        if line.startswith("\t") and label is not None:
            found[label] += f"\n{line[1:]}"
            continue
        read = _labelled(line[:HEAD_BYTES], prefix) if line else None
        if read is None or read[1] is None or read[0] is None or read[0] not in _BEHIND:
            break
        label = read[0]
        found[label] = read[2] + line[HEAD_BYTES:]
    return found


def _labelled(line: str, prefix: Prefix) -> _Line | None:
    """What a line is: the first place where a severity stands and the prefix fits before it.

    Whatever follows may be anybody's. None for a line that is nothing known.
    """
    colon = line.find(_COLON, 0, HEAD_BYTES)
    if colon >= 0 and line.endswith("LOG", 0, colon):
        fields = prefix.match(line[: colon - 3])
        if fields is not None:
            sqlstate = _SQLSTATE.match(line, colon + 3)
            return Label.LOG, fields, line[sqlstate.end() if sqlstate else colon + 3 :]
    misfit: _Line | None = None
    for label, begin, end in islice(_places(line), _MOST_PLACES):
        if label is None and PLAN.fullmatch(line, end) is None:
            continue
        fields = prefix.match(line[:begin])
        if fields is not None:
            return label, fields, line[end:]
        if misfit is None and label in (None, Label.LOG) and MESSAGE.match(line, end):
            misfit = label, None, line[end:]
    return misfit


def _label_of(data: bytes, start: int) -> Label | None:
    """What a line may be, whatever its prefix is."""
    newline = data.find(b"\n", start, start + HEAD_BYTES)
    stop = newline if newline >= 0 else start + HEAD_BYTES
    colon = data.find(b":  ", start, stop)
    if colon >= 0 and data.endswith(b"LOG", start, colon):
        return Label.LOG  # most lines, found without a text to be made of them
    line = data[start:stop].decode(errors="replace")
    return next((label for label, _, _ in _places(line) if label is not None), None)


def _places(line: str) -> Iterator[tuple[Label | None, int, int]]:
    """Where a severity may stand: what it is, where it begins, where the message does."""
    colon = line.find(_COLON, 0, HEAD_BYTES)
    while colon >= 0:
        label, begin = _word(line, colon)
        end = colon + len(_COLON)
        sqlstate = _SQLSTATE.match(line, end)
        yield label, begin, sqlstate.end() if sqlstate else end
        colon = line.find(_COLON, colon + 1, HEAD_BYTES)


def _word(line: str, colon: int) -> tuple[Label | None, int]:
    """The word before a colon and where it begins; nothing need part it from the prefix."""
    if line.endswith("LOG", 0, colon):
        return Label.LOG, colon - 3
    end = colon - line.endswith(" ", 0, colon)  # French
    begin = line.rfind(" ", 0, end) + 1
    if label := LABELS.get(line[begin:end]):
        return label, begin
    for length in _LENGTHS:
        if label := LABELS.get(line[max(0, end - length) : end]):
            return label, max(0, end - length)
    other = _OTHER_WORD.search(line, max(0, end - 40), end)
    return None, other.start() if other else end


def _known(name: str | None) -> str | None:
    return None if not name or name in UNKNOWN else name
