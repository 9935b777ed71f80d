"""What an endpoint works with: the store, the settings and the clock of its application."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from pgadvisor.config import Settings
from pgadvisor.store import Store

__all__ = ["Context", "Door"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Handed to every endpoint; there is no global state."""

    store: Store
    settings: Settings
    clock: Callable[[], datetime]


def _door_of(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


Context = Annotated[Door, Depends(_door_of)]
