"""A bar on stderr that shows how far a step is, what it waits for and for how long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from vpemetrics.hidden_characters import reveal_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Advance = Callable[[int, int], None]
"""Takes how much is done and how much there is; the latter 0 where nobody knows."""


class Shown(Protocol):
    """The news of a step for a person while it goes on; itself an `Advance`."""

    def __call__(self, done: int, total: int, /) -> None:
        """Show how much is done of how much; 0 of what nobody knows."""

    def say(self, text: str) -> None:
        """Say something on a line of its own, at once."""

    def count_down(self, left: timedelta) -> None:
        """Show how long one still waits; nothing left ends it."""


class NoBar:
    """No bar at all; what is said goes to a function."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def __call__(self, done: int, total: int, /) -> None:
        """Show nothing."""

    def count_down(self, left: timedelta) -> None:
        """Show nothing: what was said names the end."""


class Bar:
    """A bar of rich's, and lines above it."""

    def __init__(self, progress: "Progress", task: "TaskID", step: str) -> None:
        self._progress = progress
        self._task = task
        self._step = step

    def __call__(self, done: int, total: int, /) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total or None)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(
            reveal_line(text), markup=False, highlight=False, soft_wrap=True
        )

    def count_down(self, left: timedelta) -> None:
        """Show the time left beside the step's name."""
        seconds = round(left.total_seconds())
        waiting = f" (waiting {timedelta(seconds=seconds)})" if seconds else ""
        self._progress.update(self._task, description=f"{self._step}{waiting}")


@contextmanager
def bar(step: str) -> Iterator[Bar]:
    """A bar that appears with the first advance and is gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    step = reveal_line(step)
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, progress.add_task(step, total=None), step)
