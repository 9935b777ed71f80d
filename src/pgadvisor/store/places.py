"""dbid and userid of databases and roles that a source of history knows by name."""

from collections.abc import Iterable
from datetime import datetime
from typing import LiteralString

from pgadvisor.records.imported import ImportedStatement
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = ["Places", "adopt_databases"]


class Places:
    """The databases and roles of a target; those not known yet are made.

    What no server gave an oid for has a negative one. An oid that the source gave counts unless
    the store knows another name by it: then it is of another server or of another time.
    """

    def __init__(
        self,
        conn: Connection,
        target_id: int,
        statements: Iterable[ImportedStatement],
        covered: Iterable[str],
        *,
        now: datetime,
    ) -> None:
        self._conn, self._target_id, self._now = conn, target_id, now
        # newest last, oids of servers after made ones: the last of a name is taken
        self._names: dict[int, str] = dict(
            conn.execute(
                """select dbid, datname from databases where target_id = %s
                   order by dbid > 0, last_seen_at""",
                [target_id],
            ).fetchall()
        )
        self._dbids = {name: dbid for dbid, name in self._names.items()}
        self._userids: dict[str, int] = {
            name: userid
            for userid, name in conn.execute(
                "select userid, rolname from roles where target_id = %s order by userid",
                [target_id],
            )
        }
        self._of: dict[tuple[str, int | None], int] = {}
        for one in dict.fromkeys(statements):
            self._of.setdefault((one.database, one.dbid), self._place(one.database, one.dbid))
            if one.user and one.userid is None and one.user not in self._userids:
                self._make_role(one.user)
        given = {name: dbid for (name, _), dbid in self._of.items()}
        for database in covered:
            if (database, None) not in self._of:
                self._of[database, None] = given.get(database) or self._place(database, None)

    def dbid(self, database: str, given: int | None = None) -> int:
        """The dbid of a database, by name or with the oid that the source gave."""
        return self._of[database, given]

    def dbids(self, database: str) -> list[int]:
        """Every dbid that the database has or had in the history of the target."""
        names = {self._names[dbid] for (name, _), dbid in self._of.items() if name == database}
        return [dbid for dbid, name in self._names.items() if name in names]

    def userid(self, statement: ImportedStatement) -> int:
        """The userid of a statement, 0 where nothing is known of its user."""
        if statement.userid is not None:
            return statement.userid
        return self._userids[statement.user] if statement.user else 0

    def _place(self, database: str, given: int | None) -> int:
        if given is not None and self._names.get(given, database) == database:
            dbid = given
        elif database.isdigit() and int(database) in self._names:
            return int(database)  # the source has no names, the store has
        else:
            dbid = self._dbids.get(database) or min(0, *self._names, 0) - 1
        if dbid not in self._names:
            self._conn.execute(
                """insert into databases (target_id, dbid, datname, last_seen_at)
                   values (%s, %s, %s, %s) on conflict do nothing""",
                [self._target_id, dbid, database, self._now],
            )
            self._names[dbid] = database
            self._dbids[database] = dbid
        return dbid

    def _make_role(self, name: str) -> None:
        userid = min(0, *self._userids.values(), 0) - 1
        self._conn.execute(
            """insert into roles (target_id, userid, rolname) values (%s, %s, %s)
               on conflict do nothing""",
            [self._target_id, userid, name],
        )
        self._userids[name] = userid


def adopt_databases(conn: Connection, target_id: int) -> None:
    """Give imported databases the oid that their server has told since: one history by dbid.

    A query or statement that the server's own database has already stays where it was imported.
    """
    rows = conn.execute(load("adopt_databases"), {"target_id": target_id}).fetchall()
    for negative, dbid in rows:
        place = {"target_id": target_id, "negative": negative, "dbid": dbid}
        for statement in _ADOPTIONS:
            conn.execute(statement, place)


_ADOPTIONS: tuple[LiteralString, ...] = (
    """update queries q set dbid = %(dbid)s
       where q.target_id = %(target_id)s and q.dbid = %(negative)s and not exists (
           select from queries o where o.target_id = q.target_id and o.dbid = %(dbid)s
             and o.queryid = q.queryid)""",
    """update statements s set dbid = %(dbid)s
       where s.target_id = %(target_id)s and s.dbid = %(negative)s and not exists (
           select from statements o where o.target_id = s.target_id and o.dbid = %(dbid)s
             and o.userid = s.userid and o.queryid = s.queryid and o.toplevel = s.toplevel)""",
    """update database_intervals set dbid = %(dbid)s
       where target_id = %(target_id)s and dbid = %(negative)s""",
    """update imported_spans set dbid = %(dbid)s
       where target_id = %(target_id)s and dbid = %(negative)s""",
    """delete from databases d
       where d.target_id = %(target_id)s and d.dbid = %(negative)s and not exists (
           select from statements s where s.target_id = d.target_id and s.dbid = d.dbid)""",
)
