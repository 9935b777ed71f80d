"""The history: the only importer of the store's schema.

`open_store` gives a `Store`; the modules beside it read and write one kind of thing each, and
take a connection from `Store.transaction`.
"""

from pgadvisor.store.connection import Connection, Store, open_store

__all__ = ["Connection", "Store", "open_store"]
