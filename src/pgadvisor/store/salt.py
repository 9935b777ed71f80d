"""The secret that values are hashed with: made once per store, never shown."""

import secrets

from pgadvisor.store.connection import Connection

__all__ = ["load_salt"]

_SALT_BYTES = 32


def load_salt(conn: Connection) -> bytes:
    """The store's salt; the first to ask makes it, and of several only one does.

    It is no secret of the database's owner: docs/privacy.md says what it protects from.
    """
    conn.execute(
        "insert into parameter_salt values (%s, now()) on conflict do nothing",
        [secrets.token_bytes(_SALT_BYTES)],
    )
    row = conn.execute("select salt from parameter_salt").fetchone()
    assert row is not None  # inserted above, or by another who has committed since
    return bytes(row[0])
