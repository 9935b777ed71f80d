"""The statements we send to a target: one `.sql` file each, picked by version.

`name.sql` fits every version we support. `name.since_1_11.sql` replaces it from that version of
the *extension* the statement reads (after pg_upgrade a new server can carry an old extension),
`name.server_since_14.sql` from that major version of the *server*. The newest that fits is taken.

Each statement carries `MARKER` behind its first word, so that it can be told apart in
pg_stat_statements, pg_stat_activity and the logs. Not in front of it: PostgreSQL 18 stores
statements without their leading comment (stmt_location of gram.y).
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import LiteralString

from pgadvisor.sql import MARKER

__all__ = ["load", "marked"]

_FILE = re.compile(r"(?P<name>\w+?)(\.(?P<server>server_)?since_(?P<version>\d+(_\d+)*))?\.sql")
_LEADING_COMMENTS = re.compile(r"\A(\s*--[^\n]*\n)+")
_FIRST_WORD = re.compile(r"\A(\s*\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One file of a statement and the versions it is for."""

    text: LiteralString
    #: of the server or of the extension; empty fits all
    version: tuple[int, ...]
    of_server: bool

    def fits(self, server: int, extension: tuple[int, ...]) -> bool:
        """True when server (major version) or extension is new enough."""
        return self.version <= ((server,) if self.of_server else extension)


def marked(statement: str) -> LiteralString:
    """The statement with our marker behind its first word.

    >>> marked("select 1")
    'select /* pgadvisor */ 1'
    """
    # The one place where a str becomes a LiteralString (mypy sees no difference, so there is no
    # cast): what comes here is a file of this package, as fixed as a literal.
    return _FIRST_WORD.sub(rf"\1 {MARKER}", statement, count=1)


@cache
def _variants() -> dict[str, tuple[Variant, ...]]:
    """All statements by name, newest variant first."""
    found: dict[str, list[Variant]] = {}
    for file in files("pgadvisor.collect").joinpath("sql").iterdir():
        if match := _FILE.fullmatch(file.name):
            text = _LEADING_COMMENTS.sub("", file.read_text(encoding="utf-8")).strip()
            version = match["version"] or ""
            variant = Variant(
                text=marked(text),
                version=tuple(int(part) for part in version.split("_") if part),
                of_server=match["server"] is not None,
            )
            found.setdefault(match["name"], []).append(variant)
    return {
        name: tuple(sorted(variants, key=lambda variant: variant.version, reverse=True))
        for name, variants in found.items()
    }


def load(name: str, *, server: int, extension: tuple[int, ...] = ()) -> LiteralString:
    """The newest variant of a statement that fits.

    ``server`` is a major version, ``extension`` the version of the extension the statement reads.

    >>> "jit_functions" in load("statements", server=15, extension=(1, 8))
    False
    >>> "jit_functions" in load("statements", server=15, extension=(1, 10))
    True
    """
    return next(v.text for v in _variants()[name] if v.fits(server, extension))
