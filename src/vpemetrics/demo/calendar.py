"""The days of a made-up history on the calendar of those who look at it.

A history is made up by the clock on the wall and with dates of its own. It is moved by whole
weeks, so that its weekdays stay, and put into the organisation's zone day by day, so that work
begins at the same hour whatever season it comes to. The rare day on which clocks change is
stretched over its 23 or 25 hours, so that nothing changes places and no hour is missing.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Self, get_args, get_type_hints

from vpemetrics.records import RECORD_TYPES, AnyRecord
from vpemetrics.window import from_micros, midnight

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Moves a history by so many weeks, into a zone."""

    zone: str
    weeks: int
    _shifts: dict[date, timedelta] = field(default_factory=dict, repr=False)

    @classmethod
    def ending(cls, ends: date, *, before: date, zone: str) -> Self:
        """End a history that ends on a Monday with the last complete week before a day."""
        return cls(zone=zone, weeks=(before - ends).days // 7)

    def day(self, day: date) -> date:
        """Return the date to which one of the history comes."""
        return day + timedelta(weeks=self.weeks)

    def moment(self, at: datetime) -> datetime:
        """Return the moment to which one of the history comes, whose UTC is the clock's time."""
        shift = self._shifts.get(at.date())
        return self._stretched(at) if shift is None else at + shift

    def record(self, record: AnyRecord) -> AnyRecord:
        """Return the record with all its moments moved."""
        moments = {
            name: self.moment(at)
            for name in _moments_of(record.KIND)
            if (at := getattr(record, name)) is not None
        }
        return replace(record, **moments)  # type: ignore[arg-type] # each is of a record's own

    def _stretched(self, at: datetime) -> datetime:
        """The moment on a day that may be longer or shorter; how an ordinary one moves is kept."""
        day = at.date()
        moved, midnight_then = self.day(day), datetime.combine(day, time(), UTC)
        begin, end = (from_micros(midnight(one, self.zone)) for one in (moved, moved + DAY))
        if end - begin == DAY:
            self._shifts[day] = begin - midnight_then
        passed = (at - midnight_then) * ((end - begin) / DAY)
        return begin + timedelta(seconds=round(passed.total_seconds()))


@cache
def _moments_of(kind: str) -> tuple[str, ...]:
    """The names of the fields that are moments."""
    types = get_type_hints(RECORD_TYPES[kind])
    return tuple(name for name, found in types.items() if datetime in (found, *get_args(found)))
