"""The demo's database: a shop with skewed data, the same on every machine.

Everything is computed in the server from row numbers by hashing (shop/*.sql), so nothing has to
be downloaded and a build of the same scale always has the same rows.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from time import monotonic
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from pgadvisor.demo.stopping import Stopped, stoppable

__all__ = ["SHOP_NOW", "Progress", "Shop", "ShopSize", "build_shop", "customer_email", "popular"]

#: The shop's clock: the instant up to which the generated rows reach.
SHOP_NOW = datetime(2026, 7, 1, tzinfo=UTC)

# One file a step, with its share of the build's time (measured at scale 1).
_TABLES: Mapping[str, float] = {
    "categories": 0.1,
    "products": 0.5,
    "inventory": 0.3,
    "customers": 1.2,
    "orders": 6.4,
    "order_items": 5.0,
    "payments": 2.2,
    "reviews": 0.9,
    "events": 5.0,
}
_BEFORE: Mapping[str, float] = {"functions": 0.1}
_AFTER: Mapping[str, float] = {"foreign_keys": 1.6, "roles": 0.1, "statistics": 0.1}
_VACUUM_SHARE = 0.06

_FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana")
_DOMAINS = ("example.com", "example.org", "example.net")


class Progress(Protocol):
    """Is told what is being done and which part of the whole is behind it, 0.0 to 1.0."""

    def __call__(self, step: str, done: float, /) -> None:
        """Called between steps, in the thread that does the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSize:
    """Rows to make in each table; the others follow from these."""

    categories: int
    products: int
    customers: int
    orders: int
    reviews: int
    events: int

    @classmethod
    def at(cls, scale: float = 1.0) -> "ShopSize":
        """The sizes at a scale; 1.0 is 480 MB on disk.

        >>> ShopSize.at(0.01).orders
        5000
        """
        return cls(
            categories=200,
            products=max(500, int(20_000 * scale)),
            customers=max(1_000, int(100_000 * scale)),
            orders=max(2_000, int(500_000 * scale)),
            reviews=max(1_000, int(150_000 * scale)),
            events=max(2_000, int(500_000 * scale)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A shop that was built."""

    size: ShopSize
    size_bytes: int
    build_seconds: float


def popular(u: float, n: int, exponent: float) -> int:
    """The id that the draw `u` in [0, 1) picks among 1..n, popular ids more often.

    The same power law as shop_build.zipf and spread in shop/functions.sql: parameters of the
    workload are skewed as the rows are.

    >>> popular(0.0, 20_000, 0.8), popular(0.999, 20_000, 0.8)
    (7920, 11048)
    """
    base = (n ** (1 - exponent) - 1) * u + 1
    rank = min(n, int(base ** (1 / (1 - exponent))))
    return 1 + rank * 7919 % n


def customer_email(customer_id: int) -> str:
    """The address of a customer, as shop_build.email makes it.

    >>> customer_email(10)
    'Cleo.10@example.org'
    """
    name, domain = _FIRST_NAMES[customer_id % 8], _DOMAINS[customer_id % 3]
    return f"{name}.{customer_id}@{domain}"


def build_shop(
    conn: psycopg.Connection[Any],
    *,
    scale: float = 1.0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Shop:
    """Make the shop in the empty database of an autocommit superuser connection.

    Raises `Stopped` within a second of `stop` being set; what was made until then stays.
    """
    size = ShopSize.at(scale)
    started = monotonic()
    with stoppable(stop, conn), psycopg.ClientCursor(conn) as cursor:
        cursor.execute("set maintenance_work_mem = '256MB'")
        for name, statement in _steps(size, progress, stop):
            cursor.execute(statement, {**asdict(size), "now": SHOP_NOW} if name else None)
        cursor.execute("reset maintenance_work_mem")
        cursor.execute("checkpoint")
        row = cursor.execute("select pg_database_size(current_database())").fetchone()
    if progress:
        progress("shop built", 1.0)
    return Shop(size=size, size_bytes=row[0] if row else 0, build_seconds=monotonic() - started)


def _steps(
    size: ShopSize, progress: Progress | None, stop: threading.Event | None
) -> Iterator[tuple[str, LiteralString | sql.Composed]]:
    """The statements of the build in order, each announced before it runs."""
    plan: list[tuple[str, str, float]] = [
        ("make", name, share) for name, share in {**_BEFORE, **_TABLES, **_AFTER}.items()
    ]
    plan += [("vacuum", name, share * _VACUUM_SHARE) for name, share in _TABLES.items()]
    total = sum(share for _, _, share in plan)
    done = 0.0
    for verb, name, share in plan:
        if stop and stop.is_set():
            raise Stopped("the build of the demo's database was stopped")
        if progress:
            progress(_label(verb, name, size), done / total)
        if verb == "vacuum":
            yield "", sql.SQL("vacuum (analyze) {}").format(sql.Identifier(name))
        else:
            yield name, _read_sql(name)
        done += share


def _label(verb: str, name: str, size: ShopSize) -> str:
    rows = asdict(size).get(name)
    if verb == "vacuum":
        return f"vacuum {name}"
    return f"{name}: {rows:,} rows" if rows else name.replace("_", " ")


def _read_sql(name: str) -> LiteralString:
    """A file of shop/; each runs as one implicit transaction, so its new table needs no WAL."""
    return resources.files(__package__).joinpath("shop", f"{name}.sql").read_text("utf-8")
