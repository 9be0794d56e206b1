"""Asking within bounds: a collection ends after so many requests, or when it is told to."""

from collections.abc import Mapping
from threading import Event
from typing import Any

from vpemetrics.collectors.github.client import Access, Answer, Client


class Enough(Exception):
    """The collection is to end here; what was saved stands, and the next one goes on."""


class Bounds:
    """How much may be asked in one collection, all threads together."""

    def __init__(self, access: Access, most: int | None) -> None:
        """At most so many requests from now on; None for any number."""
        self._access = access
        self._most = most
        self._before = access.spent.requests
        self._stopped = Event()

    @property
    def requests(self) -> int:
        """How many requests were made since."""
        return self._access.spent.requests - self._before

    @property
    def is_reached(self) -> bool:
        """Whether all that may be asked was asked."""
        return self._most is not None and self.requests >= self._most

    @property
    def stopped(self) -> bool:
        """Whether somebody wants no more to be asked."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Lets nothing more be asked."""
        self._stopped.set()

    def check(self) -> None:
        """Enough if nothing more may be asked."""
        if self.stopped or self.is_reached:
            raise Enough


class Asking:
    """A client that asks within bounds; every method may raise Enough."""

    def __init__(self, client: Client, bounds: Bounds) -> None:
        self._client = client
        self._bounds = bounds

    def query(self, text: str, variables: Mapping[str, Any], *, halves: bool = False) -> Answer:
        """As `Client.query`."""
        self._bounds.check()
        return self._client.query(text, variables, halves=halves)

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """As `Client.get`."""
        self._bounds.check()
        return self._client.get(path, parameters)
