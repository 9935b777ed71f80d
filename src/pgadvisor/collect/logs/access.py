"""Why a log cannot be read, with the command that mends it."""

import grp
import os
import pwd
import shlex
from pathlib import Path

from pgadvisor.errors import LogUnreadable

__all__ = ["unreadable"]


def unreadable(path: Path, exc: OSError) -> LogUnreadable:
    """The error to raise for an `OSError` that `path`, a log file or directory, gave."""
    if isinstance(exc, PermissionError):
        return LogUnreadable(
            f"{path} cannot be read by user {_user()}", hint=f"Run: {_remedy(path)}"
        )
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return LogUnreadable(
            f"{path} does not exist on this machine",
            hint="Run pgadvisor on the machine of the server, or mount its log directory here "
            "at the same path.",
        )
    return LogUnreadable(
        f"{path} cannot be read: {exc.strerror or exc}",
        hint=f"Check the file system: sudo ls -la {shlex.quote(str(path))}",
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _remedy(path: Path) -> str:
    blocker = _blocker(path)
    group = _group_that_may(blocker)
    if group is not None:
        return f"sudo usermod -aG {shlex.quote(group)} {shlex.quote(_user())} (then log in again)"
    # behind a closed door only the name tells a file from a directory
    is_file = os.path.isfile(path) or path.suffix in (".log", ".json", ".csv")
    directory = path.parent if is_file else path
    user = shlex.quote(_user())
    # PostgreSQL accepts this: it refuses a data directory that its group may write or others read
    closed = [parent for parent in reversed(directory.parents) if _is_at_or_below(parent, blocker)]
    enter = f"sudo setfacl -m u:{user}:x {_quoted(closed)} && " if closed else ""
    return f"{enter}sudo setfacl -R -m u:{user}:rX,d:u:{user}:rX {_quoted([directory])}"


def _blocker(path: Path) -> Path:
    """The first part of a path that does not let us through."""
    for parent in reversed(path.parents):
        if not os.access(parent, os.X_OK, effective_ids=True):
            return parent
    return path


def _group_that_may(blocker: Path) -> str | None:
    """The group that may read, where joining it would do: Debian's adm for its log files."""
    try:
        status = blocker.stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return None
    needed = 0o050 if os.path.isdir(blocker) else 0o040
    is_member = status.st_gid in (os.getegid(), *os.getgroups())
    if status.st_mode & needed != needed or is_member or status.st_gid == 0:
        return None
    return group


def _is_at_or_below(path: Path, blocker: Path) -> bool:
    return path == blocker or blocker in path.parents


def _quoted(paths: list[Path]) -> str:
    return " ".join(shlex.quote(str(path)) for path in paths)
