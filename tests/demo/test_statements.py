"""Every statement runs, and a seed always gives the same sequence."""

import random
import re
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgadvisor.demo.statements as catalog
from pgadvisor.demo.connection import connect, execute
from pgadvisor.demo.shop import ShopSize
from pgadvisor.demo.statements import STATEMENTS, Statement, bind
from pgadvisor.demo.target import DemoTarget
from pgadvisor.demo.workload import picks

SIZE = ShopSize.at(0.01)


def fitting(
    conn: psycopg.Connection[Any], statement: Statement, rng: random.Random, size: ShopSize
) -> Any:
    """Drawn parameters; only a product that was just made can be deleted again."""
    if statement.name != "remove_draft_product":
        return statement.draw(rng, size)
    parent = STATEMENTS["add_draft_product"]
    return execute(conn, parent, parent.draw(rng, size))[0]


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda s: s.name)
def test_it_runs_with_drawn_parameters(target: DemoTarget, statement: Statement) -> None:
    rng = random.Random(3)
    with connect(target.dsn, statement.role, "test") as conn:
        for _ in range(8):  # beyond five runs, when psycopg begins to prepare
            with conn.transaction(force_rollback=True):
                execute(conn, statement, fitting(conn, statement, rng, target.shop.size))


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=lambda s: s.name)
def test_it_draws_exactly_the_placeholders_of_its_text(statement: Statement) -> None:
    drawn = statement.draw(random.Random(1), SIZE)
    assert set(drawn) == set(re.findall(r"%\((\w+)\)s", statement.sql))


def test_every_file_is_a_statement() -> None:
    folder = Path(catalog.__file__).parent / "queries"
    assert {path.stem for path in folder.glob("*.sql")} == set(STATEMENTS)


def test_every_file_begins_by_saying_what_a_row_is() -> None:
    folder = Path(catalog.__file__).parent / "queries"
    for path in folder.glob("*.sql"):
        assert re.match(r"-- (One|No) row: \w.*\.\n", path.read_text()), path.name


def test_comments_do_not_reach_the_server() -> None:
    assert not [s.name for s in STATEMENTS.values() if "--" in s.sql]


def test_the_same_seed_gives_the_same_sequence() -> None:
    def first(seed: str) -> list[tuple[str, Any]]:
        return [(s.name, p) for s, p in islice(picks("shop_web", SIZE, seed), 300)]

    assert first("a") == first("a")
    assert first("a") != first("b")


def test_most_calls_are_healthy_and_there_are_enough_sins() -> None:
    picked = [s for s, _ in islice(picks("shop_web", SIZE, "x"), 2000)]
    assert sum(s.sin is None for s in picked) > 0.8 * len(picked)
    assert len({s.sin for s in STATEMENTS.values() if s.sin}) >= 15


def test_children_have_a_parent_and_parents_return_what_they_need(target: DemoTarget) -> None:
    for parent in (s for s in STATEMENTS.values() if s.each):
        child = STATEMENTS[parent.each or ""]
        assert child.weight == 0
        with (
            connect(target.dsn, parent.role, "test") as conn,
            conn.transaction(force_rollback=True),
        ):
            rows = execute(conn, parent, parent.draw(random.Random(1), target.shop.size))
            execute(conn, child, rows[0])


def test_the_roles_have_their_own_work_mem(target: DemoTarget) -> None:
    for role, work_mem in (("shop_web", "4MB"), ("shop_report", "2MB")):
        with psycopg.connect(target.dsn, user=role) as conn:
            assert conn.execute("show work_mem").fetchone() == (work_mem,)


def test_a_tuple_becomes_a_list_of_its_length() -> None:
    text, bound = bind(STATEMENTS["products_in_list"], {"product_ids": (4, 5, 6)})
    assert text.endswith("in (%(product_ids_0)s, %(product_ids_1)s, %(product_ids_2)s)")
    assert list(bound.values()) == [4, 5, 6]
