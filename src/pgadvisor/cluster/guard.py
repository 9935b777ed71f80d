"""Stops a cluster when its last user is gone, however it went.

Every process that uses a cluster holds a shared lock on its ``users.lock``; the kernel drops it
when the process ends, by exit or by kill -9. This program waits for the exclusive lock, which
it gets once nobody is left, then stops the server and removes a temporary cluster. It runs as
a plain script with nothing but the standard library, so that it stays small.

usage: guard.py DIRECTORY PG_CTL UID GID MODE TEMPORARY SOCKET_DIR
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time

_REMOVE_SECONDS = 60


def main() -> None:
    """Wait, stop, remove."""
    directory, pg_ctl, uid, gid, mode, temporary, socket_dir = sys.argv[1:]
    if os.fork():
        os._exit(0)
    os.setsid()  # no Ctrl-C and no closing terminal reaches it
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    guard_lock = os.open(os.path.join(directory, "guard.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(guard_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        users_lock = os.open(os.path.join(directory, "users.lock"), os.O_RDWR)
        fcntl.flock(users_lock, fcntl.LOCK_EX)
        stop = [pg_ctl, "stop", "-D", os.path.join(directory, "data"), "-m", mode, "-t", "60"]
        _stop(directory, stop, int(uid), int(gid))
        deadline = time.monotonic() + _REMOVE_SECONDS
        while temporary == "yes" and os.path.exists(directory) and time.monotonic() < deadline:
            # more than once where its process was killed while initdb or pg_ctl wrote into it
            _stop(directory, stop, int(uid), int(gid))
            shutil.rmtree(directory, ignore_errors=True)
            shutil.rmtree(socket_dir, ignore_errors=True)  # elsewhere when the path was long
            time.sleep(0.1)
        # in this order: whoever gets users.lock next must find guard.lock free
        os.close(guard_lock)
        os.close(users_lock)


def _stop(directory: str, command: list[str], uid: int, gid: int) -> None:
    if not os.path.exists(os.path.join(directory, "data", "postmaster.pid")):
        return
    is_root = os.getuid() == 0
    subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        user=uid if is_root else None,
        group=gid if is_root else None,
    )


if __name__ == "__main__":
    main()
