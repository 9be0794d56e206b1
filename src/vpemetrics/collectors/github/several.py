"""Several repositories at once: threads ask, and one thread gets what they found."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final

from vpemetrics.collectors.base import Batch
from vpemetrics.collectors.github.repository_collector import RepositoryCollector

AT_ONCE: Final = 8
"""How many are collected at a time; GitHub allows a hundred requests at once."""
_AHEAD: Final = 16
"""How many batches wait for being saved at most."""
_PATIENCE: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Done:
    """A repository is done with; `end` is why before its end, if it was."""

    work: RepositoryCollector
    end: Exception | None


class Several:
    """Collects repositories in a few threads."""

    def __init__(self, works: Sequence[RepositoryCollector]) -> None:
        """Nothing has begun yet."""
        self._todo: Queue[RepositoryCollector] = Queue()
        for work in works:
            self._todo.put(work)
        self._of = len(works)
        self._found: Queue[Batch | Done] = Queue(maxsize=_AHEAD)
        self._left = Event()

    def results(self) -> Iterator[Batch | Done]:
        """What they find, and which of them are done, as it comes."""
        threads = [Thread(target=self._run, daemon=True) for _ in range(min(AT_ONCE, self._of))]
        for thread in threads:
            thread.start()
        done = 0
        try:
            while done < self._of:
                for found in _together(self._waiting()):
                    done += isinstance(found, Done)
                    yield found
        finally:
            self._left.set()
            _empty(self._found)
            for thread in threads:
                thread.join()

    def _waiting(self) -> Iterator[Batch | Done]:
        """What was found so far, at least one."""
        yield self._found.get()
        with suppress(Empty):
            for _ in range(_AHEAD):
                yield self._found.get_nowait()

    def _run(self) -> None:
        while not self._left.is_set():
            try:
                work = self._todo.get_nowait()
            except Empty:
                return
            end: Exception | None = None
            try:
                self._hand_over(work.batches())
            except Exception as reason:  # it is raised again where the results are read
                end = reason
            self._hand_over([Done(work=work, end=end)])

    def _hand_over(self, found: Iterable[Batch | Done]) -> None:
        for one in found:
            while not self._left.is_set():
                try:
                    self._found.put(one, timeout=_PATIENCE)
                    break
                except Full:
                    continue
            if self._left.is_set():
                return


def _together(found: Iterable[Batch | Done]) -> Iterator[Batch | Done]:
    """The same with neighbouring batches as one, which is saved in a fraction of the time."""
    waiting: list[Batch] = []
    for one in found:
        if isinstance(one, Batch):
            waiting.append(one)
            continue
        if waiting:
            yield _as_one(waiting)
            waiting.clear()
        yield one
    if waiting:
        yield _as_one(waiting)


def _as_one(batches: Sequence[Batch]) -> Batch:
    """All of their records, and how far the last of each scope has come."""
    return Batch(
        records=[record for one in batches for record in one.records],
        cursors={scope: at for one in batches for scope, at in one.cursors.items()},
    )


def _empty(queue: Queue[Batch | Done]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
