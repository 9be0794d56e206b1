"""Events that are still to happen in a repository, soonest first."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from vpemetrics.records import AnyRecord

Action = Callable[[int], Iterator[AnyRecord]]


class EventQueue:
    """Events known from the start, and those that follow from what happens."""

    def __init__(self, times: Sequence[int], routine: Action) -> None:
        self._times = sorted(times)
        self._routine = routine
        self._later: list[tuple[int, int, Action]] = []
        self._order = count()

    def later(self, at: int, action: Action) -> None:
        """Add what is to happen at a wall-clock second."""
        heapq.heappush(self._later, (at, next(self._order), action))

    def run(self, ends_at: int) -> Iterator[AnyRecord]:
        """The records of everything in the queue; what follows after the end is dropped."""
        for at in self._times:
            yield from self._run_later(min(at, ends_at))
            yield from self._routine(at)
        yield from self._run_later(ends_at)

    def _run_later(self, until: int) -> Iterator[AnyRecord]:
        while self._later and self._later[0][0] < until:
            at, _, action = heapq.heappop(self._later)
            yield from action(at)
