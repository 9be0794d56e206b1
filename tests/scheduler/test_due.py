"""When reports and collections are due: every moment here is UTC, every zone is named."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpemetrics.config.weekly import DAYS, parse_weekly
from vpemetrics.scheduler.due import last_moment, next_collection, next_moment, reported_week
from vpemetrics.window import to_micros

MONDAY = parse_weekly("mon 06:00")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-09-07 is a Monday. In Dublin clocks go on on 2026-03-29 at 01:00 and back on 2026-10-25.
@pytest.mark.parametrize(
    ("report", "zone", "now", "before", "after"),
    [
        ("mon 06:00", "UTC", "2026-09-09 12:00", "2026-09-07 06:00", "2026-09-14 06:00"),
        ("mon 06:00", "UTC", "2026-09-07 05:59", "2026-08-31 06:00", "2026-09-07 06:00"),
        # the moment itself has come
        ("mon 06:00", "UTC", "2026-09-07 06:00", "2026-09-07 06:00", "2026-09-14 06:00"),
        ("mon 06:00", "Europe/Dublin", "2026-09-07 05:30", "2026-09-07 05:00", "2026-09-14 05:00"),
        # where it is Monday long before, and long after
        ("mon 06:00", "Pacific/Auckland", "2026-09-06 18:00", "2026-09-06 18:00",
         "2026-09-13 18:00"),
        ("mon 06:00", "Pacific/Honolulu", "2026-09-07 15:59", "2026-08-31 16:00",
         "2026-09-07 16:00"),
        ("sun 23:30", "Asia/Tokyo", "2026-09-06 14:29", "2026-08-30 14:30", "2026-09-06 14:30"),
        # over a change of clocks a week is not 168 hours
        ("mon 06:00", "Europe/Dublin", "2026-03-28 00:00", "2026-03-23 06:00", "2026-03-30 05:00"),
        ("mon 06:00", "Europe/Dublin", "2026-10-24 00:00", "2026-10-19 05:00", "2026-10-26 06:00"),
        # 01:30 is skipped: an hour later
        ("sun 01:30", "Europe/Dublin", "2026-03-29 01:29", "2026-03-22 01:30", "2026-03-29 01:30"),
        ("sun 01:30", "Europe/Dublin", "2026-03-29 01:30", "2026-03-29 01:30", "2026-04-05 00:30"),
        # 01:30 comes twice: the first counts
        ("sun 01:30", "Europe/Dublin", "2026-10-25 00:29", "2026-10-18 00:30", "2026-10-25 00:30"),
        ("sun 01:30", "Europe/Dublin", "2026-10-25 01:30", "2026-10-25 00:30", "2026-11-01 01:30"),
    ],
)  # fmt: skip
def test_the_moments_around_now(report: str, zone: str, now: str, before: str, after: str) -> None:
    weekly = parse_weekly(report)

    assert last_moment(weekly, zone, utc(now)) == utc(before)
    assert next_moment(weekly, zone, utc(now)) == utc(after)


@given(
    now=st.integers(0, 10 * 366 * 24 * 60).map(lambda n: utc("2020-01-01") + n * MINUTE),
    zone=st.sampled_from(
        ["UTC", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    report=st.builds(
        "{} {:02}:{:02}".format,
        st.sampled_from(DAYS),
        st.integers(0, 23),
        st.integers(0, 59),
    ),
)
def test_now_is_between_two_moments_about_a_week_apart(
    now: datetime, zone: str, report: str
) -> None:
    weekly = parse_weekly(report)

    before, after = last_moment(weekly, zone, now), next_moment(weekly, zone, now)

    assert before <= now < after
    assert timedelta(days=7) - HOUR <= after - before <= timedelta(days=7) + HOUR
    assert next_moment(weekly, zone, before) == after
    assert to_micros(before) >= reported_week(before, zone).end_at


@pytest.mark.parametrize(
    ("moment", "zone", "label"),
    [
        ("2026-09-07 05:00", "Europe/Dublin", "2026-W36"),
        ("2026-09-07 00:00", "UTC", "2026-W36"),  # the week has just ended
        ("2026-09-06 23:59", "UTC", "2026-W35"),
        ("2026-09-06 18:00", "Pacific/Auckland", "2026-W36"),
        ("2027-01-04 06:00", "UTC", "2026-W53"),
    ],
)
def test_a_report_is_about_the_last_week_that_is_over(moment: str, zone: str, label: str) -> None:
    assert reported_week(utc(moment), zone).label == label


@pytest.mark.parametrize(
    ("asked", "every", "now", "expected"),
    [
        # never asked
        (None, HOUR, "2026-09-09 12:00", "2026-09-09 12:00"),
        # not long ago: the rest of the interval
        ("2026-09-09 11:40", HOUR, "2026-09-09 12:00", "2026-09-09 12:40"),
        # the process was down
        ("2026-09-09 03:00", HOUR, "2026-09-09 12:00", "2026-09-09 12:00"),
        # by a clock that was a little ahead
        ("2026-09-09 15:00", HOUR, "2026-09-09 12:00", "2026-09-09 13:00"),
        # by one that was wrong
        ("2031-12-09 03:00", HOUR, "2026-09-09 12:00", "2026-09-09 12:00"),
        # seldom, but a report shall have the end of its week
        ("2026-09-06 14:00", DAY, "2026-09-06 15:00", "2026-09-07 06:00"),
        ("2026-09-06 14:00", DAY, "2026-09-07 06:30", "2026-09-07 06:30"),
        # asked after the end of the week, the report has it
        ("2026-09-07 00:00", DAY, "2026-09-07 05:00", "2026-09-08 00:00"),
    ],
)
def test_a_source_is_asked_again_after_an_interval(
    asked: str | None, every: timedelta, now: str, expected: str
) -> None:
    last = utc(asked) if asked else None

    assert next_collection(last, every, MONDAY, "UTC", utc(now)) == utc(expected)
