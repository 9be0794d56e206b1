from datetime import date

import pytest
import typer

from vpemetrics.cli import options
from vpemetrics.window import Period, Window


def asked(**given: str) -> Window | None:
    names = ("week", "month", "quarter", "start", "end")
    return options.window(**{name: given.get(name) for name in names}, zone="Europe/Dublin")


@pytest.mark.parametrize(
    ("given", "start", "end", "period"),
    [
        ({"week": "2026-W36"}, date(2026, 8, 31), date(2026, 9, 7), Period.WEEK),
        ({"week": "2026w01"}, date(2025, 12, 29), date(2026, 1, 5), Period.WEEK),  # as people type
        ({"month": "2026-02"}, date(2026, 2, 1), date(2026, 3, 1), Period.MONTH),
        ({"quarter": "2026-Q4"}, date(2026, 10, 1), date(2027, 1, 1), Period.QUARTER),
        (
            {"start": "2026-01-05", "end": "2026-01-06"},  # one day: the second is out
            date(2026, 1, 5),
            date(2026, 1, 6),
            Period.DAYS,
        ),
    ],
)
def test_a_window_is_read_in_the_zone_of_the_reports(
    given: dict[str, str], start: date, end: date, period: Period
) -> None:
    expected = Window(start=start, end=end, zone="Europe/Dublin", period=period)

    assert asked(**given) == expected


def test_no_option_asks_for_no_window() -> None:
    assert asked() is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"week": "last"}, "'last' is no ISO week; expected one like 2026-W36"),
        ({"week": "2026-W54"}, "'2026-W54': Invalid week: 54"),
        ({"month": "2026-13"}, "'2026-13': month must be in 1..12"),
        ({"quarter": "2026-Q5"}, "'2026-Q5' is no quarter; expected one like 2026-Q3"),
        ({"start": "2026-01-01"}, "--from and --to go together: --from is in, --to is out"),
        ({"end": "2026-01-01"}, "--from and --to go together: --from is in, --to is out"),
        (
            {"start": "2026-01-01", "end": "2026-01-01"},  # holds no day
            "2026-01-01 is not after 2026-01-01; the first date is in and the last is out",
        ),
        ({"week": "0001-W01"}, "0001-W01 is not within the years 1990 to 2999"),
        ({"month": "9999-11"}, "9999-11 is not within the years 1990 to 2999"),
        (
            {"start": "0001-01-01", "end": "9999-12-31"},
            "0001-01-01..9999-12-31 is not within the years 1990 to 2999",
        ),
        ({"start": "1.2.26", "end": "2026-03-01"}, "'1.2.26' is no date"),
        (
            {"week": "2026-W36", "month": "2026-09"},
            "--week and --month exclude each other; give one window",
        ),
        (
            {"quarter": "2026-Q1", "end": "2026-09-01"},
            "--quarter and --from and --to exclude each other; give one window",
        ),
    ],
)
def test_what_is_no_window_is_refused_in_words(given: dict[str, str], said: str) -> None:
    with pytest.raises(typer.BadParameter) as error:
        asked(**given)

    assert said in error.value.message
