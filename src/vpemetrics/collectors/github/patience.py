"""How long limits are waited for, who is told meanwhile, and by which clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(_text: str) -> None:
    """Nobody listens."""


def _never() -> bool:
    """Nobody stops it."""
    return False


def _unseen(_left: timedelta) -> None:
    """Nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long one waits for GitHub, and who is told.

    A limit is waited for up to `max_wait`, one answer up to `answer_time`. `announce` hears of
    a wait once, with its end; `countdown` every second how much is left, at last zero. `stop`
    is asked every second whether to give up. `sleep` has to let the time of `clock` pass.
    """

    max_wait: timedelta = timedelta(hours=1)
    answer_time: timedelta = timedelta(seconds=30)
    announce: Callable[[str], None] = _unheard
    countdown: Callable[[timedelta], None] = _unseen
    stop: Callable[[], bool] = _never
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
