import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgadvisor.web.highlight import highlight

TAG = re.compile(r'<span class="sql-[a-z]+">|</span>')


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=200))
def test_only_our_spans_are_added_to_a_text(text: str) -> None:
    marked = highlight(text)
    bare = TAG.sub("", marked)
    assert "<" not in bare
    assert unescape(bare) == text


@pytest.mark.parametrize(
    "text",
    [
        "select '<script>alert(1)</script>'",
        'select "<img src=x onerror=alert(1)>"',
        "-- </span><script>",
        "select $$</code><script>$$",
        "x" * 40_000 + "<b>",
    ],
)
def test_markup_in_sql_is_escaped(text: str) -> None:
    assert "<" not in TAG.sub("", highlight(text))
