"""How long a week may still turn out worse, at the edges of the rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpemetrics.metrics.provisional import is_provisional, wait
from vpemetrics.window import DAY, HOUR, MISSING, SECOND, Window, midnight, month_of, week_of

DAYS = 86_400.0
WEEK = week_of(date(2026, 9, 2))  # to Monday 7 September


@pytest.mark.parametrize(
    ("lags", "days"),
    [
        ([], 14),
        ([1 * DAYS] * 19, 14),  # too few to tell
        ([1 * DAYS] * 20, 7),  # never below a week
        ([9 * DAYS] * 20, 9),
        ([30 * DAYS] * 20, 30),  # evidence may be slower than a fortnight
        ([0.0] * 18 + [10 * DAYS] * 3, 10),  # rank 0.9 · 20 = 18 of 0 to 20
        ([0.0] * 19 + [100 * DAYS] * 2, 7),
    ],
)
def test_the_wait_is_the_ninth_decile_of_the_lags(lags: list[float], days: int) -> None:
    assert wait(lags) == days * DAY


@given(lags=st.lists(st.floats(0, 400 * DAYS), max_size=60))
def test_the_wait_is_never_shorter_than_a_week(lags: list[float]) -> None:
    assert 7 * DAY <= wait(lags) <= max(14 * DAY, round(max(lags, default=0) * SECOND))


@pytest.mark.parametrize(
    ("since_its_end", "expected"),
    [(-1, True), (0, True), (7 * DAY - 1, True), (7 * DAY, False), (30 * DAY, False)],
)
def test_a_week_is_final_when_the_wait_is_over(since_its_end: int, expected: bool) -> None:
    assert is_provisional(WEEK, WEEK.end_at + since_its_end, 7 * DAY) is expected


@pytest.mark.parametrize(
    ("window", "final_from"),
    [
        (month_of(date(2026, 8, 1)), date(2026, 9, 14)),  # its last week ends on 7 September
        (month_of(date(2026, 5, 1)), date(2026, 6, 8)),  # ends with a Sunday
        (Window(start=date(2026, 9, 1), end=date(2026, 9, 3)), date(2026, 9, 14)),
    ],
)
def test_a_window_waits_for_the_last_week_it_meets(window: Window, final_from: date) -> None:
    at = midnight(final_from, "UTC")

    assert is_provisional(window, at - 1, 7 * DAY)
    assert not is_provisional(window, at, 7 * DAY)


def test_a_week_ends_at_midnight_in_its_own_zone() -> None:
    dublin = week_of(date(2026, 9, 2), "Europe/Dublin")

    assert dublin.end_at == WEEK.end_at - HOUR
    assert not is_provisional(dublin, WEEK.end_at - HOUR + 7 * DAY, 7 * DAY)


def test_nothing_is_final_where_nobody_knows_how_far_the_data_go() -> None:
    assert is_provisional(WEEK, MISSING, 7 * DAY)
