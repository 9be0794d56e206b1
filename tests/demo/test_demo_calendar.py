"""A history moved by whole weeks keeps its weekdays, its hours on the clock, and its order."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from vpemetrics.demo.calendar import Calendar
from vpemetrics.records import Deployment, Status

ZONE = "Europe/Dublin"
MADE_UP_TO = date(2026, 9, 7)


def calendar(before: str) -> Calendar:
    return Calendar.ending(MADE_UP_TO, before=date.fromisoformat(before), zone=ZONE)


@pytest.mark.parametrize(
    ("before", "ends"),
    [
        ("2026-09-07", date(2026, 9, 7)),
        ("2026-09-08", date(2026, 9, 7)),
        ("2026-09-13", date(2026, 9, 7)),  # a Sunday: its week is not over
        ("2026-09-14", date(2026, 9, 14)),
        ("2026-09-06", date(2026, 8, 31)),  # before the history was made up
        ("2027-02-03", date(2027, 2, 1)),
    ],
)
def test_it_ends_with_the_last_complete_week_before_a_day(before: str, ends: date) -> None:
    assert calendar(before).day(MADE_UP_TO) == ends


@pytest.mark.parametrize("before", ["2026-09-07", "2026-12-01", "2027-03-30"])
def test_work_begins_at_the_same_hour_on_the_same_weekday_in_every_season(before: str) -> None:
    moved = calendar(before)
    mornings = [datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(days=day) for day in range(365)]
    workdays = [at for at in mornings if at.weekday() < 5]

    local = [moved.moment(at).astimezone(ZoneInfo(ZONE)) for at in workdays]

    assert {at.hour for at in local} == {8}
    assert [at.weekday() for at in local] == [at.weekday() for at in workdays]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 29), 23),  # clocks go forward
        (date(2026, 10, 25), 25),  # and back
        (date(2026, 10, 26), 24),
    ],
)
def test_a_day_on_which_clocks_change_keeps_its_order_and_all_of_its_hours(
    day: date, hours: int
) -> None:
    begin = datetime.combine(day, datetime.min.time(), UTC)
    minutes = [calendar("2026-09-07").moment(begin + timedelta(minutes=m)) for m in range(24 * 60)]

    assert all(one < other for one, other in pairwise(minutes))
    assert minutes[0].astimezone(ZoneInfo(ZONE)).time() == datetime.min.time()
    next_day = calendar("2026-09-07").moment(begin + timedelta(days=1))
    assert next_day - minutes[0] == timedelta(hours=hours)


def test_all_moments_of_a_record_move_and_nothing_else() -> None:
    at = datetime(2026, 9, 3, 9, tzinfo=UTC)
    made = Deployment(
        id="shop/1", service="shop", environment="production", status=Status.SUCCEEDED,
        started_at=at, finished_at=at + timedelta(minutes=4),
    )  # fmt: skip

    moved = calendar("2026-12-01").record(made)

    assert isinstance(moved, Deployment)
    assert moved.started_at == datetime(2026, 11, 26, 9, tzinfo=UTC)  # 9 o'clock, in winter
    assert moved.finished_at == moved.started_at + timedelta(minutes=4)
    assert (moved.id, moved.status) == (made.id, made.status)
