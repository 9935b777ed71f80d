"""What the formats have in common: entries cut out of bytes, in one shape."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pgadvisor.collect.logs.languages import BEGINNING, LANGUAGES, Language
from pgadvisor.records.log import LogSkip

__all__ = ["ENTRY_LIMIT_BYTES", "HEAD_BYTES", "Entry", "Marks", "Split", "reach"]

#: entries over this are left out, as the pganalyze collector does (its limit to stitch lines)
ENTRY_LIMIT_BYTES = 10 * 1024 * 1024

#: the longest head of a line: what stands before its message
HEAD_BYTES = 8192


@dataclass(slots=True)
class Entry:
    """One entry of a log, before its message is understood.

    Not frozen: one is made for each line that may matter, and freezing takes as long again.
    """

    #: as the log shows it, with the zone
    logged_at: str
    user: str | None
    database: str | None
    pid: int | None
    application_name: str | None
    queryid: int | None
    #: the severity is LOG, in any language
    is_log: bool
    #: it was written inside another statement (whose id `queryid` then is), or by RAISE
    has_context: bool
    message: str
    detail: str | None


@dataclass(slots=True)
class Split:
    """The complete entries in some bytes that may tell of an execution, and how far that goes."""

    entries: list[bytes] = field(default_factory=list)
    skipped: list[LogSkip] = field(default_factory=list)
    #: bytes that need not be seen again
    consumed: int = 0
    #: the bytes behind `consumed` go on a line that is left out
    dropping: bool = False

    def add(self, entry: bytes, limit: int) -> None:
        """Keep an entry, or count it when it is over the limit."""
        if len(entry) > limit:
            self.skipped.append(LogSkip.TOO_LARGE)
        else:
            self.entries.append(entry)


def reach(limit: int) -> int:
    """How far into a line a message may begin: seen before a line can be over the limit."""
    return min(limit, HEAD_BYTES)


class Marks:
    """Where messages that may tell of an execution stand in some bytes, in their order.

    All other bytes cost a search for a few words: those of English, and of each language whose
    word for duration is in the bytes.
    """

    def __init__(self, data: bytes, *, before: bytes) -> None:
        self._data = data
        self._skip = len(before)
        self._words: list[bytes] = []
        self._found: list[int] = []
        is_ascii = data.isascii()
        for durations, begun in _ASCII_WORDS[before] if is_ascii else _WORDS[before]:
            at = [data.find(word) for word in durations]
            if durations[0] == before + _ENGLISH or max(at) >= 0:
                self._add(durations, at)
                self._add(begun, [data.find(word) for word in begun])

    def _add(self, words: Sequence[bytes], found: Sequence[int]) -> None:
        for word, at in zip(words, found, strict=True):
            at = self._checked(word, at)
            if at >= 0:
                self._words.append(word)
                self._found.append(at)

    def _checked(self, word: bytes, at: int) -> int:
        """The first place from one of the word on where the message goes on as it should."""
        while at >= 0 and not BEGINNING.match(self._data, at + self._skip):
            at = self._data.find(word, at + 1)
        return at

    def after(self, start: int) -> int:
        """The first mark at or behind `start`; -1 when there is none."""
        nearest = -1
        for index, found in enumerate(self._found):
            if 0 <= found < start:
                word = self._words[index]
                found = self._checked(word, self._data.find(word, start))
                self._found[index] = found
            if found >= 0 and (nearest < 0 or found < nearest):
                nearest = found
        return nearest


_ENGLISH = LANGUAGES[0].durations[0].encode()


def _words(language: Language, before: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """What to search for: words for duration, once where they differ in the colon only."""
    stems = {word.rstrip(": "): word for word in language.durations}
    durations = language.durations if len(stems) == len(language.durations) else tuple(stems)
    return (
        tuple(before + word.encode() for word in durations),
        tuple(before + word.encode() for word in (*language.statements, *language.executes)),
    )


#: what stands before a message: in stderr, csvlog (a field's beginning) and jsonlog
_BEFORE = (b" ", b',"', b'"')
_WORDS = {before: [_words(language, before) for language in LANGUAGES] for before in _BEFORE}
_ASCII_WORDS = {
    before: [words for words in _WORDS[before] if any(word.isascii() for word in words[0])]
    for before in _BEFORE
}
