"""/targets: which servers the workers watch.

To add a target makes workers connect to a host of the caller's choosing, with the rights of the
worker's account: its files (passfile, certificates), its sockets, its service file. So targets are
changed only where this server listens on localhost alone, and a DSN over HTTP names none of these.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from pgadvisor import pipeline
from pgadvisor.api.context import Context, Door
from pgadvisor.api.guard import is_loopback
from pgadvisor.api.problems import Forbidden, RequestInvalid, problem_responses
from pgadvisor.config import Duration
from pgadvisor.store.targets import (
    StoredTarget,
    TargetOptions,
    delete_target,
    list_targets,
    pause_target,
    remove_target,
    resume_target,
    target_named,
)

__all__ = ["router"]

router = APIRouter(tags=["targets"])

#: what a DSN may say over HTTP: where and as whom
_ALLOWED = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "sslmode", "sslnegotiation"),
        *("channel_binding", "require_auth", "target_session_attrs", "load_balance_hosts"),
        "connect_timeout",
    }
)

Name = Annotated[str, Path(min_length=1, max_length=200, description="The target's name.")]
Pattern = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Span = Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(days=7))]


class Target(BaseModel):
    """A watched server, or one whose history alone is kept."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    #: server: collected from; log: only its log was read; import: only history was imported
    kind: str
    #: where and as whom, without a password
    conninfo: str
    #: watched, waiting (not read yet), failing, paused or removed
    state: str
    #: primary or replica; null: not known yet
    role: str | None
    #: of a replica: the target that is its primary
    primary_name: str | None
    system_identifier: str | None
    server_version_num: int | None
    replay_lag_ms: float | None
    clock_skew_ms: float | None
    interval_seconds: float | None
    activity_interval_seconds: float | None
    catalog_interval_seconds: float | None
    databases: list[str] | None
    excluded_databases: list[str]
    first_seen_at: datetime
    last_seen_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    log_problem: str | None
    failures: int
    #: open: it failed so often that nothing is tried before retry_at
    circuit: str
    retry_at: datetime | None
    #: the worker process that collects from it
    watcher: str | None
    paused_at: datetime | None
    removed_at: datetime | None


class TargetList(BaseModel):
    """All targets, by name."""

    items: list[Target]


class NewTarget(BaseModel):
    """A server to watch."""

    model_config = ConfigDict(extra="forbid")

    dsn: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2000,
            pattern=r"^[^\x00]*$",
            examples=["postgresql://pgadvisor@db.example.org/shop?sslmode=require"],
        ),
    ]
    name: Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = None
    interval: Span | None = None
    activity_interval: Span | None = None
    catalog_interval: Span | None = None
    databases: Annotated[list[Pattern] | None, Field(max_length=1000)] = None
    excluded_databases: Annotated[list[Pattern], Field(max_length=1000)] = []


@router.get("/targets", responses=problem_responses())
def get_targets(
    door: Context,
    removed: Annotated[bool, Query(description="Also those whose history alone is kept.")] = False,
) -> TargetList:
    """All targets: state, role, circuit, last error."""
    with door.store.transaction() as conn:
        return TargetList(items=_schemas(list_targets(conn, removed=removed)))


@router.post("/targets", status_code=201, responses=problem_responses(400, 403))
def post_target(door: Context, new: NewTarget) -> Target:
    """Have the workers watch a server; one of that name is changed."""
    _require_local(door)
    _require_harmless(new.dsn)
    options = TargetOptions(
        interval=new.interval,
        activity_interval=new.activity_interval,
        catalog_interval=new.catalog_interval,
        databases=None if new.databases is None else tuple(new.databases),
        excluded_databases=tuple(new.excluded_databases),
    )
    added = pipeline.add_target(
        door.store, new.dsn, name=new.name, options=options, now=door.clock()
    )
    return Target.model_validate(added)


@router.delete("/targets/{name:path}", status_code=204, responses=problem_responses(403, 404))
def delete(
    door: Context,
    name: Name,
    delete_history: Annotated[
        bool, Query(description="Delete all that was collected from it; else it is kept.")
    ] = False,
) -> Response:
    """Watch a target no more."""
    _require_local(door)
    with door.store.transaction() as conn:
        found = target_named(conn, name)
        if delete_history:
            delete_target(conn, found.id)
        else:
            remove_target(conn, found.id, now=door.clock())
    return Response(status_code=204)


@router.post("/targets/{name:path}/pause", responses=problem_responses(403, 404))
def post_pause(door: Context, name: Name) -> Target:
    """Collect nothing from a target until it is resumed."""
    _require_local(door)
    with door.store.transaction() as conn:
        pause_target(conn, target_named(conn, name).id, now=door.clock())
        return Target.model_validate(target_named(conn, name))


@router.post("/targets/{name:path}/resume", responses=problem_responses(403, 404))
def post_resume(door: Context, name: Name) -> Target:
    """Collect from a paused target again, and try a failing one at once."""
    _require_local(door)
    with door.store.transaction() as conn:
        resume_target(conn, target_named(conn, name).id)
        return Target.model_validate(target_named(conn, name))


def _schemas(found: Sequence[StoredTarget]) -> list[Target]:
    return [Target.model_validate(one) for one in found]


def _require_local(door: Door) -> None:
    if not is_loopback(door.settings.host):
        raise Forbidden(
            "targets are changed over HTTP only where pgadvisor listens on localhost",
            hint="Run `pgadvisor targets` on the machine of the store or of a worker.",
        )


def _require_harmless(dsn: str) -> None:
    """No password, no files, no sockets: see the module."""
    parts = pipeline.parts_of(dsn)
    if parts.get("password"):
        raise RequestInvalid(
            "dsn",
            "a DSN over HTTP carries no password",
            hint="Put it into ~/.pgpass or PGPASSWORD where the workers run.",
            place="body",
        )
    refused = sorted(parts.keys() - _ALLOWED)
    if refused:
        raise RequestInvalid(
            "dsn",
            f"not over HTTP: {', '.join(refused)}",
            hint="`pgadvisor targets add` takes every key.",
            place="body",
        )
    hosts = (parts.get("host") or parts.get("hostaddr") or "").split(",")
    if any(not host or host.startswith(("/", "@")) for host in hosts):
        raise RequestInvalid(
            "dsn",
            "over HTTP the host is a name or an address, not a socket",
            hint="`pgadvisor targets add` takes sockets too.",
            place="body",
        )
