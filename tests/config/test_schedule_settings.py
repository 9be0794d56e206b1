"""The settings of a schedule: what they take, and what they refuse."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from vpemetrics.config.load import load
from vpemetrics.config.weekly import Weekly, parse_weekly
from vpemetrics.errors import ConfigurationErrors


def settings(folder: Path, text: str) -> Path:
    file = folder / "vpemetrics.toml"
    file.write_text(f"[schedule]\n{text}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "weekday", "at"),
    [
        ("mon 06:00", 0, time(6)),
        ("sun 23:59", 6, time(23, 59)),
        ("Fri 6:05", 4, time(6, 5)),
        ("tue  00:00", 1, time()),
    ],
)
def test_a_weekday_by_name_and_a_time_are_a_moment_of_every_week(
    text: str, weekday: int, at: time
) -> None:
    assert parse_weekly(text) == Weekly(weekday=weekday, at=at)


@pytest.mark.parametrize(
    "text", ["0 6 * * 1", "monday 06:00", "mon", "06:00", "mon 24:00", "mon 6", "mon 06:60", ""]
)
def test_no_other_text_is_a_moment(text: str) -> None:
    with pytest.raises(ValueError, match="no weekday with a time"):
        parse_weekly(text)


def test_what_the_file_says_is_in_force(tmp_path: Path) -> None:
    text = 'collect = "30min"\nreport = "Fri 6:05"\noutput = "{week}/report.MD"'

    schedule = load(settings(tmp_path, text), {}).settings.schedule

    assert schedule.collect == timedelta(minutes=30)
    assert schedule.report == "fri 06:05"
    assert schedule.output == "{week}/report.MD"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('collect = "0s"', 'schedule.collect: found "0s", expected a duration between "1s"'),
        ('collect = "8d"', 'schedule.collect: found "8d", expected a duration between "1s"'),
        ('report = "0 6 * * 1"', 'expected a weekday and a time, as in "mon 06:00"'),
        ('output = "week"', "expected a file whose ending is one of .json, .txt, .html"),
        ('output = "out/.html"', "expected a file whose ending is one of .json"),
        ('output = "{Week}.html"', "expected {week}, and nothing else in braces"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigurationErrors) as refused:
        load(settings(tmp_path, text), {})

    assert complaint in str(refused.value)
