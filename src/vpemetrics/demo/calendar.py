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
    _days: dict[date, tuple[datetime, timedelta]] = field(default_factory=dict, repr=False)

    @classmethod
    def ending(cls, ends: date, *, before: date, zone: str) -> Self:
        """End a history that ends on a Monday with the last complete week before a day."""
        return cls(zone=zone, weeks=(before - ends).days // 7)

    def day(self, day: date) -> date:
        """Return the date to which one of the history comes."""
        return day + timedelta(weeks=self.weeks)

    def moment(self, at: datetime) -> datetime:
        """Return the moment to which one of the history comes, whose UTC is the clock's time."""
        day = at.date()
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._bounds(day)
        begin, length = known
        passed = at - datetime.combine(day, time(), UTC)
        return begin + (passed if length == DAY else _whole_seconds(passed * (length / DAY)))

    def record(self, record: AnyRecord) -> AnyRecord:
        """Return the record with all its moments moved."""
        moments = {
            name: self.moment(at)
            for name in _moments_of(record.KIND)
            if (at := getattr(record, name)) is not None
        }
        return replace(record, **moments)  # type: ignore[arg-type] # each is of a record's own

    def _bounds(self, day: date) -> tuple[datetime, timedelta]:
        """The begin of the day to which one of the history comes, and its length."""
        moved = self.day(day)
        begin, end = (from_micros(midnight(one, self.zone)) for one in (moved, moved + DAY))
        return begin, end - begin


@cache
def _moments_of(kind: str) -> tuple[str, ...]:
    """The names of the fields that are moments."""
    types = get_type_hints(RECORD_TYPES[kind])
    return tuple(name for name, found in types.items() if datetime in (found, *get_args(found)))


def _whole_seconds(length: timedelta) -> timedelta:
    return timedelta(seconds=round(length.total_seconds()))
