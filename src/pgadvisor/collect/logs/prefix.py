"""log_line_prefix as a pattern. Source: log_status_format in elog.c.

Names, application names and hosts may hold any character, also those that stand between the
escapes. Each of them ends at the first place where what follows fits (an atomic group: never
tried again), the last one at the end of the prefix. Time is linear in the line, whatever a client
calls itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Prefix", "compile_prefix"]

#: a prefix of the longest names PostgreSQL is built with is far below this
_LONGEST = 4096

_ZONE = r"(?:[A-Za-z]{1,10}|[+-]\d{2}(?::?\d{2})?)"
_SECONDS = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
#: escapes whose text has a shape of its own; all may be empty but the times
_SHAPES: Mapping[str, str] = {
    "t": rf"{_SECONDS} {_ZONE}",
    "m": rf"{_SECONDS}\.\d{{3}} {_ZONE}",
    "n": r"\d{1,11}\.\d{3}",
    "s": rf"(?:{_SECONDS} {_ZONE})?",
    "p": r"\d{0,10}+",
    "P": r"\d{0,10}+",
    "Q": r"-?\d{0,19}+",
    "l": r"\d{0,20}+",
    "x": r"\d{0,20}+",
    "c": r"[0-9a-f.]{0,33}",
    "v": r"[0-9a-f/-]{0,40}",
    "e": r"[0-9A-Z]{0,5}",
}
#: user, database, application, host, host and port, local address, command tag, backend type
_FREE = frozenset("udahrLib")
_ESCAPE = re.compile(r"%(-?\d*)(.|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prefix:
    """A compiled log_line_prefix."""

    #: everything, and what processes without a session print: up to %q
    patterns: tuple[re.Pattern[str], ...]
    escapes: frozenset[str]
    #: an escape has a width, such as %-10u
    is_padded: bool

    def match(self, text: str) -> dict[str, str] | None:
        """The escapes' texts by letter, without padding; None when the text does not fit.

        >>> found = compile_prefix("%m [%p] %q%u@%d ").match("2026-11-22 06:48:41.123 UTC [7] a@b ")
        >>> found == {"m": "2026-11-22 06:48:41.123 UTC", "p": "7", "u": "a", "d": "b"}
        True
        """
        if len(text) > _LONGEST:
            return None
        for pattern in self.patterns:
            if found := pattern.fullmatch(text):
                fields = found.groupdict("")
                if self.is_padded:
                    fields = {letter: value.strip(" ") for letter, value in fields.items()}
                return fields
        return None


@lru_cache(maxsize=64)
def compile_prefix(line_prefix: str) -> Prefix:
    """The pattern of a log_line_prefix; escapes of no meaning are left out as PostgreSQL does."""
    session, quit_, rest = _at_quit(line_prefix)
    whole = _tokens(session + rest)
    variants = [whole, _tokens(session)] if quit_ else [whole]
    return Prefix(
        patterns=tuple(re.compile(_pattern(tokens), re.DOTALL) for tokens in variants),
        escapes=frozenset(token[1] for token in whole if token[1]),
        is_padded=any(found[1] for found in _ESCAPE.finditer(line_prefix)),
    )


def _at_quit(line_prefix: str) -> tuple[str, bool, str]:
    """What stands before and after the first %q, which prints nothing itself."""
    for found in _ESCAPE.finditer(line_prefix):
        if found[2] == "q":
            return line_prefix[: found.start()], True, line_prefix[found.end() :]
    return line_prefix, False, ""


def _tokens(text: str) -> list[tuple[str, str]]:
    """(pattern, letter) of each part; the letter is empty for what stands there as it is."""
    tokens: list[tuple[str, str]] = []
    at = 0
    for found in _ESCAPE.finditer(text):
        tokens.append((re.escape(text[at : found.start()]), ""))
        width, letter = found.groups()
        if letter == "%":
            tokens.append(("%", ""))
        elif letter in _FREE or letter in _SHAPES:
            tokens += _padded(width, letter)
        at = found.end()
    tokens.append((re.escape(text[at:]), ""))
    return [token for token in tokens if token != ("", "")]


def _padded(width: str, letter: str) -> list[tuple[str, str]]:
    """An escape between the spaces that a width such as %-10u or %10u fills it up with."""
    before = [(" *+", "")] if width and not width.startswith("-") else []
    # what follows a free text is found first, so its padding needs no pattern
    after = [(" *", "")] if width.startswith("-") and letter not in _FREE else []
    return [*before, (_SHAPES.get(letter, ""), letter), *after]


def _pattern(tokens: list[tuple[str, str]]) -> str:
    """One group an escape; each free text but the last is atomic with what follows it."""
    free = [i for i, (_, letter) in enumerate(tokens) if letter in _FREE]
    inner = set(free[:-1])
    parts: list[str] = []
    seen: set[str] = set()
    for i, (shape, letter) in enumerate(tokens):
        if i in free[1:]:
            parts.append(")")
        if i in inner:
            parts.append("(?>")
        if letter in _FREE:
            shape = ".*?" if i in inner else ".*"
        parts.append(f"(?P<{letter}>{shape})" if letter and letter not in seen else f"(?:{shape})")
        seen.add(letter)
    return "".join(parts)
