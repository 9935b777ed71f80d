"""Which databases of a server are watched."""

import re
from dataclasses import dataclass
from functools import cache

__all__ = ["ADMIN_DATABASES", "DatabaseFilter"]

#: databases that cloud providers keep for themselves and let nobody into
ADMIN_DATABASES = frozenset(
    {
        "rdsadmin",  # Amazon RDS and Aurora
        "cloudsqladmin",  # Google Cloud SQL
        "alloydbadmin",  # Google AlloyDB
        "alloydbmetadata",
        "azure_maintenance",  # Azure Database for PostgreSQL
        "azure_sys",
        "_aiven",  # Aiven
        "_dodb",  # DigitalOcean
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFilter:
    """Names or LIKE patterns of databases to watch and to leave out.

    >>> shops = DatabaseFilter(include=("shop%",), exclude=("%_test",))
    >>> shops.watches("shop_de"), shops.watches("shop_test"), shops.watches("rdsadmin")
    (True, False, False)
    """

    #: None: all of them
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()

    def watches(self, datname: str) -> bool:
        """True for a database whose statements, activity, catalog and logs are kept.

        One of a cloud provider is watched only where it is named in full.
        """
        if datname in ADMIN_DATABASES:
            return datname in (self.include or ())
        if any(_pattern(one).fullmatch(datname) for one in self.exclude):
            return False
        return self.include is None or any(_pattern(one).fullmatch(datname) for one in self.include)


@cache
def _pattern(like: str) -> re.Pattern[str]:
    r"""A LIKE pattern as a regular expression; a backslash takes the meaning from % and _.

    >>> bool(_pattern(r"a\_b").fullmatch("a_b")), bool(_pattern(r"a\_b").fullmatch("axb"))
    (True, False)
    """
    parts = re.findall(r"\\.|.", like, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile(
        "".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts),
        flags=re.DOTALL,
    )
