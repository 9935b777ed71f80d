"""Format and prefix are told from the first bytes of a log."""

from datetime import UTC, datetime

import pytest

from pgadvisor.collect.logs.guess import USUAL_PREFIXES, guess_format, guess_prefix
from pgadvisor.collect.logs.prefix import compile_prefix
from pgadvisor.errors import LogUnreadable
from pgadvisor.records.log import LogFormat

VALUES = {
    "m": "2026-11-22 06:48:41.123 UTC",
    "t": "2026-11-22 06:48:41 UTC",
    "s": "2026-11-22 06:00:00 UTC",
    "n": "1795330121.123",
    "p": "4711",
    "l": "12",
    "u": "ann",
    "d": "shop",
    "a": "psql",
    "h": "10.0.0.5",
    "r": "10.0.0.5(51234)",
    "e": "00000",
    "c": "6923f2b9.1267",
    "v": "3/17",
    "x": "0",
    "b": "client backend",
    "Q": "-4402183927123213",
}
#: of processes that serve no client
EMPTY = {**VALUES, "u": "", "d": "", "a": "", "h": "", "r": "", "v": "", "Q": "0"}


def prefixed(prefix: str, values: dict[str, str], *, is_session: bool = True) -> str:
    """What a server prints for a prefix. Source: log_status_format in elog.c."""
    session, _, rest = prefix.partition("%q")
    text = session + rest if is_session else session
    for letter, value in values.items():
        text = text.replace(f"%{letter}", value)
    return text


def a_log(prefix: str) -> bytes:
    lines = [prefixed(prefix, EMPTY, is_session=False) + "LOG:  checkpoint starting: time\n"]
    for number in range(20):
        pid = {**VALUES, "p": str(4000 + number)}
        lines.append(f"{prefixed(prefix, pid)}LOG:  duration: {number}.123 ms  statement: select\n")
        lines.append("\t  now()\n")
        lines.append(f"{prefixed(prefix, pid)}DETAIL:  parameters: $1 = 'a: b'\n")
    return "".join(lines).encode()


@pytest.mark.parametrize("prefix", USUAL_PREFIXES)
def test_usual_prefixes_are_found(prefix: str) -> None:
    found = guess_prefix(a_log(prefix))
    # another one may print the same, and is as good when it reads the same
    line = prefixed(prefix, VALUES)
    wanted, got = compile_prefix(prefix).match(line), compile_prefix(found).match(line)
    assert wanted is not None and got is not None
    assert {k: wanted[k] for k in "mtdupaQ" if k in wanted}.items() <= got.items(), found


def test_a_prefix_of_ones_own_is_asked_for() -> None:
    with pytest.raises(LogUnreadable, match="no usual log_line_prefix") as caught:
        guess_prefix(a_log("<<%p|%u|%d|%m>> "))
    assert "--line-prefix" in caught.value.hint
    with pytest.raises(LogUnreadable):
        guess_prefix(b"\x00\xff" * 1000)
    with pytest.raises(LogUnreadable):
        guess_prefix(b"")


def test_foreign_lines_in_between_do_not_matter() -> None:
    log = a_log("%m [%p] %q%u@%d ")
    assert guess_prefix(b"starting up\nNote:  something\n" + log) == "%m [%p] %q%u@%d "


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"timestamp":"2026-11-22 06:48:41.123 UTC","pid":7}\n', LogFormat.JSONLOG),
        (b'tail of a line"}\n{"timestamp":"2026-11-22 06:48:41.123 UTC"}\n', LogFormat.JSONLOG),
        (b'2026-11-22 06:48:41.123 CET,,,7,,69,1,,2026-11-22,,0,LOG,00000,"x"\n', LogFormat.CSVLOG),
        (b'end of "" a record",,\n2026-11-22 06:48:41.123 CET,"a","b",7\n', LogFormat.CSVLOG),
        (b"2026-11-22 06:48:41.123 UTC [7] LOG:  x, y\n", LogFormat.STDERR),
        (b"", LogFormat.STDERR),
    ],
)
def test_formats_are_told_apart(head: bytes, expected: LogFormat) -> None:
    assert guess_format(head) is expected


def test_a_plan_in_stderr_is_no_json_log() -> None:
    plan = b'\t{\n\t  "Query Text": "x"\n\t}\n'
    assert guess_format(b"2026-11-22 06:48:41 UTC LOG:  duration: 1.0 ms  plan:\n" + plan) == (
        LogFormat.STDERR
    )


def test_times_in_the_tests_are_real() -> None:
    assert datetime.fromtimestamp(float(VALUES["n"]), UTC).year == 2026
