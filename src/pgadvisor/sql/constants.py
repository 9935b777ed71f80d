"""Where the constants of a text stand, and what may stand there instead."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from pglast.parser import Token

from pgadvisor.sql.harmless import is_harmless, is_hint
from pgadvisor.sql.statement import MARKER
from pgadvisor.sql.unparsed import unquoted

__all__ = ["Part", "Place", "parts_of"]


class Place(Enum):
    """What the server's grammar takes where a constant stands."""

    #: any expression: a parameter
    EXPRESSION = auto()
    #: only a constant of the same kind
    CONSTANT = auto()
    #: a bare word that stands for a string, as in SET x TO word
    WORD = auto()
    #: a comment: nothing at all
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """A constant or comment of a text: [start, end)."""

    start: int
    end: int
    raw: str
    place: Place
    is_number: bool = False
    #: the type named before a constant: date '...'
    type_name: str = ""
    #: its place among the words of the text, and that of the parenthesis it stands in
    word: int = -1
    parenthesis: int = -1
    #: equal where the same value stands twice in the same expression; empty where it does not
    context: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """The value as text."""
        is_plain = self.is_number or self.place in (Place.WORD, Place.NOTHING)
        return self.raw if is_plain else unquoted(self.raw)


_STRINGS = frozenset({"SCONST", "USCONST", "BCONST", "XCONST"})
_NUMBERS = frozenset({"ICONST", "FCONST"})
_WORTH_A_LOOK = _STRINGS | _NUMBERS | {"SET"}
_COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})
#: statements that PostgreSQL plans begin so; in all others only constants are put
_PLANNED = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE_P", "MERGE", "WITH", "WITH_LA", "VALUES", "TABLE"}
) | {"ASCII_40"}

# A constant after a type's name is a typed literal. gram.y: AexprConst.
_TYPE_KEYWORDS = frozenset(
    {
        *("BIGINT", "BIT", "BOOLEAN_P", "CHAR_P", "CHARACTER", "DEC", "DECIMAL_P", "FLOAT_P"),
        *("INT_P", "INTEGER", "INTERVAL", "JSON", "NATIONAL", "NCHAR", "NUMERIC", "PRECISION"),
        *("REAL", "SMALLINT", "TIME", "TIMESTAMP", "VARCHAR", "VARYING"),
    }
)
#: unreserved keywords that an expression may follow; after any other it is a typed literal
_BEFORE_EXPRESSION = frozenset(
    {
        *("BY", "CONTENT_P", "DOCUMENT_P", "ESCAPE", "GROUPS", "KEY", "PASSING", "RANGE"),
        *("REF_P", "ROWS", "VALUE_P", "LIKE", "ILIKE", "BETWEEN", "FIRST_P", "NEXT", "SIMILAR"),
    }
)
#: what an operand may end with; also keywords of the kinds that may be names
_ENDS = frozenset(
    {"IDENT", "PARAM", "ASCII_41", "ASCII_93", "END_P", "NULL_P", "TRUE_P", "FALSE_P"}
)
#: functions whose parameters are "any", so that the type of $n cannot be inferred; and EXTRACT
_OF_ANY = frozenset(
    {
        *("concat", "concat_ws", "format", "json_build_array", "json_build_object", "extract"),
        *("jsonb_build_array", "jsonb_build_object", "num_nonnulls", "num_nulls", "pg_typeof"),
        *("count", "json_agg", "jsonb_agg", "to_json", "to_jsonb", "quote_literal", "row"),
    }
)
_ARITHMETIC = frozenset({"ASCII_42", "ASCII_43", "ASCII_45", "ASCII_47", "ASCII_37"})
_AFTER_BY_LIST = frozenset(
    {
        *("HAVING", "LIMIT", "OFFSET", "FETCH", "FOR", "UNION", "INTERSECT", "EXCEPT", "WINDOW"),
        *("ORDER", "ROWS", "RANGE", "GROUPS", "ASCII_59", "INTO", "RETURNING"),
    }
)


