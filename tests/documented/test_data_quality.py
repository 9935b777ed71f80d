"""docs/data_quality.md has every thing that is looked for."""

import re

from tests.documented.tree import DOCS, table_rows

from pgadvisor.records.statement import GapReason
from pgadvisor.store.quality import LOOKED_AT

PAGE = DOCS / "data_quality.md"


def test_items_and_page_agree() -> None:
    cells = [row[0] for row in table_rows(PAGE)]
    named = {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}
    assert named == set(LOOKED_AT)


def test_every_reason_of_a_gap_is_an_item() -> None:
    assert {f"gap-{reason}" for reason in GapReason} <= set(LOOKED_AT)
