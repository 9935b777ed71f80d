"""The identity of a query across constants, servers and versions."""

from pglast import parser

from pgadvisor.sql.parse import parser_errors, require_one

__all__ = ["fingerprint", "normalized_query"]


def fingerprint(text: str) -> str:
    """libpg_query's fingerprint: 16 hex digits, the same for any constants and IN length.

    Schema names do not count, aliases do: it groups queries, it does not identify them.
    Source: https://github.com/pganalyze/libpg_query/wiki/Fingerprinting. Raises `NotParsable`.

    >>> fingerprint("select * from t where id in (1, 2)")
    '0a42922fab0bd73f'
    """
    require_one(text)
    with parser_errors(text):
        return parser.fingerprint(text)


def normalized_query(text: str) -> str:
    """The text with constants replaced by $n, as pg_stat_statements shows it.

    Raises `NotParsable`.

    >>> normalized_query("select * from t where id = 5 and name = 'x'")
    'select * from t where id = $1 and name = $2'
    """
    require_one(text)
    with parser_errors(text):
        return parser.normalize(text)
