"""pgadvisor mask-history: mask the values that the store holds already."""

from rich.status import Status

from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, errors, now, print_json
from pgadvisor.config import load_settings
from pgadvisor.pipeline.mask_stored import mask_stored
from pgadvisor.store import open_store

__all__ = ["mask_history"]


def mask_history(as_json: Json = False) -> None:
    """Mask values of statements, plans and parameters that the store already holds.

    For a store filled with PGADVISOR_PARAMETERS=keep, or before values were masked; needed once.
    """
    settings = load_settings()
    with open_store(settings, now=now()) as store, Status("masking", console=errors) as shown:
        changed = mask_stored(store, lambda table: shown.update(f"masking {table}"))
    if as_json:
        print_json({"rows_changed": changed})
        return
    for table, rows in changed.items():
        console.print(f"{table}: {rows:,} rows changed")
    console.print("old row versions go with the next VACUUM of these tables; backups keep them")
