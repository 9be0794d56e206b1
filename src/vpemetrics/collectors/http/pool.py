"""Several targets at once: threads collect them, and one thread gets what they found."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final, Generic, TypeVar

from vpemetrics.collectors.base import Batch, never
from vpemetrics.errors import Stopped

AT_ONCE: Final = 8
"""Targets that are collected at a time.

GitHub allows a hundred requests at once:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""
_AHEAD: Final = 16
"""Batches that wait for being saved at most."""
_PATIENCE_S: Final = 0.2

Target = TypeVar("Target")


@dataclass(frozen=True, kw_only=True)
class Done(Generic[Target]):
    """A target is done with; `error` is why before its end, if it was."""

    target: Target
    error: Exception | None


class Pool(Generic[Target]):
    """Collects targets in a few threads; what `collect` does with one runs in one thread."""

    def __init__(
        self,
        targets: Sequence[Target],
        collect: Callable[[Target], Iterable[Batch]],
        *,
        at_once: int = AT_ONCE,
        stop: Callable[[], bool] = never,
    ) -> None:
        """Begin nothing yet; nothing is begun or gone on with any more once `stop` says so."""
        self._todo: Queue[Target] = Queue()
        for target in targets:
            self._todo.put(target)
        self._of = len(targets)
        self._collect = collect
        self._at_once = min(at_once, self._of)
        self._stop = stop
        self._found: Queue[Batch | Done[Target] | None] = Queue(maxsize=_AHEAD)
        self._left = Event()

    def results(self) -> Generator[Batch | Done[Target], None, None]:
        """Return what they find, and which of them are done, as it comes.

        Neighbouring batches come as one, which is saved in a fraction of the time.
        """
        threads = [Thread(target=self._run, daemon=True) for _ in range(self._at_once)]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                found = list(self._waiting())
                running -= found.count(None)
                yield from _together(result for result in found if result is not None)
        finally:
            self._left.set()
            _empty(self._found)
            for thread in threads:
                thread.join()

    def _waiting(self) -> Iterator[Batch | Done[Target] | None]:
        """Return what was found so far, at least one; None is a thread that ended."""
        yield self._found.get()
        with suppress(Empty):
            for _ in range(_AHEAD):
                yield self._found.get_nowait()

    def _run(self) -> None:
        while not self._left.is_set() and not self._stop():
            try:
                target = self._todo.get_nowait()
            except Empty:
                break
            error: Exception | None = None
            try:
                self._hand_over(self._until_stopped(self._collect(target)))
            except Stopped:
                break
            except Exception as reason:  # it is raised again where the results are read
                error = reason
            self._hand_over([Done(target=target, error=error)])
        self._hand_over([None])

    def _until_stopped(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield batch
            if self._stop():
                return

    def _hand_over(self, found: Iterable[Batch | Done[Target] | None]) -> None:
        for result in found:
            while not self._left.is_set():
                try:
                    self._found.put(result, timeout=_PATIENCE_S)
                    break
                except Full:
                    continue
            if self._left.is_set():
                return


def _together(
    found: Iterable[Batch | Done[Target]],
) -> Iterator[Batch | Done[Target]]:
    """Return the same with neighbouring batches as one."""
    waiting: list[Batch] = []
    for result in found:
        if isinstance(result, Batch):
            waiting.append(result)
            continue
        if waiting:
            yield _as_one(waiting)
            waiting.clear()
        yield result
    if waiting:
        yield _as_one(waiting)


def _as_one(batches: Sequence[Batch]) -> Batch:
    """Return all of their records, and how far the last of each scope has come."""
    return Batch(
        records=[record for batch in batches for record in batch.records],
        columns=[columns for batch in batches for columns in batch.columns],
        cursors={scope: at for batch in batches for scope, at in batch.cursors.items()},
    )


def _empty(queue: Queue[Batch | Done[Target] | None]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
