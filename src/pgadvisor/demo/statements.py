"""The demo's statements: many healthy ones, and the usual sins among them.

The SQL is in queries/, one file a statement. Parameters are drawn from a seeded generator and
skewed as the rows are, so a client with the same seed always sends the same sequence.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from importlib import resources
from typing import Any, Literal, LiteralString

from pgadvisor.demo.shop import SHOP_NOW, ShopSize, customer_email, popular

__all__ = ["STATEMENTS", "Role", "Statement", "bind", "statements_of"]

Role = Literal["shop_web", "shop_report"]
Parameters = Mapping[str, Any]
Draw = Callable[[random.Random, ShopSize], Parameters]

_COUNTRIES = ("DE", "FR", "IT", "ES", "PL", "NL", "AT", "SE", "PT", "FI", "IE", "LU")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of the workload."""

    name: str
    #: with %(name)s placeholders, without comments
    sql: LiteralString
    draw: Draw
    #: how often a client of the role picks it, relative to the others; 0 for a child of `each`
    weight: float = 0.0
    role: Role = "shop_web"
    #: what is wrong with it, None for a healthy one
    sin: str | None = None
    #: the statement that is run once for every row of this one, with the row's columns
    each: str | None = None


def bind(statement: Statement, parameters: Parameters) -> tuple[LiteralString, Parameters]:
    """The text and parameters to send: a tuple becomes an IN list with a placeholder a value.

    >>> listed = Statement(name="s", sql="select 1 where 1 in %(ids)s", draw=lambda *_: {})
    >>> bind(listed, {"ids": (7, 8)})
    ('select 1 where 1 in (%(ids_0)s, %(ids_1)s)', {'ids_0': 7, 'ids_1': 8})
    """
    text = statement.sql
    bound: dict[str, Any] = {}
    for name, value in parameters.items():
        if not isinstance(value, tuple):
            bound[name] = value
            continue
        members = {f"{name}_{i}": member for i, member in enumerate(value)}
        text = text.replace(f"%({name})s", "(" + ", ".join(f"%({m})s" for m in members) + ")")
        bound |= members
    return text, bound


def statements_of(role: Role) -> tuple[Statement, ...]:
    """What a client of the role picks from."""
    return tuple(s for s in STATEMENTS.values() if s.role == role and s.weight > 0)


def _statement(name: str, draw: Draw, weight: float = 0.0, **more: Any) -> Statement:
    text = resources.files(__package__).joinpath("queries", f"{name}.sql").read_text("utf-8")
    bare = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE).strip()
    return Statement(name=name, sql=bare, draw=draw, weight=weight, **more)


def _customer(rng: random.Random, size: ShopSize) -> int:
    return popular(rng.random(), size.customers, 0.6)


def _product(rng: random.Random, size: ShopSize) -> int:
    return popular(rng.random(), size.products, 0.8)


def _recent_order(rng: random.Random, size: ShopSize) -> int:
    """Mostly among the newest: people look at what they have just bought."""
    return size.orders - int(size.orders * rng.random() ** 3 * 0.99)


def _nothing(rng: random.Random, size: ShopSize) -> Parameters:
    return {}


def _now(rng: random.Random, size: ShopSize) -> Parameters:
    return {"now": SHOP_NOW + timedelta(seconds=rng.randrange(3600))}


def _since(days: tuple[int, int]) -> Draw:
    return lambda rng, size: {"since": SHOP_NOW - timedelta(days=rng.randint(*days))}


def _last_hours(rng: random.Random, size: ShopSize) -> Parameters:
    return {"since": SHOP_NOW - timedelta(hours=rng.randint(6, 18))}


def _customer_id(rng: random.Random, size: ShopSize) -> Parameters:
    return {"customer_id": _customer(rng, size)}


def _product_id(rng: random.Random, size: ShopSize) -> Parameters:
    return {"product_id": _product(rng, size)}


def _any_product_id(rng: random.Random, size: ShopSize) -> Parameters:
    return {"product_id": rng.randint(1, size.products)}


def _order_id(rng: random.Random, size: ShopSize) -> Parameters:
    return {"order_id": _recent_order(rng, size)}


def _category_id(rng: random.Random, size: ShopSize) -> Parameters:
    return {"category_id": popular(rng.random(), size.categories, 0.7)}


def _email(rng: random.Random, size: ShopSize) -> Parameters:
    return {"email": customer_email(_customer(rng, size))}


def _country(rng: random.Random, size: ShopSize) -> Parameters:
    return {"country": rng.choice(_COUNTRIES)}


def _campaign(rng: random.Random, size: ShopSize) -> Parameters:
    return {"campaign": f"campaign-{rng.randint(50, 400)}"}


def _both(*draws: Draw) -> Draw:
    def draw(rng: random.Random, size: ShopSize) -> Parameters:
        return {name: value for one in draws for name, value in one(rng, size).items()}

    return draw


