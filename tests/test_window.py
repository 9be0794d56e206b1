"""Weeks, months and quarters in a zone, over year ends and changes of clocks."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpemetrics.window import (
    HOUR,
    SECOND,
    Interval,
    Period,
    Window,
    date_of,
    format_instant,
    from_micros,
    merge_intervals,
    midnight,
    month_of,
    parse_instant,
    parse_month,
    parse_quarter,
    parse_week,
    previous,
    quarter_of,
    to_micros,
    week_of,
    weeks_before,
    weeks_in,
)

ZONES = ("UTC", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe")
dates = st.dates(date(2005, 1, 1), date(2037, 12, 31))


@pytest.mark.parametrize(
    ("day", "label", "monday"),
    [
        ("2026-09-05", "2026-W36", "2026-08-31"),
        ("2026-08-31", "2026-W36", "2026-08-31"),  # Monday is the first day
        ("2026-09-06", "2026-W36", "2026-08-31"),  # Sunday the last
        ("2021-01-03", "2020-W53", "2020-12-28"),  # January in the old year's 53rd week
        ("2020-12-31", "2020-W53", "2020-12-28"),
        ("2021-01-04", "2021-W01", "2021-01-04"),
        ("2024-12-30", "2025-W01", "2024-12-30"),  # December in the new year's first
        ("2026-12-31", "2026-W53", "2026-12-28"),
        ("2025-12-28", "2025-W52", "2025-12-22"),  # a year of 52 weeks
    ],
)
def test_a_week_is_the_iso_week(day: str, label: str, monday: str) -> None:
    week = week_of(date.fromisoformat(day))

    assert (week.label, week.start.isoformat(), week.days) == (label, monday, 7)
    assert parse_week(label) == week


@pytest.mark.parametrize(
    ("zone", "week", "hours"),
    [
        ("UTC", "2026-W13", 168),
        ("Europe/Dublin", "2026-W13", 167),  # clocks go forward on Sunday 29 March
        ("Europe/Dublin", "2026-W14", 168),
        ("Europe/Dublin", "2026-W43", 169),  # and back on Sunday 25 October
        ("America/New_York", "2026-W10", 167),  # 8 March
        ("America/New_York", "2026-W44", 169),  # 1 November
        ("Australia/Lord_Howe", "2026-W40", 167.5),  # by half an hour
        ("Asia/Kolkata", "2026-W13", 168),
    ],
)
def test_a_week_over_a_change_of_clocks_is_one_week_of_other_length(
    zone: str, week: str, hours: float
) -> None:
    found = parse_week(week, zone)

    assert (found.end_at - found.start_at) / HOUR == hours
    assert found.weeks == 1


@pytest.mark.parametrize(
    ("zone", "day", "first_instant"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00Z"),
        ("Europe/Dublin", "2026-03-29", "2026-03-29T00:00:00Z"),
        ("Europe/Dublin", "2026-03-30", "2026-03-29T23:00:00Z"),
        ("America/New_York", "2026-11-02", "2026-11-02T05:00:00Z"),
        # Clocks went from 24:00 to 01:00: the day began at one.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00Z"),
        # Clocks go from 01:00 back to 00:00: midnight comes twice, the first counts.
        ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        # Clocks went from 24:00 back to 23:00: midnight comes once, an hour later.
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
    ],
)
def test_a_day_begins_with_its_first_instant(zone: str, day: str, first_instant: str) -> None:
    start = midnight(date.fromisoformat(day), zone)

    assert format_instant(from_micros(start)) == first_instant
    assert date_of(start, zone).isoformat() == day
    assert date_of(start - 1, zone).isoformat() < day


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2026-08-31T00:00:00+01:00", True),
        ("2026-08-30T23:59:59.999999+01:00", False),
        ("2026-09-06T23:59:59.999999+01:00", True),
        ("2026-09-07T00:00:00+01:00", False),
        ("2026-08-30T23:30:00Z", True),  # half past midnight in Dublin
        ("2026-09-06T23:30:00Z", False),
    ],
)
def test_the_start_is_in_and_the_end_is_out(instant: str, inside: bool) -> None:
    week = parse_week("2026-W36", "Europe/Dublin")

    assert (to_micros(parse_instant(instant)) in week) is inside


@pytest.mark.parametrize(
    ("day", "month", "quarter"),
    [
        ("2026-09-30", "2026-09", "2026-Q3"),
        ("2026-10-01", "2026-10", "2026-Q4"),
        ("2026-12-31", "2026-12", "2026-Q4"),
        ("2024-02-29", "2024-02", "2024-Q1"),
    ],
)
def test_months_and_quarters_are_calendar_ones(day: str, month: str, quarter: str) -> None:
    of = date.fromisoformat(day)

    assert month_of(of).label == month
    assert quarter_of(of).label == quarter
    assert parse_month(month) == month_of(of)
    assert parse_quarter(quarter) == quarter_of(of)


@pytest.mark.parametrize(
    ("window", "before"),
    [
        (parse_week("2021-W01"), "2020-W53"),
        (parse_month("2026-01"), "2025-12"),
        (parse_month("2024-03"), "2024-02"),
        (parse_quarter("2026-Q1"), "2025-Q4"),
        (Window(start=date(2026, 3, 1), end=date(2026, 3, 11)), "2026-02-19..2026-03-01"),
    ],
)
def test_the_window_before_is_of_the_same_kind(window: Window, before: str) -> None:
    found = previous(window)

    assert found.label == before
    assert (found.end, found.period, found.zone) == (window.start, window.period, window.zone)


def test_weeks_before_end_with_the_week() -> None:
    week = parse_week("2026-W36", "Europe/Dublin")

    assert weeks_before(week, 1) == week
    assert weeks_before(week, 4).label == "2026-08-10..2026-09-07"
    assert weeks_before(week, 4).zone == "Europe/Dublin"


@pytest.mark.parametrize(
    ("window", "weeks"),
    [
        # August 2026 begins on a Saturday and ends on a Monday.
        (parse_month("2026-08"), "W31:2! W32:7 W33:7 W34:7 W35:7 W36:1!"),
        (parse_month("2021-02"), "W05:7 W06:7 W07:7 W08:7"),  # four whole weeks
        (parse_week("2026-W36"), "W36:7"),
        (Window(start=date(2026, 9, 1), end=date(2026, 9, 4)), "W36:3!"),
        (Window(start=date(2020, 12, 30), end=date(2021, 1, 6)), "W53:5! W01:2!"),
    ],
)
def test_weeks_in_a_window_are_cut_to_it_and_say_so(window: Window, weeks: str) -> None:
    found = list(weeks_in(window))

    said = [f"{w.label[5:]}:{w.days}{'!' if clipped else ''}" for w, clipped in found]
    assert " ".join(said) == weeks
    assert [week.clipped for week, _ in found] == [clipped for _, clipped in found]
    assert {week.period for week, _ in found} == {Period.WEEK}


@given(dates, st.integers(1, 400), st.sampled_from(ZONES))
def test_weeks_of_a_window_meet_without_gap_or_overlap(start: date, days: int, zone: str) -> None:
    end = date.fromordinal(start.toordinal() + days)
    window = Window(start=start, end=end, zone=zone)

    weeks = [week for week, _ in weeks_in(window)]

    assert (weeks[0].start_at, weeks[-1].end_at) == (window.start_at, window.end_at)
    assert all(one.end_at == other.start_at for one, other in pairwise(weeks))
    assert sum(week.weeks for week in weeks) == pytest.approx(window.weeks)


@given(dates, st.sampled_from(ZONES))
def test_every_instant_of_a_day_has_its_date(day: date, zone: str) -> None:
    start, end = midnight(day, zone), midnight(date.fromordinal(day.toordinal() + 1), zone)

    assert start < end
    assert date_of(start, zone) == date_of(end - 1, zone) == day


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_week, "2026-36", "'2026-36' is no ISO week; expected one like 2026-W36"),
        (parse_week, "2025-W53", "Invalid week: 53"),  # 2025 has 52
        (parse_month, "2026-9", "'2026-9' is no month; expected one like 2026-09"),
        (parse_month, "2026-13", "month must be in 1..12"),
        (parse_quarter, "2026-Q5", "'2026-Q5' is no quarter; expected one like 2026-Q3"),
    ],
)
def test_a_period_that_does_not_exist_is_refused(
    parse: Callable[[str], Window], text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_a_window_must_hold_a_day() -> None:
    with pytest.raises(ValueError, match="must end after it starts: 2026-03-02 to 2026-03-02"):
        Window(start=date(2026, 3, 2), end=date(2026, 3, 2))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-09-01T12:00:00+01:00", "2026-09-01T11:00:00Z"),
        ("2026-09-01T12:00:00.25Z", "2026-09-01T12:00:00.250000Z"),
        ("2026-10-25T01:30:00+01:00", "2026-10-25T00:30:00Z"),  # the first half past one
        ("2026-10-25T01:30:00+00:00", "2026-10-25T01:30:00Z"),  # the second
    ],
)
def test_an_instant_is_kept_in_utc(text: str, utc: str) -> None:
    assert format_instant(parse_instant(text)) == utc


def test_a_time_without_a_zone_is_refused_never_guessed() -> None:
    with pytest.raises(ValueError, match=r"without a zone: '2026-09-01T12:00'; write .*Z if"):
        parse_instant("2026-09-01T12:00")
    with pytest.raises(ValueError, match="time without a zone"):
        to_micros(datetime(2026, 9, 1, tzinfo=UTC).replace(tzinfo=None))


def test_micros_and_moments_are_the_same() -> None:
    moment = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert to_micros(moment) == -1
    assert from_micros(-1) == moment
    assert to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == SECOND


@pytest.mark.parametrize(
    ("intervals", "union"),
    [
        ([], []),
        ([(1, 3)], [(1, 3)]),
        ([(4, 5), (1, 3)], [(1, 3), (4, 5)]),
        ([(1, 3), (3, 5)], [(1, 5)]),  # they touch
        ([(1, 9), (3, 5)], [(1, 9)]),
        ([(1, 4), (3, 9), (8, 10)], [(1, 10)]),
    ],
)
def test_intervals_that_touch_become_one(intervals: list[Interval], union: list[Interval]) -> None:
    assert merge_intervals(intervals) == union
