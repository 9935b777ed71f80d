"""Opaque cursors: where a page of a list ended, bound to the list it came from."""

import base64
import binascii
import hashlib
import json
from typing import Any

from pgadvisor.api.problems import CursorInvalid

__all__ = ["decode_cursor", "encode_cursor"]

_DIGEST_BYTES = 8


def encode_cursor(purpose: str, position: list[Any]) -> str:
    """A cursor for a position; `purpose` names the list and its filters.

    >>> decode_cursor("queries", encode_cursor("queries", [12.5, -7]))
    [12.5, -7]
    """
    body = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(purpose, body) + body).rstrip(b"=").decode()


def decode_cursor(purpose: str, cursor: str) -> list[Any]:
    """The position in a cursor. Raises `CursorInvalid` for one that was not made for this list.

    The digest is no secret: it finds mistakes. A forged position only shows another page.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _invalid() from exc
    digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if digest != _digest(purpose, body):
        raise _invalid()
    position: list[Any] = json.loads(body)
    return position


def _invalid() -> CursorInvalid:
    return CursorInvalid(
        "the cursor is not one of this list",
        hint="Use next_cursor of the page before, with the same filters, or leave it out.",
    )


def _digest(purpose: str, body: bytes) -> bytes:
    return hashlib.blake2b(purpose.encode() + b"\0" + body, digest_size=_DIGEST_BYTES).digest()
