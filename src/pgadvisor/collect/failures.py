"""psycopg's errors as ours, mapped once: what went wrong and what to do about it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from pgadvisor.errors import AdvisorError, ExtensionMissing, PrivilegeMissing, TargetUnreachable
from pgadvisor.sql import mask_message

__all__ = ["connection_failure", "quoted", "statement_errors", "statement_failure"]


@dataclass(frozen=True, slots=True)
class Symptom:
    """A message of libpq or the server and what a person does about it."""

    pattern: str
    message: str
    hint: str


# Read in order, the first match holds. A failed connection carries no SQLSTATE in libpq, so the
# text is all there is; a server that speaks another language gets the last, general hint.
_SYMPTOMS = (
    Symptom(
        r"password authentication failed for user \"(?P<role>[^\"]+)\"",
        "wrong password for role {role}",
        "Check the password in the DSN, PGPASSWORD or ~/.pgpass; a superuser sets a new one with "
        "psql's \\password {role}.",
    ),
    Symptom(
        r"no password supplied",
        "the server asks for a password and none was given",
        "Put it in ~/.pgpass (host:port:database:user:password, mode 600), PGPASSWORD or the DSN.",
    ),
    Symptom(
        r"database \"(?P<database>[^\"]+)\" does not exist|no such database: (?P<bouncer>\S+)",
        "there is no database {database}",
        "Correct the database in the DSN; psql -l lists the databases of the server.",
    ),
    Symptom(
        r"role \"(?P<role>[^\"]+)\" does not exist|no such user: (?P<bouncer>\S+)",
        "there is no role {role}",
        "As a superuser run: CREATE ROLE {role} LOGIN PASSWORD '...'; GRANT pg_monitor TO {role};",
    ),
    Symptom(
        r"role \"(?P<role>[^\"]+)\" is not permitted to log in",
        "role {role} may not log in",
        "As a superuser run: ALTER ROLE {role} LOGIN;",
    ),
    Symptom(
        r"no pg_hba\.conf entry for .*(no encryption|SSL off)",
        "pg_hba.conf lets nobody in from here without SSL as this role",
        "Try sslmode=require in the DSN; else add a line for this host, database and role to "
        "pg_hba.conf and run SELECT pg_reload_conf(); on the server.",
    ),
    Symptom(
        r"no pg_hba\.conf entry for|pg_hba\.conf rejects",
        "pg_hba.conf lets nobody in from here as this role",
        "Add a line such as `hostssl all pgadvisor 10.0.0.5/32 scram-sha-256` (this host's "
        "address) to pg_hba.conf and run SELECT pg_reload_conf(); on the server.",
    ),
    Symptom(
        r"(Peer|Ident) authentication failed for user \"(?P<role>[^\"]+)\"",
        "the server lets role {role} in only from the operating system account of that name",
        "Connect over TCP with a password (host=localhost in the DSN), or run pgadvisor as "
        "that account.",
    ),
    Symptom(
        r"authentication failed",
        "the server does not accept our login",
        "Check role and password in the DSN, and the pg_hba.conf (of pgbouncer: auth_file).",
    ),
    Symptom(
        r"server does not support SSL",
        "the DSN asks for SSL and the server has none",
        "Set ssl = on on the server, or sslmode=prefer in the DSN.",
    ),
    Symptom(
        r"SSL (connection )?(is )?required|SSL SYSCALL|tls required",
        "the server wants SSL",
        "Set sslmode=require in the DSN.",
    ),
    Symptom(
        r"certificate",
        "the server's SSL certificate cannot be verified",
        "Give the authority's certificate with sslrootcert=... in the DSN, and the host name "
        "that the certificate carries.",
    ),
    Symptom(
        r"too many clients already|remaining connection slots|too many connections for"
        r"|no more connections allowed|max_client_conn",
        "the server has no free connection",
        "Wait, or raise max_connections (restart) or the role's CONNECTION LIMIT; pgadvisor "
        "needs one connection per database.",
    ),
    Symptom(
        r"the database system is (?P<state>starting up|shutting down|in recovery mode"
        r"|not accepting connections|not yet accepting connections)",
        "the server is {state}",
        "Wait until it accepts connections; its log says why it does not.",
    ),
    Symptom(
        r"permission denied for database \"?(?P<database>[^\"\n]+)\"?",
        "the role may not connect to database {database}",
        "As its owner run: GRANT CONNECT ON DATABASE {database} TO <role>;",
    ),
    Symptom(
        r"could not translate host name|Name or service not known|name resolution"
        r"|nodename nor servname|failed to resolve host",
        "the host name of the DSN cannot be resolved",
        "Correct the host in the DSN.",
    ),
    Symptom(
        r"timeout expired|timed out|connection timeout",
        "the server did not answer in time",
        "Check host, port and firewalls between here and there.",
    ),
    Symptom(
        r"Connection refused|No such file or directory|could not connect to server",
        "nothing listens where the DSN points",
        "Check that the server runs, its port and listen_addresses; `pg_isready -h HOST -p PORT` "
        "asks the same question.",
    ),
)
_ELSEWHERE = "Check the DSN with psql, which must connect from this machine too."
_BUSY = "Raise PGADVISOR_STATEMENT_TIMEOUT or PGADVISOR_LOCK_TIMEOUT, or look at the server's load."


def quoted(*names: str) -> str:
    """An identifier as a command for people writes it.

    >>> quoted("public", "Orders")
    '"public"."Orders"'
    """
    return sql.Identifier(*names).as_string()


def connection_failure(text: str, place: str) -> TargetUnreachable:
    """What a failed connection means; ``place`` is host, port and database without password.

    >>> error = connection_failure('FATAL:  database "shop" does not exist', "db1:5432/shop")
    >>> error.message
    'cannot connect to db1:5432/shop: there is no database shop'
    """
    for symptom in _SYMPTOMS:
        if match := re.search(symptom.pattern, text):
            found = {k: v for k, v in match.groupdict().items() if v is not None}
            bouncer = found.get("bouncer", "")
            words = {"role": bouncer, "database": bouncer} | found
            message, hint = symptom.message.format(**words), symptom.hint.format(**words)
            return TargetUnreachable(f"cannot connect to {place}: {message}", hint=hint)
    reason = " ".join(text.split()) or "no reason given"
    return TargetUnreachable(f"cannot connect to {place}: {reason}", hint=_ELSEWHERE)


def statement_failure(exc: psycopg.Error, *, role: str) -> AdvisorError | None:
    """What a failed statement of ours means; None where it is a mistake of ours."""
    message = mask_message(exc.diag.message_primary or str(exc))
    match exc:
        case errors.InsufficientPrivilege():
            return PrivilegeMissing(
                message, hint=f"As a superuser run: GRANT pg_monitor TO {quoted(role)};"
            )
        case errors.ObjectNotInPrerequisiteState() if "shared_preload_libraries" in message:
            return ExtensionMissing(
                message,
                hint="Add the library to shared_preload_libraries with ALTER SYSTEM and restart "
                "the server; pgadvisor doctor shows the exact command.",
            )
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return TargetUnreachable(f"the target did not answer in time: {message}", hint=_BUSY)
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return TargetUnreachable(
                f"the connection to the target was lost: {' '.join(message.split())}",
                hint="Check that the server runs; pgadvisor connects again by itself.",
            )
        case _:
            return None


@contextmanager
def statement_errors(role: str) -> Iterator[None]:
    """Within it psycopg's errors become ours; our own mistakes stay what they are."""
    try:
        yield
    except psycopg.Error as exc:
        failure = statement_failure(exc, role=role)
        if failure is None:
            raise
        raise failure from exc
