"""log_line_prefix: any of them, whatever clients call themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.collect.logs.prefix import compile_prefix

M = "2026-11-22 06:48:41.123 UTC"
T = "2026-11-22 06:48:41 +0530"


@pytest.mark.parametrize(
    ("line_prefix", "text", "expected"),
    [
        ("%m [%p] %q%u@%d ", f"{M} [7] ann@shop ", {"m": M, "p": "7", "u": "ann", "d": "shop"}),
        # what a process without a session prints
        ("%m [%p] %q%u@%d ", f"{M} [7] ", {"m": M, "p": "7"}),
        # RDS, Azure, Debian's old one
        (
            "%t:%r:%u@%d:[%p]:",
            "2026-11-22 06:48:41 UTC:10.0.0.5(5432):ann@shop:[7]:",
            {
                "t": "2026-11-22 06:48:41 UTC",
                "r": "10.0.0.5(5432)",
                "u": "ann",
                "d": "shop",
                "p": "7",
            },
        ),
        ("%t-%c-", f"{T}-6b029a18.4946-", {"t": T, "c": "6b029a18.4946"}),
        ("%n %e %x %v ", "1795332632.485 00000 0 3/17 ", {"n": "1795332632.485", "v": "3/17"}),
        ("%m %l %s %P|", f"{M} 12 2026-11-22 06:48:00 UTC |", {"l": "12", "P": ""}),
        ("%-10u|%10d|%-6p|%6l|", "ann       |      shop|7     |    12|", {"u": "ann", "d": "shop"}),
        ("%-8u %-8d %p ", "ann      shop     7 ", {"u": "ann", "d": "shop", "p": "7"}),
        ("100%% %a%z:", "100% psql:", {"a": "psql"}),
        ("%a", "", {"a": ""}),
        ("app=%a id=%Q ", "app=x id=5 y, id=-6 ", {"a": "x id=5 y,", "Q": "-6"}),
        ("%u@%d ", "a@b@c ", {"u": "a", "d": "b@c"}),
        ("%d %d ", "shop shop ", {"d": "shop"}),
        ("%i/%b>", "SELECT/client backend>", {"i": "SELECT", "b": "client backend"}),
        ("é.*(%p", "é.*(7", {"p": "7"}),
    ],
)
def test_prefix(line_prefix: str, text: str, expected: dict[str, str]) -> None:
    found = compile_prefix(line_prefix).match(text)
    assert found is not None
    assert expected.items() <= found.items()


@pytest.mark.parametrize(
    ("line_prefix", "text"),
    [
        ("%m [%p] ", f"{M} [7]"),
        ("%m [%p] ", f"x {M} [7] "),
        ("%t ", f"{M} "),
        ("%m [%p] %u@%d ", f"{M} [7] "),
        ("%a ", "x" * 10_000 + " "),
    ],
)
def test_other_text(line_prefix: str, text: str) -> None:
    assert compile_prefix(line_prefix).match(text) is None


@given(line_prefix=st.text(max_size=40), text=st.text(max_size=80))
def test_no_prefix_raises(line_prefix: str, text: str) -> None:
    compile_prefix(line_prefix).match(text)


NAME = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="@,="), min_size=1)


@given(user=NAME, database=NAME, application=st.text(st.characters(min_codepoint=33), min_size=1))
def test_names_are_found_again(user: str, database: str, application: str) -> None:
    text = f"{M} [7] user={user},db={database},app={application} id=9 "
    found = compile_prefix("%m [%p] user=%u,db=%d,app=%a id=%Q ").match(text)
    assert found is not None
    assert (found["u"], found["d"], found["a"]) == (user, database, application)
