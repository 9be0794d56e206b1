"""Working hours: a clock that only runs from Monday to Friday, 08:00 to 18:00 UTC.

People write, review and merge on this clock; a draw on it, shown on the wall clock,
leaves nights and weekends empty without a rule for them.
Both clocks count seconds from Monday 1970-01-05.
"""

from datetime import UTC, date, datetime, timedelta

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
OPENS = 8 * HOUR
WORKING_DAY = 10 * HOUR
WORKING_WEEK = 5 * WORKING_DAY

_FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def wall(working: int) -> int:
    """The wall-clock second at which a working second passes."""
    weeks, within = divmod(working, WORKING_WEEK)
    days, seconds = divmod(within, WORKING_DAY)
    return weeks * WEEK + days * DAY + OPENS + seconds


def working(at: int) -> int:
    """The working second that passes at a wall-clock second; off hours, the one that comes next."""
    weeks, within = divmod(at, WEEK)
    days, seconds = divmod(within, DAY)
    if days >= 5:
        return (weeks + 1) * WORKING_WEEK
    elapsed = min(max(seconds - OPENS, 0), WORKING_DAY)
    return weeks * WORKING_WEEK + days * WORKING_DAY + elapsed


def next_morning(at: int) -> int:
    """Three o'clock of the night that follows a wall-clock second."""
    return (at // DAY + 1) * DAY + 3 * HOUR


def seconds_of(day: date) -> int:
    """Midnight UTC of a date, as a wall-clock second."""
    return (day - _FIRST_MONDAY.date()).days * DAY


def moment(at: int) -> datetime:
    """The wall-clock second as an aware moment."""
    return _FIRST_MONDAY + timedelta(seconds=at)


def second_of(moment: datetime) -> int:
    """The wall-clock second of an aware moment."""
    return (moment - _FIRST_MONDAY) // timedelta(seconds=1)
