"""Stretches of time: half-open ranges of dates in one time zone, and the instants they mean.

Weeks are ISO-8601 weeks, months and quarters calendar ones (rule W1).
An instant inside the program is a count of microseconds since 1970 in UTC (`Micros`);
`MISSING` stands for an unknown one in columns of numbers.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

Micros = int
Interval = tuple[Micros, Micros]
"""Half-open: the first instant is in, the second is out."""

MISSING: Final[Micros] = -(2**63)
SECOND: Final[Micros] = 1_000_000
MINUTE: Final[Micros] = 60 * SECOND
HOUR: Final[Micros] = 60 * MINUTE
DAY: Final[Micros] = 24 * HOUR

FIRST_YEAR: Final = 1990
"""The first year that anything is counted in: earlier ones, as 1 and 1970, stand for no time."""
LAST_YEAR: Final = 2999

CLOCK_DIFFERENCE: Final = timedelta(days=1)
"""The difference between two clocks that is nobody's mistake."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> Micros:
    """The moment as microseconds since 1970 in UTC. ValueError if it is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {moment.isoformat()}")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: Micros) -> datetime:
    """The aware UTC moment of a count of microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def known_instant(micros: Micros) -> datetime | None:
    """The UTC moment of an instant; None for MISSING."""
    return None if micros == MISSING else from_micros(int(micros))


def parse_instant(text: str) -> datetime:
    """The UTC moment an ISO-8601 text names. ValueError if malformed or without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {text!r}; write {moment.isoformat()}Z if it is UTC")
    return moment.astimezone(UTC)


def is_yet_to_come(moment: datetime, now: datetime) -> bool:
    """Tell whether a moment cannot be over; a day is allowed for, because clocks differ."""
    return moment > now + CLOCK_DIFFERENCE


def why_no_time(moment: datetime, now: datetime | None) -> str:
    """The reason why nothing can have happened at a moment by now; "" if it can.

    Tools write such moments for "never" and "not known", as those in Go do the year 1:
    https://pkg.go.dev/time#Time.IsZero
    """
    if moment.year < FIRST_YEAR:
        return f"is before {FIRST_YEAR}"
    return "is yet to come" if now and is_yet_to_come(moment, now) else ""


def merge_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in as few intervals as can be, in order: those that touch become one."""
    union: list[Interval] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def format_instant(moment: datetime) -> str:
    """The moment in UTC as ISO-8601 with a `Z`, fractions only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Period(StrEnum):
    """The length that a window is a whole one of."""

    DAYS = "days"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A half-open range of dates in a zone: `start` is in, `end` is out."""

    start: date
    end: date
    zone: str = "UTC"
    period: Period = Period.DAYS

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a window must end after it starts: {self.start} to {self.end}")

    @property
    def start_at(self) -> Micros:
        """The first instant in the window."""
        return midnight(self.start, self.zone)

    @property
    def end_at(self) -> Micros:
        """The first instant after the window."""
        return midnight(self.end, self.zone)

    @property
    def days(self) -> int:
        """The number of dates in the window."""
        return (self.end - self.start).days

    @property
    def weeks(self) -> float:
        """Its length in weeks of dates (a week over a change of clocks is one week)."""
        return self.days / 7

    @property
    def clipped(self) -> bool:
        """True of a week cut short by the window that it is a part of."""
        return self.period is Period.WEEK and self.days < 7

    @property
    def label(self) -> str:
        """`2026-W36`, `2026-09`, `2026-Q3`, or both dates of an arbitrary range."""
        match self.period:
            case Period.WEEK:
                year, week, _ = self.start.isocalendar()
                return f"{year}-W{week:02d}"
            case Period.MONTH:
                return f"{self.start:%Y-%m}"
            case Period.QUARTER:
                return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        return f"{self.start}..{self.end}"

    def __contains__(self, instant: Micros) -> bool:
        return self.start_at <= instant < self.end_at


@lru_cache(maxsize=4096)
def midnight(day: date, zone: str) -> Micros:
    """The first instant of a date in a zone; the earlier one where clocks show it twice."""
    return to_micros(datetime.combine(day, time(), ZoneInfo(zone)))


def date_of(instant: Micros, zone: str) -> date:
    """The calendar date of an instant in a zone."""
    return from_micros(instant).astimezone(ZoneInfo(zone)).date()


def week_of(day: date, zone: str = "UTC") -> Window:
    """The ISO week that holds a date."""
    monday = day - timedelta(days=day.weekday())
    return Window(start=monday, end=monday + timedelta(days=7), zone=zone, period=Period.WEEK)


def iso_year(day: date, later: int = 0) -> date:
    """The Monday with which the ISO year of a day begins, or one so many years later."""
    return date.fromisocalendar(day.isocalendar().year + later, 1, 1)


def month_of(day: date, zone: str = "UTC") -> Window:
    """The calendar month that holds a date."""
    start = day.replace(day=1)
    return Window(start=start, end=_next_month(start, 1), zone=zone, period=Period.MONTH)


def quarter_of(day: date, zone: str = "UTC") -> Window:
    """The calendar quarter that holds a date."""
    start = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return Window(start=start, end=_next_month(start, 3), zone=zone, period=Period.QUARTER)


def weeks_before(week: Window, count: int) -> Window:
    """The `count` weeks that end with this one, as one window."""
    if count == 1:
        return week
    return Window(start=week.end - timedelta(weeks=count), end=week.end, zone=week.zone)


def weeks_in(window: Window) -> Iterator[tuple[Window, bool]]:
    """Every ISO week that meets the window, in order, with True where it is clipped by it.

    A clipped week is cut to the window, so that the weeks add up to it.
    """
    week = week_of(window.start, window.zone)
    while week.start < window.end:
        start, end = max(week.start, window.start), min(week.end, window.end)
        clipped = (start, end) != (week.start, week.end)
        yield (
            (
                Window(start=start, end=end, zone=window.zone, period=Period.WEEK)
                if clipped
                else week
            ),
            clipped,
        )
        week = week_of(week.end, window.zone)


def previous(window: Window) -> Window:
    """The window of the same kind just before (a month before a month, as many days else)."""
    day_before = window.start - timedelta(days=1)
    match window.period:
        case Period.WEEK:
            return week_of(day_before, window.zone)
        case Period.MONTH:
            return month_of(day_before, window.zone)
        case Period.QUARTER:
            return quarter_of(day_before, window.zone)
    return Window(
        start=window.start - timedelta(days=window.days), end=window.start, zone=window.zone
    )


_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE)


def parse_week(text: str, zone: str = "UTC") -> Window:
    """The week `2026-W36` names. ValueError says what was expected."""
    if match := _WEEK.fullmatch(text):
        return week_of(date.fromisocalendar(int(match[1]), int(match[2]), 1), zone)
    raise ValueError(f"{text!r} is no ISO week; expected one like 2026-W36")


def parse_month(text: str, zone: str = "UTC") -> Window:
    """The month `2026-09` names. ValueError says what was expected."""
    if match := _MONTH.fullmatch(text):
        return month_of(date(int(match[1]), int(match[2]), 1), zone)
    raise ValueError(f"{text!r} is no month; expected one like 2026-09")


def parse_quarter(text: str, zone: str = "UTC") -> Window:
    """The quarter `2026-Q3` names. ValueError says what was expected."""
    if match := _QUARTER.fullmatch(text):
        return quarter_of(date(int(match[1]), 3 * int(match[2]) - 2, 1), zone)
    raise ValueError(f"{text!r} is no quarter; expected one like 2026-Q3")


def _next_month(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