def _event(rng: random.Random, size: ShopSize) -> Parameters:
    return {
        "kind": rng.choice(("view", "view", "view", "search", "cart")),
        "sku": f"SKU-{_product(rng, size):07d}",
    }


def _new_order(rng: random.Random, size: ShopSize) -> Parameters:
    customer_id = _customer(rng, size)
    return {
        "customer_id": customer_id,
        "email": customer_email(customer_id),
        "product_id": _product(rng, size),
        "other_product_id": _product(rng, size),
    }


def _stock(rng: random.Random, size: ShopSize) -> Parameters:
    return {"warehouse_id": rng.randint(1, 3), "pieces": rng.randint(1, 4)}


def _status(rng: random.Random, size: ShopSize) -> Parameters:
    return {"status": rng.choice(("shipped", "delivered"))}


def _offset(rng: random.Random, size: ShopSize) -> Parameters:
    return {"offset": rng.randrange(size.orders // 4, size.orders // 2)}


def _product_list(rng: random.Random, size: ShopSize) -> Parameters:
    length = rng.choice((40, 120, 300))
    return {"product_ids": tuple(rng.randint(1, size.products) for _ in range(length))}


def _order_number(rng: random.Random, size: ShopSize) -> Parameters:
    order_id = _recent_order(rng, size)
    return {"order_number": Decimal(1_000_000_000 + order_id * 10 + order_id % 7)}


def _newest_tenths(rng: random.Random, size: ShopSize) -> Parameters:
    return {"order_id": size.orders - size.orders * rng.randint(1, 3) // 10}


def _ten_categories(rng: random.Random, size: ShopSize) -> Parameters:
    return {"category_id": rng.randint(1, size.categories - 9)}


_HEALTHY: tuple[Statement, ...] = (
    _statement("customer_by_id", _customer_id, 150),
    _statement("product_page", _product_id, 150),
    _statement("product_reviews", _product_id, 60),
    _statement("order_with_items", _order_id, 60),
    _statement("orders_of_customer", _customer_id, 60),
    _statement("add_event", _both(_customer_id, _event, _campaign, _now), 120),
    _statement("place_order", _both(_new_order, _now), 25),
    _statement("change_stock", _both(_product_id, _stock, _now), 40),
    _statement("touch_customer", _both(_customer_id, _now), 40),
    _statement("ship_order", _both(_order_id, _status, _now), 20),
    _statement("add_draft_product", _both(_category_id, _now), 3, each="remove_draft_product"),
)

_SINFUL: tuple[Statement, ...] = (
    _statement("orders_by_email", _email, 8, sin="missing index"),
    _statement("events_of_customer", _both(_customer_id, _since((3, 30))), 8, sin="missing index"),
    _statement("payment_of_order", _order_id, 10, sin="foreign key without an index"),
    _statement("latest_orders", _nothing, 6, sin="sort that an index would remove"),
    _statement("orders_to_pack", _nothing, 6, sin="missing index"),
    _statement("remove_draft_product", _any_product_id, sin="foreign key without an index"),
    _statement("shelf", _category_id, 8, sin="N+1 queries", each="rating_of_product"),
    _statement("rating_of_product", _product_id, sin="N+1 queries"),
    _statement("customer_by_lower_email", _email, 8, sin="function over a column"),
    _statement("orders_page_by_offset", _offset, 5, sin="deep OFFSET"),
    _statement("count_for_pager", _both(_status, _country), 4, sin="count(*) beside a page"),
    _statement("products_in_list", _product_list, 6, sin="long IN list"),
    _statement("events_by_campaign", _campaign, 4, sin="jsonb filter without an index"),
    _statement("order_by_number", _order_number, 6, sin="implicit cast"),
    _statement("changed_products", _nothing, 4, sin="SELECT * of wide rows"),
    _statement("orders_by_either_email", _email, 4, sin="OR over two tables"),
    _statement("revenue_by_day", _since((5, 20)), 3, role="shop_report", sin="missing index"),
    _statement("sales_of_product", _any_product_id, 4, role="shop_report", sin="missing index"),
    _statement(
        "largest_orders_by_country",
        _since((200, 600)),
        3,
        role="shop_report",
        sin="sort spills to disk",
    ),
    _statement(
        "revenue_by_product", _newest_tenths, 3, role="shop_report", sin="hash spills to disk"
    ),
    _statement(
        "customers_without_order",
        _both(_country, _last_hours),
        1,
        role="shop_report",
        sin="NOT IN over a subquery",
    ),
    _statement("dear_products", _ten_categories, 3, role="shop_report", sin="correlated subquery"),
    _statement("shipped_orders", _country, 3, role="shop_report", sin="needless DISTINCT"),
)

#: Every statement by its name.
STATEMENTS: Mapping[str, Statement] = {s.name: s for s in (*_HEALTHY, *_SINFUL)}
