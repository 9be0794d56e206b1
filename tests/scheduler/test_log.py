"""The words of a schedule, at a moment that stands still."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vpemetrics.config.load import load
from vpemetrics.errors import StoreBusy
from vpemetrics.scheduler.log import ScheduleLog
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.usecases.collecting import Collected
from vpemetrics.window import parse_week

NOW = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
"""A Monday, 10:30 in Dublin."""

SETTINGS = """
[organisation]
timezone = "Europe/Dublin"
[schedule]
output = "out/{week}.md"
[sources.shop]
type = "files"
path = "shop"
"""


class Written(list[str]):
    """The lines of a log, without the time that each of them begins with."""

    def write(self, line: str) -> None:
        time, _, text = line.partition(" ")
        assert time == "2026-09-07T10:30:00+01:00"
        self.append(text)


def plan(folder: Path) -> Plan:
    file = folder / "vpemetrics.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    return Plan.of(load(file, {}), "x.db")


def log(folder: Path, lines: Written, *, quiet: bool = False) -> ScheduleLog:
    return ScheduleLog(plan(folder), lambda: NOW, lines.write, lambda _: "a bug", quiet=quiet)


def collected(**given: object) -> Collected:
    return Collected(**{"source": "shop", "seconds": 1.25, **given})  # type: ignore[arg-type]  # a table


def test_it_begins_with_what_comes_next(tmp_path: Path) -> None:
    lines = Written()
    coming = agenda(plan(tmp_path), {}, "", NOW)

    log(tmp_path, lines).log_begin(Path("vpemetrics.toml"), coming)

    assert lines[1:] == [
        "collects each source every 1.0 h: shop now",
        f"reports every mon 06:00 into {tmp_path}/out/{{week}}.md: next at Mon 14 Sep 06:00",
    ]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            collected(new={"commits": 1200, "incidents": 1, "coverage": 2}),
            "shop: new commits 1,200, incidents 1 (1.2 s); again at 11:30",
        ),
        (collected(new={"coverage": 1}), "shop: nothing new (1.2 s); again at 11:30"),
        (
            collected(error="no answer"),
            "error: shop: no answer (1.2 s); tried again at 11:30",
        ),
        (
            collected(error="ours", bug=ValueError("x")),
            "error: shop: a bug; it is tried again",
        ),
    ],
)
def test_a_collection_is_a_line(tmp_path: Path, result: Collected, line: str) -> None:
    lines = Written()

    log(tmp_path, lines).log_collection(result, NOW + timedelta(hours=1))

    assert lines == [line]


def test_a_warning_is_written_once_however_often_it_comes(tmp_path: Path) -> None:
    lines = Written()
    schedule_log = log(tmp_path, lines)

    for text in ("a token ends soon", "a token ends soon", "another"):
        schedule_log.log_warning("shop", text)

    assert lines == ["warning: shop: a token ends soon", "warning: shop: another"]


def test_quiet_leaves_out_what_went_well_and_nothing_else(tmp_path: Path) -> None:
    lines = Written()
    schedule_log = log(tmp_path, lines, quiet=True)

    schedule_log.log_report(parse_week("2026-W36"), Path("w.md"), 0.5, {"shop": "no answer"})
    schedule_log.log_failure("report", StoreBusy("somebody writes"))
    schedule_log.log_end()

    assert lines == [
        "warning: report: 2026-W36 may lack news of shop: no answer",
        "error: report: somebody writes; it is tried again",
    ]


def test_secrets_are_masked_and_lines_stay_lines(tmp_path: Path) -> None:
    lines = Written()

    log(tmp_path, lines).log_warning("shop", "https://me:hunter2@host\nis gone")

    (line,) = lines
    assert "hunter2" not in line
    assert line.endswith("is gone")


def test_work_goes_on_where_nobody_reads_the_log_any_more(tmp_path: Path) -> None:
    def closed(_line: str) -> None:
        raise BrokenPipeError

    ScheduleLog(plan(tmp_path), lambda: NOW, closed, str).log_end()


def test_a_bug_is_named_where_its_log_cannot_be_kept(tmp_path: Path) -> None:
    def full(_error: Exception) -> str:
        raise OSError(28, "No space left on device")

    lines = Written()

    ScheduleLog(plan(tmp_path), lambda: NOW, lines.write, full).log_failure("shop", KeyError("x"))

    assert lines == ["error: shop: this is a bug in vpemetrics: KeyError; it is tried again"]
