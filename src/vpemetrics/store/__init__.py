"""What is known, kept in one database: `Store.open(path)`."""

from vpemetrics.store.store import Store

__all__ = ["Store"]
