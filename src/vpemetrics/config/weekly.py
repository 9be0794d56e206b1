"""A moment that comes every week, as the configuration names it: `mon 06:00`."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MOMENT: Final = re.compile(rf"({'|'.join(DAYS)}) +([01]?\d|2[0-3]):([0-5]\d)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """A weekday and what the clocks show then; in which zone, others know."""

    weekday: int
    """0 is Monday, as it is to `datetime.date`."""
    at: time

    def __str__(self) -> str:
        return f"{DAYS[self.weekday]} {self.at:%H:%M}"


def parse_weekly(text: str) -> Weekly:
    """The moment that a weekday by name and a time stand for. ValueError for anything else."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no weekday with a time, as in 'mon 06:00'")
    day, hour, minute = found.groups()
    return Weekly(weekday=DAYS.index(day.lower()), at=time(int(hour), int(minute)))
