from datetime import date, timedelta

import pytest

from vpemetrics.rules import Quiet, is_chosen, matches


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("production", "prod*", True),
        ("PROD-eu", "prod*", True),  # case does not matter
        ("preprod", "prod*", False),  # the whole name counts
        ("live", "live", True),
        ("prod1", "prod?", True),
        ("prod", "prod?", False),  # `?` is exactly one character
        ("renovate[bot]", "*[bot]", True),
        ("alibot", "*[bot]", False),  # `[bot]` is no choice of letters
        ("a.b", "a?b", True),
        ("axb", "a.b", False),  # a dot is a dot
        ("line\nbreak", "line*", True),
    ],
)
def test_a_pattern_knows_only_star_and_question_mark(
    name: str, pattern: str, expected: bool
) -> None:
    assert matches(name, (pattern,)) is expected


def test_no_pattern_matches_nothing() -> None:
    assert not matches("prod", ())


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ([], ["web", "web-trial", "cart"]),
        (["web*"], ["web", "web-trial"]),
        (["web*", "!*-trial"], ["web"]),
        (["!*-trial"], ["web", "cart"]),
        (["!web*", "web"], []),  # what is left out stays out
    ],
)
def test_patterns_choose_and_leave_out(patterns: list[str], chosen: list[str]) -> None:
    names = ["web", "web-trial", "cart"]

    assert [name for name in names if is_chosen(name, patterns)] == chosen


@pytest.mark.parametrize(
    ("monday", "yearly", "expected"),
    [
        ("2026-12-14", False, False),
        ("2026-12-21", False, True),  # Christmas Eve is its Thursday
        ("2026-12-28", False, True),
        ("2027-01-04", False, False),
        ("2027-12-20", False, False),
        ("2027-12-20", True, True),
        ("2024-12-30", True, True),  # from the year before, into this one
        ("2025-01-06", True, False),
    ],
)
def test_a_week_is_quiet_if_one_of_its_days_is(monday: str, yearly: bool, expected: bool) -> None:
    days = Quiet(first=date(2026, 12, 24), last=date(2027, 1, 1), yearly=yearly)
    start = date.fromisoformat(monday)

    assert days.touches(start, start + timedelta(days=7)) is expected


def test_a_leap_day_is_the_last_of_february_elsewhere() -> None:
    day = Quiet(first=date(2024, 2, 29), last=date(2024, 2, 29), yearly=True)

    assert day.touches(date(2025, 2, 28), date(2025, 3, 1))
    assert not day.touches(date(2025, 3, 1), date(2025, 3, 2))
