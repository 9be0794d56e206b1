"""A listener to a schedule that remembers what it was told."""

import time
from collections.abc import Callable
from typing import Any

from subprocesses import PATIENCE


class Heard:
    """The calls that came, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *said: self.told.append((name, said))

    def hears(self, name: str, times: int = 1) -> tuple[Any, ...]:
        """What came with the latest of so many calls."""
        deadline = time.monotonic() + PATIENCE
        while len(found := [said for told, said in self.told if told == name]) < times:
            assert time.monotonic() < deadline, self.told
            time.sleep(0.01)
        return found[-1]

    def count(self, name: str) -> int:
        """How often something was told so far."""
        return [told for told, _ in self.told].count(name)
