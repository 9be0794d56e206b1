"""The requests that one collection may make, by all clients and threads together."""

from threading import Event, Lock


class BudgetExhausted(Exception):
    """The collection is to end here; what was saved stands, and the next one goes on."""


class Budget:
    """At most so many requests, and none once it is stopped.

    Clients that share it note every request that they send, tries again included, and `check`
    before each thing they are asked for.
    """

    def __init__(self, most: int | None = None) -> None:
        """Allow so many requests; None allows any number."""
        self._most = most
        self._requests = 0
        self._lock = Lock()
        self._stopped = Event()

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        with self._lock:
            return self._requests

    @property
    def is_reached(self) -> bool:
        """True if all that may be asked was asked."""
        return self._most is not None and self.requests >= self._most

    @property
    def stopped(self) -> bool:
        """True if somebody wants no more to be asked."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let nothing more be asked."""
        self._stopped.set()

    def note(self) -> None:
        """Count a request."""
        with self._lock:
            self._requests += 1

    def check(self) -> None:
        """Raise BudgetExhausted if nothing more may be asked."""
        if self.stopped or self.is_reached:
            raise BudgetExhausted
