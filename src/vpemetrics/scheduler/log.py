"""Who hears what comes of a schedule's jobs; the words are the listener's own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vpemetrics.usecases.collecting import Collected
from vpemetrics.window import Window


class Listener(Protocol):
    """Is told by any thread, after each job and of whatever people should know."""

    def collected(self, result: Collected, again_at: datetime) -> None:
        """A source was collected, well or in vain."""

    def warned(self, source: str, text: str) -> None:
        """A source says what a person should know."""

    def wrote(self, week: Window, path: Path, seconds: float, failing: Mapping[str, str]) -> None:
        """A report was written, without the news of sources that fail (name to error)."""

    def waits(self, week: Window, sources: Sequence[str], until: datetime) -> None:
        """A due report waits for sources to be collected, until some moment at most."""

    def lacks(self, week: Window, collected_until: datetime) -> None:
        """A due report waits for data that reaches the end of its week."""

    def passes_over(self, week: Window) -> None:
        """A report will not be written, because nothing was collected of its week."""

    def failed(self, job: str, error: Exception) -> None:
        """A job ended with an error; it is tried again."""

    def stopped(self, job: str) -> None:
        """A job was stopped before its end."""

    def changed(self, path: Path) -> None:
        """The configuration is not what the schedule goes by any more."""
