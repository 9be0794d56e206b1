"""The working clock stands still at night and on weekends, and never runs backwards."""

from datetime import UTC, date, datetime

import pytest

from vpemetrics.demo.hours import (
    DAY,
    HOUR,
    WEEK,
    WORKING_WEEK,
    moment,
    next_morning,
    second_of,
    seconds_of,
    wall,
    working,
)


def at(text: str) -> int:
    return second_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("off_hours", "next_working"),
    [
        ("2026-09-02T03:00", "2026-09-02T08:00"),  # before opening
        ("2026-09-02T22:00", "2026-09-03T08:00"),  # after closing
        ("2026-09-04T18:00", "2026-09-07T08:00"),  # Friday evening
        ("2026-09-06T12:00", "2026-09-07T08:00"),  # Sunday
    ],
)
def test_off_hours_mean_the_next_working_second(off_hours: str, next_working: str) -> None:
    assert wall(working(at(off_hours))) == at(next_working)


def test_a_working_second_is_shown_within_working_hours() -> None:
    for second in range(0, 2 * WORKING_WEEK, 977):
        shown = moment(wall(second))

        assert shown.weekday() < 5
        assert 8 <= shown.hour < 18
        assert working(wall(second)) == second


def test_both_clocks_keep_the_order() -> None:
    seconds = range(0, 2 * WEEK, 1013)

    passed = [working(second) for second in seconds]

    assert passed == sorted(passed)


def test_the_next_morning_is_three_o_clock_of_the_next_date() -> None:
    assert next_morning(at("2026-09-02T17:00")) == at("2026-09-03T03:00")


def test_seconds_and_moments_agree() -> None:
    assert moment(seconds_of(date(2026, 9, 7)) + 6 * HOUR) == datetime(2026, 9, 7, 6, tzinfo=UTC)
    assert second_of(moment(3 * DAY)) == 3 * DAY
