"""What a schedule begins with, from what the store says was done before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from vpemetrics.config.load import load
from vpemetrics.scheduler.plan import Plan, agenda, sources_not_asked_since
from vpemetrics.store.loading import LastCollection
from vpemetrics.window import parse_week

TWO = """
[organisation]
timezone = "Europe/Dublin"
[schedule]
output = "out/{week}/{week}.md"
[sources.first]
type = "files"
path = "first"
[sources.second]
type = "files"
path = "second"
"""


def plan(folder: Path) -> Plan:
    file = folder / "vpemetrics.toml"
    file.write_text(TWO, encoding="utf-8")
    return Plan.of(load(file, {}), "x.db")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked(**moments: str) -> dict[str, LastCollection]:
    """Sources that failed when they were asked last: they were asked all the same."""
    return {
        name: LastCollection(at(moment), at(moment), None, "no answer")
        for name, moment in moments.items()
    }


@pytest.mark.parametrize(
    ("last", "reported", "now", "collections", "overdue"),
    [
        # the very first start: everything is due
        ({}, "", "2026-09-09 12:00", {"first": "now", "second": "now"}, "2026-W36"),
        # the process was away for minutes
        ({"first": "2026-09-09 11:30", "second": "2026-09-09 10:00"}, "2026-W36",
         "2026-09-09 12:00", {"first": "2026-09-09 12:30", "second": "now"}, None),
        # it was away from Friday to after the moment of the report
        ({"first": "2026-09-04 17:00", "second": "2026-09-04 17:00"}, "2026-W35",
         "2026-09-07 05:10", {"first": "now", "second": "now"}, "2026-W36"),
        # to just before that moment, 05:00 in UTC
        ({"first": "2026-09-04 17:00", "second": "2026-09-04 17:00"}, "2026-W35",
         "2026-09-07 04:50", {"first": "now", "second": "now"}, None),
        # it was killed between collecting and reporting
        ({"first": "2026-09-07 05:00", "second": "2026-09-07 05:00"}, "2026-W35",
         "2026-09-07 05:01", {"first": "2026-09-07 06:00", "second": "2026-09-07 06:00"},
         "2026-W36"),
        # for five weeks: only the last is written
        ({"first": "2026-08-01 17:00", "second": "2026-08-01 17:00"}, "2026-W30",
         "2026-09-09 12:00", {"first": "now", "second": "now"}, "2026-W36"),
        # by a clock that was wrong: it was in another year, or only in the next week
        ({"first": "2031-02-01 17:00", "second": "2026-09-09 11:30"}, "2031-W05",
         "2026-09-09 12:00", {"first": "now", "second": "2026-09-09 12:30"}, "2026-W36"),
        ({"first": "2026-09-09 11:30", "second": "2026-09-09 11:30"}, "2026-W37",
         "2026-09-09 12:00", {"first": "2026-09-09 12:30", "second": "2026-09-09 12:30"},
         "2026-W36"),
        # over the turn of the year
        ({"first": "2026-12-31 17:00", "second": "2026-12-31 17:00"}, "2026-W52",
         "2027-01-05 12:00", {"first": "now", "second": "now"}, "2026-W53"),
    ],
)  # fmt: skip
def test_what_was_due_meanwhile_is_done_at_once_and_nothing_twice(
    tmp_path: Path,
    last: dict[str, str],
    reported: str,
    now: str,
    collections: dict[str, str],
    overdue: str | None,
) -> None:
    coming = agenda(plan(tmp_path), asked(**last), reported, at(now))

    expected = {name: at(now if when == "now" else when) for name, when in collections.items()}
    assert coming.collections == expected
    assert (coming.overdue and coming.overdue.label) == overdue


def test_the_next_report_comes_at_six_on_the_organisations_clocks(tmp_path: Path) -> None:
    coming = agenda(plan(tmp_path), {}, "", at("2026-10-24 12:00"))

    assert coming.report_at == at("2026-10-26 06:00")  # no longer 05:00: clocks went back


def test_a_report_waits_for_sources_not_asked_since_its_week(tmp_path: Path) -> None:
    # The week ends at 23:00 in UTC.
    last = asked(first="2026-09-06 22:59", second="2026-09-06 23:00")
    names = [source.name for source in plan(tmp_path).sources]

    waiting = sources_not_asked_since(
        parse_week("2026-W36", "Europe/Dublin"), [*names, "third"], last, at("2026-09-07 06:00")
    )

    assert waiting == ["first", "third"]


def test_what_was_asked_by_a_clock_that_was_wrong_was_not_asked(tmp_path: Path) -> None:
    last = asked(first="2031-09-07 06:00", second="2026-09-07 06:10")
    names = [source.name for source in plan(tmp_path).sources]
    week, now = parse_week("2026-W36", "Europe/Dublin"), at("2026-09-07 06:00")

    assert sources_not_asked_since(week, names, last, now) == ["first"]
    assert agenda(plan(tmp_path), last, "2031-W05", now).yet_to_come == (
        "a report of 2031-W05", "a collection of first at 2031-09-07T06:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("began", "given_up"),
    [
        ("2026-09-01 00:00", "2026-09-07 06:00"),  # it was due at 05:00
        ("2026-09-09 12:00", "2026-09-09 13:00"),  # the process was away by then
    ],
)
def test_a_report_waits_for_an_interval_at_most(tmp_path: Path, began: str, given_up: str) -> None:
    found = plan(tmp_path).report_gives_up_waiting(at(began), at("2026-09-09 12:30"))

    assert found == at(given_up)


def test_the_file_is_named_after_its_week_beside_the_configuration(tmp_path: Path) -> None:
    path = plan(tmp_path).path(parse_week("2026-W36", "Europe/Dublin"))

    assert path == tmp_path / "out" / "2026-W36" / "2026-W36.md"
