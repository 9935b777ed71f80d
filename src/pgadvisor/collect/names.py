"""The names that go with dbid and userid."""

from collections.abc import Mapping

from pgadvisor.collect.target import Target

__all__ = ["fetch_databases", "fetch_roles"]


def fetch_databases(target: Target) -> Mapping[int, str]:
    """Database names by oid, templates left out."""
    return dict(target.rows("databases"))


def fetch_roles(target: Target) -> Mapping[int, str]:
    """Role names by oid."""
    return dict(target.rows("roles"))
