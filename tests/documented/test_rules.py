"""Every rule has its page, and every page its rule."""

import pytest
from tests.documented.tree import DOCS

from pgadvisor.analyze import RULES

FOLDER = DOCS / "rules"


def rule_id(rule: object) -> str:
    """The id of a rule: its function's name in kebab case."""
    return str(getattr(rule, "__name__", "")).replace("_", "-")


@pytest.mark.parametrize("rule", RULES, ids=rule_id)
def test_rule_has_a_page(rule: object) -> None:
    page = (FOLDER / f"{rule_id(rule)}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule_id(rule)}\n")


@pytest.mark.parametrize("rule", RULES, ids=rule_id)
def test_rule_is_listed_in_the_index(rule: object) -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert f"(rules/{rule_id(rule)}.md)" in index


def test_page_has_a_rule() -> None:
    pages = {page.stem for page in FOLDER.glob("*.md")} - {"index", "README"}
    assert pages == {rule_id(rule) for rule in RULES}
