"""A bar on stderr that shows how far a step is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, int], None]
"""Takes how much is done and how much there is; the latter 0 where nobody knows."""


@contextmanager
def no_bar() -> Iterator[Advance]:
    """Shows nothing."""
    yield lambda _done, _total: None


@contextmanager
def bar(step: str) -> Iterator[Advance]:
    """A bar that appears with the first advance and is gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(step), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(step, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
