"""pgadvisor migrate: bring the store's schema to this version."""

from pgadvisor.cli.options import Json
from pgadvisor.cli.output import console, now, print_json
from pgadvisor.config import load_settings
from pgadvisor.store import open_store
from pgadvisor.store.migrate import migrations, status

__all__ = ["migrate"]


def migrate(as_json: Json = False) -> None:
    """Apply the missing migrations to the store, all of them or none."""
    settings = load_settings()
    with open_store(settings, now=now(), upgrade=True) as store:
        with store.transaction() as conn:
            applied = status(conn)
        description = store.description
    names = [f"{migration.version:03d}_{migration.name}" for migration in migrations()]
    if as_json:
        print_json({"store": description, "version": max(applied), "migrations": names})
        return
    console.print(f"store {description} is at migration {max(applied):03d}")
