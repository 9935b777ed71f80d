"""The addresses of the pages."""

from urllib.parse import quote, unquote

__all__ = ["query_path", "query_place"]


def query_path(target: str, database: str, queryid: str) -> str:
    """The path of a query's page; every part is quoted.

    >>> query_path("shop", "a/b", "-7")
    '/queries/shop/a%2Fb/-7'
    """
    return "/queries/" + "/".join(quote(part, safe="") for part in (target, database, queryid))


def query_place(raw_path: str) -> tuple[str, str, str] | None:
    """Target, database and queryid of a path as the browser sent it; None for another path.

    A target's name may hold a slash (a socket's directory), so the path is taken apart before
    it is unquoted; where a proxy has unquoted it, the slashes belong to the target.

    >>> query_place("/queries/%2Ftmp%3A5432/a%2Fb/-7")
    ('/tmp:5432', 'a/b', '-7')
    >>> query_place("/queries//tmp:5432/shop/-7")
    ('/tmp:5432', 'shop', '-7')
    """
    parts = raw_path.removeprefix("/queries/").rsplit("/", 2)
    if len(parts) != 3 or not all(parts):
        return None
    target, database, queryid = (unquote(part) for part in parts)
    return target, database, queryid
