"""The store: all that is known, in one database: `Store.open(path)`."""

from vpemetrics.store.store import Store, upgrade

__all__ = ["Store", "upgrade"]