def parts_of(text: str, tokens: Sequence[Token]) -> list[Part]:
    """The constants and comments that may not stay, in their order."""
    comments = [
        Part(token.start, token.end + 1, "", Place.NOTHING)
        for token in tokens
        if token.name in _COMMENTS and not _is_kept_comment(text[token.start : token.end + 1])
    ]
    code = [token for token in tokens if token.name not in _COMMENTS]
    if not comments and not any(token.name in _WORTH_A_LOOK for token in code):
        return []
    reader = _Reader(text, code)
    constants = list(reader.constants())
    seen = Counter(part.raw for part in constants if part.place is Place.EXPRESSION)
    told_apart = [
        replace(part, context=reader.context(part)) if seen[part.raw] > 1 else part
        for part in constants
    ]
    return sorted([*comments, *told_apart], key=lambda part: part.start)


def _is_kept_comment(comment: str) -> bool:
    return comment == MARKER or is_hint(comment)


class _Reader:
    """Walks the tokens of a text, knowing where it is."""

    def __init__(self, text: str, code: Sequence[Token]) -> None:
        self.text = text
        self.code = code
        #: positions of the parentheses that are open
        self.open: list[int] = []
        #: the parenthesis that a closing one belongs to
        self.closed_by = _closed_by(code)
        self.opened_by = {close: opening for opening, close in self.closed_by.items()}
        #: depths of parentheses at which a list after BY stands
        self.by_lists: set[int] = set()
        self.is_planned = False
        self.is_setting = False

    def constants(self) -> Iterator[Part]:
        """What stands in the text and may not stay."""
        skip_to = -1
        is_first = True
        for i, token in enumerate(self.code):
            if is_first:
                self.is_planned, self.is_setting = token.name in _PLANNED, False
            is_first = token.name == "ASCII_59" and not self.open
            self._follow(i, token)
            if i < skip_to:
                continue
            if token.name in _STRINGS:
                part, skip_to = self._string(i)
                yield from part
            elif token.name in _NUMBERS:
                yield from self._number(i)
            elif self._is_setting_word(i, token):
                yield self._part(i, i, Place.WORD)

    def _follow(self, i: int, token: Token) -> None:
        depth = len(self.open)
        match token.name:
            case "ASCII_40":
                self.open.append(i)
            case "ASCII_41" if self.open:
                self.by_lists.discard(depth)
                self.open.pop()
            case "BY":
                self.by_lists.add(depth)
            case "SET" if not self.is_planned:
                self.is_setting = self._name(i + 1) != "SEARCH_PATH"
            case name if name in _AFTER_BY_LIST:
                self.by_lists.discard(depth)

    def _string(self, i: int) -> tuple[list[Part], int]:
        """The part of a string, and the token to go on with."""
        last = i + 2 if self._at(i + 1) == "UESCAPE" else i
        type_name = self._type_before(i)
        if not self.is_planned or type_name is not None or self._is_argument_of_any(i):
            place = Place.CONSTANT
        else:
            place = Place.EXPRESSION
        part = self._part(i, last, place, type_name=type_name or "")
        return ([] if is_harmless(part.value) else [part]), last + 1

    def _number(self, i: int) -> Iterator[Part]:
        if self._is_modifier(i) or self._is_ordinal(i):
            return
        first = i - 1 if self._is_sign(i - 1) else i
        # date + 1: with a parameter there, date + what
        is_untyped = self._at(first - 1) in _ARITHMETIC or self._is_argument_of_any(first)
        place = Place.EXPRESSION if self.is_planned and not is_untyped else Place.CONSTANT
        yield self._part(first, i, place, is_number=True)

    def _part(
        self, first: int, last: int, place: Place, *, is_number: bool = False, type_name: str = ""
    ) -> Part:
        start, end = self.code[first].start, self.code[last].end + 1
        raw = self.text[start:end]
        parenthesis = self.open[-1] if self.open else -1
        return Part(start, end, raw, place, is_number, type_name, first, parenthesis)

    def _at(self, i: int) -> str:
        return self.code[i].name if 0 <= i < len(self.code) else ""

    def _name(self, i: int) -> str:
        if not 0 <= i < len(self.code):
            return ""
        return self.text[self.code[i].start : self.code[i].end + 1].upper()

    def _type_before(self, i: int) -> str | None:
        """The type whose literal a string is; None where it is an expression of its own."""
        at = i - 1
        if self._at(at) == "ASCII_41":  # timestamp(3) '...'
            at = self.opened_by.get(at, 0) - 1
            if self._at(at) == "OPERATOR":
                return None
            return self._name(at)
        name, kind = self._at(at), self.code[at].kind if at >= 0 else ""
        if name == "ZONE":
            is_type = self._at(at - 2) in ("WITH", "WITH_LA", "WITHOUT", "WITHOUT_LA")
            return self._name(at - 3) if is_type else None
        if name in _TYPE_KEYWORDS or name == "IDENT":
            return self._name(at)
        if kind in ("UNRESERVED_KEYWORD", "TYPE_FUNC_NAME_KEYWORD", "COL_NAME_KEYWORD"):
            return None if name in _BEFORE_EXPRESSION else self._name(at)
        return None

    def _is_argument_of_any(self, i: int) -> bool:
        """An argument of a function from which no type can be told, or none but a constant fits."""
        if not self.open or self._at(i - 1) not in ("ASCII_40", "ASCII_44"):
            return False
        return self._name(self.open[-1] - 1).lower() in _OF_ANY

    def _is_modifier(self, i: int) -> bool:
        """A number that belongs to a type: numeric(10,2), timestamp(3), x::vector(5), int[3]."""
        if self._at(i - 1) == "ASCII_91":
            return self._at(i - 3) == "TYPECAST"
        if not self.open or self._at(i - 1) not in ("ASCII_40", "ASCII_44"):
            return False
        before = self.open[-1] - 1
        name = self._at(before)
        return name in _TYPE_KEYWORDS or name == "SECOND_P" or self._at(before - 1) == "TYPECAST"

    def _is_ordinal(self, i: int) -> bool:
        """ORDER BY 2: a place in the list of results, no value."""
        if len(self.open) not in self.by_lists or len(self._name(i)) > 2:
            return False
        return self._at(i - 1) in ("BY", "ASCII_44")

    def _is_sign(self, i: int) -> bool:
        """A minus that belongs to the number after it, and not to what stands before."""
        if self._at(i) != "ASCII_45":
            return False
        before = self._at(i - 1)
        kind = self.code[i - 1].kind if i else ""
        is_value = before in _STRINGS or before in _NUMBERS or before in _ENDS
        return not (is_value or (kind != "RESERVED_KEYWORD" and kind != "NO_KEYWORD"))

    def _is_setting_word(self, i: int, token: Token) -> bool:
        """A bare word after TO, = or a comma in SET: it is a string without quotes."""
        return (
            self.is_setting
            and token.name == "IDENT"
            and self._at(i - 1) in ("TO", "ASCII_61", "ASCII_44")
        )

    def context(self, part: Part) -> tuple[str, ...]:
        """The words around a constant that tell whether another is the same expression's."""
        i, opening = part.word, part.parenthesis
        first, last = i, i
        if opening >= 0 and self._at(i - 1) in ("ASCII_40", "ASCII_44"):
            first = max(opening - (4 if self._at(opening - 1) == "IN_P" else 1), 0)
            last = self.closed_by.get(opening, i)
        elif self._is_boundary(i - 1):
            while last < min(i + 3, len(self.code) - 1) and not self._is_boundary(last + 1):
                last += 1
        else:
            while first > max(i - 4, 0) and not self._is_boundary(first - 1):
                first -= 1
        return tuple(self._name(at) for at in range(first, min(last, first + 40) + 1))

    def _is_boundary(self, i: int) -> bool:
        """No expression reaches over it."""
        if i < 0 or self._at(i) in ("ASCII_40", "ASCII_41", "ASCII_44", "ASCII_59", "BY"):
            return True
        return self.code[i].kind == "RESERVED_KEYWORD"


def _closed_by(code: Sequence[Token]) -> dict[int, int]:
    """Where each parenthesis is closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for i, token in enumerate(code):
        if token.name == "ASCII_40":
            opened.append(i)
        elif token.name == "ASCII_41" and opened:
            found[opened.pop()] = i
    return found
