"""In which format a log is, and with which log_line_prefix, told from its first bytes."""

import re
from collections.abc import Iterable

from pgadvisor.collect.logs.prefix import compile_prefix
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogFormat

__all__ = ["USUAL_PREFIXES", "guess_format", "guess_prefix"]

#: prefixes that hosts, packages and other tools ask for; of two that fit a log equally well the
#: one that tells more is taken
USUAL_PREFIXES = (
    # the tests' and the documentation's of this project
    "%m [%p] %q%u@%d app=%a id=%Q ",
    # Debian's and the PostgreSQL documentation's
    "%m [%p] %q%u@%d ",
    "%t [%p] %q%u@%d ",
    "%t [%p-%l] %q%u@%d ",
    "%t [%p] %q%u@%d %h ",
    # PostgreSQL's default
    "%m [%p] ",
    "%t [%p] ",
    "%t ",
    "%m ",
    # Amazon RDS and Aurora
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    # Azure
    "%t-%c-",
    "%t-%c-user=%u,db=%d,app=%a,client=%h ",
    "%t-%c-%u-%d-%a-%h-",
    # Google Cloud SQL
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%t [%p]: [%l-1] db=%d,user=%u ",
    # pgBadger's
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h,queryid=%Q ",
    "%t [%p]: db=%d,user=%u,app=%a,client=%h ",
    "%t [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ",
    # pganalyze's
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %q[user=%u,db=%d,app=%a,host=%h] ",
    "%m [%p][%v] : [%l-1] %q[app=%a] ",
    "%m [%p][%b][%v][%x] %q[user=%u,db=%d,app=%a] ",
    "%t [%p]: [%l-1] user=%u,db=%d - PG-%e ",
    "%t [%p]: [%l-1] [trx_id=%x] user=%u,db=%d ",
    "%m %r %u %a [%c] [%p] ",
    "%p-%s-%c-%l-%h-%u-%d-%m ",
    # Supabase
    "%h %m [%p] %q%u@%d ",
    # Aiven, Crunchy Bridge and others whose collector adds the time
    "pid=%p,user=%u,db=%d,app=%a,client=%h ",
    "user=%u,db=%d,app=%a,client=%h ",
    "[%p]: [%l-1] db=%d,user=%u ",
    "[%p][%b][%v][%x] %q[user=%u,db=%d,app=%a] ",
)

#: lines that are tried, of which most must fit
_MOST_LINES = 400
_LONGEST_LINE = 4096
_SHARE = 0.5

_CSV = re.compile(rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,\"]{1,12},", re.MULTILINE)
_JSON = re.compile(rb'^\{"(?:timestamp|remote_host|user|pid)":', re.MULTILINE)
#: a severity in any language behind a prefix, and the message
_SEVERITY = re.compile(r"(?<![^\s\]:\-,;|>)])[^\W\d_]{2,20}:  ")


def guess_format(head: bytes) -> LogFormat:
    """The format of a log from its first bytes, which may begin inside an entry.

    >>> guess_format(b'{"timestamp":"2026-11-22 06:48:41.123 UTC","pid":7}')
    <LogFormat.JSONLOG: 'jsonlog'>
    >>> guess_format(b'2026-11-22 06:48:41.123 UTC,"ann","shop",7,')
    <LogFormat.CSVLOG: 'csvlog'>
    >>> guess_format(b"2026-11-22 06:48:41.123 UTC [7] LOG:  starting")
    <LogFormat.STDERR: 'stderr'>
    """
    json, csv = _JSON.search(head), _CSV.search(head)
    if json and (csv is None or json.start() < csv.start()):
        return LogFormat.JSONLOG
    return LogFormat.CSVLOG if csv else LogFormat.STDERR


def guess_prefix(head: bytes) -> str:
    """The usual log_line_prefix that fits most lines of a log in the format stderr.

    Raises `LogUnreadable` when none fits half of the lines.

    >>> guess_prefix(b"2026-11-22 06:48:41 UTC:10.0.0.5(4711):ann@shop:[7]:LOG:  x")
    '%t:%r:%u@%d:[%p]:'
    """
    heads = list(_heads(head.decode(errors="replace").splitlines()))[:_MOST_LINES]
    scores = {prefix: _score(prefix, heads) for prefix in USUAL_PREFIXES}
    best = max(USUAL_PREFIXES, key=scores.__getitem__)
    if not heads or scores[best][0] < _SHARE * len(heads):
        raise LogUnreadable(
            "no usual log_line_prefix fits this log",
            hint="Give the server's with --line-prefix (in the API: line_prefix); it says "
            "SHOW log_line_prefix.",
        )
    return best


def _heads(lines: Iterable[str]) -> Iterable[str]:
    """What stands before the severity in lines that have one."""
    for line in lines:
        if not line.startswith("\t") and (found := _SEVERITY.search(line, 0, _LONGEST_LINE)):
            yield line[: found.start()]


def _score(prefix: str, heads: list[str]) -> tuple[int, int, int]:
    """How many lines it fits, how much it tells of them, and how little it has beyond that."""
    compiled = compile_prefix(prefix)
    found = [fields for head in heads if (fields := compiled.match(head)) is not None]
    return len(found), sum(map(len, found)), -len(compiled.escapes)
