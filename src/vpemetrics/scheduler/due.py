"""The moments at which things are due, from what was done last: arithmetic without a clock.

Every moment is aware and in UTC; the zone is where the organisation's clocks are.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from vpemetrics.config.weekly import Weekly
from vpemetrics.window import (
    CLOCK_DIFFERENCE,
    Window,
    from_micros,
    is_yet_to_come,
    previous,
    week_of,
)


def last_moment(weekly: Weekly, zone: str, now: datetime) -> datetime:
    """The last moment of its kind, now included."""
    today = now.astimezone(ZoneInfo(zone)).date()
    # Where clocks are turned, a moment of tomorrow's date may be over, or one of today's ahead.
    days = (today + timedelta(days=1 - ago) for ago in range(10))
    return next(at for day in days if (at := _on(weekly, zone, day)) and at <= now)


def next_moment(weekly: Weekly, zone: str, now: datetime) -> datetime:
    """The first moment of its kind after now."""
    today = now.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=ahead - 1) for ahead in range(10))
    return next(at for day in days if (at := _on(weekly, zone, day)) and at > now)


def reported_week(moment: datetime, zone: str) -> Window:
    """The week that a report of this moment is about: the last that was over by then."""
    return previous(week_of(moment.astimezone(ZoneInfo(zone)).date(), zone))


def last_week(zone: str, now: datetime) -> Window:
    """The last week that may be over, by whichever clock."""
    return reported_week(now + CLOCK_DIFFERENCE, zone)


def next_collection(
    asked: datetime | None, every: timedelta, report: Weekly, zone: str, now: datetime
) -> datetime:
    """The moment to ask a source that was asked last at some other, or never (None).

    An interval after the last time; at once if that is over. Sooner where a report would
    otherwise lack the end of its week.
    """
    if asked is None or is_yet_to_come(asked, now):
        return now
    asked = min(asked, now)  # by a clock that was a little ahead
    wanted = [asked + every]
    for moment in (last_moment(report, zone, now), next_moment(report, zone, now)):
        if asked < end_of(reported_week(moment, zone)):
            wanted.append(moment)
    return max(min(wanted), now)


def end_of(week: Window) -> datetime:
    """The first moment after a week."""
    return from_micros(week.end_at)


def _on(weekly: Weekly, zone: str, day: date) -> datetime | None:
    """The moment of a date; None on other weekdays.

    A time that the clocks skip comes later by what they skip; of two the first counts.
    """
    if day.weekday() != weekly.weekday:
        return None
    return datetime.combine(day, weekly.at, ZoneInfo(zone)).astimezone(UTC)
