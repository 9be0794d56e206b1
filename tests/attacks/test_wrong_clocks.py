"""A clock that was wrong once: what it left in a store is told, and silences nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commandline import invoke

from vpemetrics.collectors.base import Batch, CollectionContext, Collector
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.load import load
from vpemetrics.config.sources import Source
from vpemetrics.records import Coverage, CoverageKind, Deployment, Status
from vpemetrics.rules import Rules
from vpemetrics.scheduler.jobs import Schedule
from vpemetrics.scheduler.log import ScheduleLog
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.store import Store
from vpemetrics.store.report_marks import note_reported, reported_week
from vpemetrics.usecases.collecting import collect

pytestmark = pytest.mark.slow

NOW = datetime(2026, 9, 9, 12, tzinfo=UTC)
WRONG = datetime(2031, 2, 1, 12, tzinfo=UTC)
CONFIGURATION = """
[schedule]
output = "out/{week}.txt"
[sources.files]
type = "files"
path = "records"
"""
ROWS = "id,service,environment,status,finished_at\n" + "".join(
    f"{days},shop,prod,succeeded,{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}\n"
    for days in range(0, 80, 2)
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Nothing to set."""


def counting(asked: list[dict[str, str]]) -> Source:
    """A source that notes where it is to go on, and goes on to its own now."""

    def read(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        asked.append(dict(context.cursors))
        start = context.now - timedelta(days=80)
        at = NOW - timedelta(days=len(asked))
        covered = Coverage(
            source="s", scope="*", kind=CoverageKind.DEPLOYMENTS, start=start, end=context.now
        )
        record = Deployment(
            id=str(len(asked)), service="shop", environment="production", status=Status.SUCCEEDED,
            finished_at=at,
        )  # fmt: skip
        yield Batch(records=[record, covered], cursors={"*": context.now.isoformat()})

    collector = Collector(options=Options, collect=read)
    return Source(name="s", collector=collector, options=Options(), folder=Path())


def collected(store: Store, source: Source, at: datetime, warn: Callable[[str], None]) -> None:
    result = collect(
        store, source, Rules(), clock=lambda: at, warn=warn, progress=lambda _done, _of: None
    )
    assert result.error is None


def test_a_source_is_collected_anew_after_a_run_in_another_year(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []
    told: list[str] = []
    with Store.open(tmp_path / "x.db") as store:
        collected(store, counting(asked), WRONG, pytest.fail)
        collected(store, counting(asked), NOW, told.append)
        collected(store, counting(asked), NOW + timedelta(hours=1), pytest.fail)

        (stretch,) = store.coverage()

    assert asked == [{}, {}, {"*": NOW.isoformat()}]  # the mark of 2031 did not count
    assert stretch.end == NOW + timedelta(hours=1)
    assert len(told) == 2
    assert all("yet to come: a clock was wrong" in text for text in told)


def test_a_clock_that_is_a_little_ahead_is_nobodys_mistake(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []
    ahead = NOW + timedelta(hours=3)
    with Store.open(tmp_path / "x.db") as store:
        collected(store, counting(asked), ahead, pytest.fail)
        collected(store, counting(asked), NOW, pytest.fail)

    assert asked == [{}, {"*": ahead.isoformat()}]


def test_a_report_is_of_the_last_week_and_not_of_one_that_is_yet_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    last_week = (now - timedelta(days=now.weekday() + 1)).isocalendar()
    deployments = [
        Deployment(
            id=str(days), service="shop", environment="production", status=Status.SUCCEEDED,
            finished_at=now - timedelta(days=days),
        )
        for days in range(60)
    ]  # fmt: skip
    wrong = Coverage(
        source="s", scope="*", kind=CoverageKind.DEPLOYMENTS, start=now - timedelta(days=60),
        end=now + timedelta(days=1500),
    )  # fmt: skip
    with Store.open("vpemetrics.db") as store:
        store.save("s", [*deployments, wrong])

    result = invoke("report", "--store", "vpemetrics.db")
    again = invoke("report", "--store", "vpemetrics.db")

    assert f"{last_week.year}-W{last_week.week:02}" in result.stdout.splitlines()[0]
    assert "warning: the store says that it holds all until" in result.stderr
    assert "warning" not in again.stderr  # it was put right
    assert again.stdout == result.stdout


class Working(ScheduleLog):
    """A log that keeps its lines."""

    def __init__(self, plan: Plan, now: datetime) -> None:
        self.lines: list[str] = []
        super().__init__(plan, lambda: now, self.lines.append, _no_bug)


def _no_bug(error: Exception) -> str:
    raise error


def test_a_weekly_report_is_written_though_one_of_2031_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "vpemetrics.toml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "deployments.csv").write_text(ROWS, encoding="utf-8")
    plan = Plan.of(load(configuration, {}), str(tmp_path / "x.db"))
    with Store.open(plan.location) as store:
        collected(store, _files(tmp_path), WRONG, pytest.fail)
        with store.transaction() as connection:
            note_reported(connection, "2031-W04")
        last = store.collections()

    log = Working(plan, NOW)
    coming = agenda(plan, last, "2031-W04", NOW)
    log.log_begin(configuration, coming)
    schedule = Schedule(plan, log, configuration, lambda: NOW)
    run(schedule, f"collect {plan.sources[0].name}")

    assert coming.collections == {"files": NOW}
    assert any("knows of a report of 2031-W04, which is yet to come" in line for line in log.lines)
    assert any("knows of a collection of files at 2031" in line for line in log.lines)
    assert (tmp_path / "out" / "2026-W36.txt").exists()
    with Store.open(plan.location) as store, store.view() as connection:
        assert reported_week(connection) == "2026-W36"


def _files(folder: Path) -> Source:
    collector = collector_of("files")
    options: Any = collector.options(path="records")
    return Source(name="files", collector=collector, options=options, folder=folder)


def run(schedule: Schedule, job: str) -> None:
    """Do a job of a schedule once, in this thread."""
    schedule._run(job)
